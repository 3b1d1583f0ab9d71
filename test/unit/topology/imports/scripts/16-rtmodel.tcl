# A ring of routers, of which a link fails while packets flow.
set ns [new Simulator]
$ns rtproto DV
for {set i 0} {$i < 7} {incr i} { set n($i) [$ns node] }
for {set i 0} {$i < 7} {incr i} {
    $ns duplex-link $n($i) $n([expr ($i+1)%7]) 1Mb 10ms DropTail
}
set udp0 [new Agent/UDP]
$ns attach-agent $n(0) $udp0
set cbr0 [new Application/Traffic/CBR]
$cbr0 set packetSize_ 500
$cbr0 set interval_ 0.005
$cbr0 attach-agent $udp0
set null0 [new Agent/Null]
$ns attach-agent $n(3) $null0
$ns connect $udp0 $null0
$ns rtmodel-at 1.0 down $n(1) $n(2)
$ns rtmodel-at 2.0 up $n(1) $n(2)
$ns at 0.5 "$cbr0 start"
$ns at 4.5 "$cbr0 stop"
$ns at 5.0 "$ns halt"
$ns run
#> nodes n-0, n-1, n-2, n-3, n-4, n-5, n-6
#> link n-0--n-1 10ms 1Mbps 0%
#> link n-1--n-2 10ms 1Mbps 0%
#> link n-2--n-3 10ms 1Mbps 0%
#> link n-3--n-4 10ms 1Mbps 0%
#> link n-4--n-5 10ms 1Mbps 0%
#> link n-5--n-6 10ms 1Mbps 0%
#> link n-6--n-0 10ms 1Mbps 0%
#> event at 1s leave n-1--n-2
#> event at 2s join n-1--n-2
#> event at 5s quit
#> traffic cbr0 n-0>n-3 constant udp 800Kbps 458B 0.5-4.5
