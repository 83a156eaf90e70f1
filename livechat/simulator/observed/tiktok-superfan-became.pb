
ş
WebcastBarrageMessageâ

xï€èâªê³§e€èâªê³§e ûĞ•ÿ¼1d*‘
2ttlive_superFan_commentNotif_someoneBecameSuperFan {0:user} just became a Super Fan"¸ª²
¯ÉÙZoeJ“
/https://p16-webcast.example.com/avatar.heic?x=1
3https://p16-webcast.example.com/avatar.webp?x=1&y=2
+https://p16-webcast.example.com/avatar.jpeg²golden.testerºBecomingSuperFanLv10Â‘
2ttlive_superFan_commentNotif_someoneBecameSuperFan {0:user} just became a Super Fan"¸ª²
¯ÉÙZoeJ“
/https://p16-webcast.example.com/avatar.heic?x=1
3https://p16-webcast.example.com/avatar.webp?x=1&y=2
+https://p16-webcast.example.com/avatar.jpeg²golden.tester