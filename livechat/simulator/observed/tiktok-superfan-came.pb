

WebcastBarrageMessageñ
2
WebcastBarrageMessageï€èâªê³§e€èâªê³§e ûĞ•ÿ¼1*’
+ttlive_superFan_commentNotif_superFanJoinedSuper Fan {0:user} joined"ÇªÁ
¾² ™ÖŞòGolden TesterJ“
/https://p16-webcast.example.com/avatar.heic?x=1
3https://p16-webcast.example.com/avatar.webp?x=1&y=2
+https://p16-webcast.example.com/avatar.jpeg²golden.testerºfans_entranceÂ’
+ttlive_superFan_commentNotif_superFanJoinedSuper Fan {0:user} joined"ÇªÁ
¾² ™ÖŞòGolden TesterJ“
/https://p16-webcast.example.com/avatar.heic?x=1
3https://p16-webcast.example.com/avatar.webp?x=1&y=2
+https://p16-webcast.example.com/avatar.jpeg²golden.tester