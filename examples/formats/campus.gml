# In the manner of the Topology Zoo: speeds as numbers and as texts, a label twice, a node without coordinates.
Creator "by hand"
graph [
  Network "Campus"
  node [
    id 0
    label "Caf&eacute; AT&T"
    Longitude 2.35
    Latitude 48.86
    graphics [ x 1 y 2 fill "#ff0000" ]
  ]
  node [ id 1 label "Lab" Longitude -0.58 Latitude 44.84 ]
  node [ id 2 label "lab" ]
  edge [
    source 0
    target 1
    LinkSpeed "2.5"
    LinkSpeedUnits "G"
    LinkSpeedRaw 2500000000.0
    LinkNote "leased"
  ]
  edge [ source 1 target 2 LinkLabel "<100 Mbps" ]
  edge [ source 1 target 1 ]
]
