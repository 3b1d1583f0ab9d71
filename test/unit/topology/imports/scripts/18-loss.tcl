# A model of errors on a link, and a queue in bytes.
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
[[$ns link $s $d] queue] set queue-in-bytes_ true
[[$ns link $s $d] queue] set limit_ 15000
$ns run
#> nodes s, d
#> link s--d 100ms 1Mbps 2% 15000 bytes / 100ms 128Kbps 0% 40 packets
