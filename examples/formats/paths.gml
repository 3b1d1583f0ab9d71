graph [
  directed 0
  node [
    id 10
    host_bandwidth_down "140 Mbit"
    host_bandwidth_up "18 Mbit"
  ]
  node [
    id 11
    host_bandwidth_down "1 Gbit"
    host_bandwidth_up "1 Gbit"
  ]
  edge [
    source 10
    target 10
    latency "1 ms"
  ]
  edge [
    source 10
    target 11
    latency "50 ms"
    jitter "1500 us"
    packet_loss 0.01
  ]
]
