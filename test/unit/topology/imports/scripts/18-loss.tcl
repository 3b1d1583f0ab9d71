# A model of errors on a link, a queue in bytes, and a LAN of ns-2.
set ns [new Simulator]
Queue set limit_ 40
set s [$ns node]
set d [$ns node]
$ns simplex-link $s $d 1Mb 100ms DropTail
$ns simplex-link $d $s 128kb 100ms DropTail
set loss [new ErrorModel]
$loss set rate_ 0.02
$loss unit pkt
$loss ranvar [new RandomVariable/Uniform]
$ns lossmodel $loss $s $d
set lan [$ns newLan "$s $d" 10Mb 2ms LL Queue/DropTail Mac/802_3]
[[$ns link $s $d] queue] set queue-in-bytes_ true
[[$ns link $s $d] queue] set limit_ 15000
$ns run
#> nodes s, d
#> LANs lan
#> link s--d 100ms 1Mbps 2% 15000 bytes / 100ms 128Kbps 0% 40 packets
#> link s--lan 1ms 10Mbps 0% 40 packets
#> link d--lan 1ms 10Mbps 0% 40 packets
#> told 13 KEY_IGNORED
