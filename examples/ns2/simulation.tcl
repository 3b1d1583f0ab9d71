# A script of ns-2 itself: its traffic runs (netfold traffic shows it), its trace files are not written.
set ns [new Simulator]
set nf [open out.nam w]
$ns namtrace-all $nf
$ns color 1 Blue

proc finish {} {
    global ns nf
    $ns flush-trace
    close $nf
    exec nam out.nam &
    exit 0
}

set n(0) [$ns node]
set n(1) [$ns node]
for {set i 2} {$i <= 3} {incr i} { set n($i) [$ns node] }

$ns duplex-link $n(0) $n(2) 2Mb 10ms DropTail
$ns duplex-link $n(1) $n(2) 2Mb 10ms DropTail
$ns duplex-link $n(2) $n(3) 1.7Mb 20ms RED
$ns queue-limit $n(2) $n(3) 10
[[$ns link $n(2) $n(3)] queue] set thresh_ 5
$ns duplex-link-op $n(0) $n(2) orient right-down

set tcp [new Agent/TCP]
$tcp set packetSize_ 552
$ns attach-agent $n(0) $tcp
set sink [new Agent/TCPSink]
$ns attach-agent $n(3) $sink
$ns connect $tcp $sink
set ftp [new Application/FTP]
$ftp attach-agent $tcp

set udp [new Agent/UDP]
$ns attach-agent $n(1) $udp
set null [new Agent/Null]
$ns attach-agent $n(3) $null
$ns connect $udp $null
set cbr [new Application/Traffic/CBR]
$cbr set packetSize_ 1000
$cbr set rate_ 1mb
$cbr attach-agent $udp

$ns at 0.1 "$cbr start"
$ns at 1.0 "$ftp start"
$ns rtmodel-at 2.0 down $n(2) $n(3)
$ns rtmodel-at 2.5 up $n(2) $n(3)
$ns at 4.0 "$ftp stop"
$ns at 4.5 "$cbr stop"
$ns at 5.0 "finish"
$ns run
