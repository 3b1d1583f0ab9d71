# UDP at a constant rate over a queue, as tutorials of ns-2 have it.
set ns [new Simulator]
$ns color 1 Blue
set nf [open out.nam w]
$ns namtrace-all $nf
proc finish {} {
    global ns nf
    $ns flush-trace
    close $nf
    exit 0
}
set n0 [$ns node]
set n1 [$ns node]
set n2 [$ns node]
$ns duplex-link $n0 $n2 2Mb 10ms DropTail
$ns duplex-link $n1 $n2 2Mb 10ms DropTail
$ns queue-limit $n0 $n2 10
$ns duplex-link-op $n0 $n2 orient right-down
set udp [new Agent/UDP]
$ns attach-agent $n0 $udp
set null [new Agent/Null]
$ns attach-agent $n1 $null
$ns connect $udp $null
set cbr [new Application/Traffic/CBR]
$cbr attach-agent $udp
$cbr set packetSize_ 500
$cbr set interval_ 0.005
$cbr set random_ false
$ns at 0.5 "$cbr start"
$ns at 4.5 "$cbr stop"
$ns at 5.0 "finish"
$ns run
#> nodes n0, n1, n2
#> link n0--n2 10ms 2Mbps 0% 10 packets / 10ms 2Mbps 0%
#> link n1--n2 10ms 2Mbps 0%
#> event at 5s quit
#> traffic cbr n0>n1 constant udp 800Kbps 458B 0.5-4.5
#> told 3 KEY_IGNORED
#> told 4 KEY_IGNORED
#> told 5 KEY_IGNORED
#> told 8 KEY_IGNORED
#> told 18 KEY_IGNORED
