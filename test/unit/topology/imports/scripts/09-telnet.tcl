# Telnet and FTP over TCP.
set ns [new Simulator]
for {set i 0} {$i < 4} {incr i} { set n($i) [$ns node] }
$ns duplex-link $n(0) $n(2) 2Mb 10ms DropTail
$ns duplex-link $n(1) $n(2) 2Mb 10ms DropTail
$ns duplex-link $n(2) $n(3) 900kb 10ms DropTail
set tcp0 [new Agent/TCP/Reno]
$ns attach-agent $n(0) $tcp0
set sink0 [new Agent/TCPSink]
$ns attach-agent $n(3) $sink0
$ns connect $tcp0 $sink0
set telnet [new Application/Telnet]
$telnet attach-agent $tcp0
$telnet set interval_ 0
set tcp1 [$ns create-connection TCP $n(1) TCPSink $n(3) 1]
set ftp [new Application/FTP]
$ftp attach-agent $tcp1
$ns at 0.5 "$telnet start"
$ns at 0.6 "$ftp start"
$ns at 24.5 "$telnet stop"
$ns at 24.5 "$ftp stop"
$ns run
#> nodes n-0, n-1, n-2, n-3
#> link n-0--n-2 10ms 2Mbps 0%
#> link n-1--n-2 10ms 2Mbps 0%
#> link n-2--n-3 10ms 900Kbps 0%
#> traffic telnet n-0>n-3 telnet tcp 1000B 0.5-24.5
#> traffic ftp n-1>n-3 greedy tcp 1000B 0.6-24.5
