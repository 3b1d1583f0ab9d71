# Sources with bursts, of which classes have defaults of their own.
set ns [new Simulator]
set a [$ns node]
set b [$ns node]
$ns duplex-link $a $b 10Mb 1ms DropTail
Application/Traffic/Pareto set rate_ 300k
proc source-of {kind} {
    global ns a b
    set udp [new Agent/UDP]
    set null [new Agent/Null]
    $ns attach-agent $a $udp
    $ns attach-agent $b $null
    $ns connect $udp $null
    set generator [new Application/Traffic/$kind]
    $generator attach-agent $udp
    return $generator
}
set e [source-of Exponential]
$e set burst_time_ 250ms
$e set idle_time_ 750ms
$e set rate_ 100k
set p [source-of Pareto]
$p set shape_ 1.7
foreach one [list $e $p] { $ns at 1.0 "$one start" }
$ns at 3.0 "$p stop"
$ns at 4.0 "$p start"
$ns run
#> nodes a, b
#> link a--b 1ms 10Mbps 0%
#> traffic e a>b exponential udp 100Kbps 168B 1-
#> traffic p a>b pareto udp 300Kbps 168B 1-3
#> traffic p a>b pareto udp 300Kbps 168B 4-
