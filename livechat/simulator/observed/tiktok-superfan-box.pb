
Ğ
WebcastEnvelopeMessage³
‘
xï€èâªê³§e€èâªê³§e ûĞ•ÿ¼1Bğ
ttlive_superFanBox_x{0:user} sent a Super Fan Box"¸ª²
¯ÉÙZoeJ“
/https://p16-webcast.example.com/avatar.heic?x=1
3https://p16-webcast.example.com/avatar.webp?x=1&y=2
+https://p16-webcast.example.com/avatar.jpeg²golden.tester
730019"Zoe0B77001€