/** A program for ns-3 (C++, release 3.36 and later): point-to-point links, global routing. */
import type { Impairment } from '../../proto/impairment.ts';
import { formatMicros, MAX_BANDWIDTH } from '../../proto/units.ts';
import { count } from '../../proto/words.ts';
import type { Topology } from '../model/model.ts';
import type { Export } from './export.ts';
import { type FlatLink, lostOf, networkOf } from './network.ts';

/** Metrics of ns-3's interfaces have 16 bits. */
const MAX_METRIC = 65_535;

const HEAD = `#include "ns3/core-module.h"
#include "ns3/internet-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"

using namespace ns3;

namespace
{
Ipv4AddressHelper g_addresses("10.0.0.0", "255.255.255.252");

/** A link; rates and loss of each direction, from the node that sends. */
void
Link(NodeContainer nodes, uint32_t from, uint32_t to, const char* delay, uint64_t up, uint64_t down,
     double upLoss, double downLoss, uint16_t upMetric, uint16_t downMetric)
{
    PointToPointHelper helper;
    helper.SetChannelAttribute("Delay", StringValue(delay));
    NetDeviceContainer devices = helper.Install(nodes.Get(from), nodes.Get(to));
    devices.Get(0)->SetAttribute("DataRate", DataRateValue(DataRate(up)));
    devices.Get(1)->SetAttribute("DataRate", DataRateValue(DataRate(down)));
    for (uint32_t receiver = 0; receiver < 2; receiver++)
    {
        Ptr<RateErrorModel> errors = CreateObject<RateErrorModel>();
        errors->SetUnit(RateErrorModel::ERROR_UNIT_PACKET);
        errors->SetRate(receiver == 0 ? downLoss : upLoss);
        devices.Get(receiver)->SetAttribute("ReceiveErrorModel", PointerValue(errors));
    }
    Ipv4InterfaceContainer interfaces = g_addresses.Assign(devices);
    g_addresses.NewNetwork();
    interfaces.Get(0).first->SetMetric(interfaces.Get(0).second, upMetric);
    interfaces.Get(1).first->SetMetric(interfaces.Get(1).second, downMetric);
}
} // namespace
`;

export const ns3: Export = {
  name: 'ns-3',
  write(topology, heading) {
    const { nodes, links } = networkOf(topology);
    const metric = metricOf(topology, links);
    const lines = [
      `// ${heading}`,
      HEAD,
      'int',
      'main(int argc, char* argv[])',
      '{',
      '    CommandLine cmd(__FILE__);',
      '    cmd.Parse(argc, argv);',
      '    NodeContainer nodes;',
      `    nodes.Create(${nodes.length});`,
      ...nodes.map(({ name }, index) => `    Names::Add(${JSON.stringify(name)}, nodes.Get(${index}));`),
      '    InternetStackHelper internet;',
      '    internet.Install(nodes);',
      ...links.map((link) => `    Link(nodes, ${linkArguments(link, metric)});`),
      '    Ipv4GlobalRoutingHelper::PopulateRoutingTables();',
      '    // Applications go here.',
      '    Simulator::Stop(Seconds(60));',
      '    Simulator::Run();',
      '    Simulator::Destroy();',
      '    return 0;',
      '}',
      '',
    ];
    const uneven = links.filter(({ up, down }) => down && down.latency !== up.latency).length;
    const free = links.filter(
      ({ up, down }) => !Number.isFinite((down ?? up).bandwidth + up.bandwidth),
    ).length;
    const { routing } = topology;
    const known: Topology = routing === 'valley-free' ? topology : { ...topology, routing: 'latency' };
    const lost = [
      ...lostOf(known, { loss: true, weights: true }),
      ...(uneven > 0
        ? [`${count(uneven, 'link')}: one delay for both directions there, the mean of the two`]
        : []),
      ...(free > 0 ? [`${count(free, 'link')} without a bandwidth: 100 Gb/s is written`] : []),
      ...(topology.services.some(({ forward }) => !forward) ? ['services: every node forwards there'] : []),
    ];
    return { text: lines.join('\n'), lost };
  },
};

type MetricOf = (of: Impairment, weight: number | undefined) => number;

/** Latencies as 16 bits: in microseconds if they fit, otherwise as parts of the longest. */
function metricOf({ routing }: Topology, links: readonly FlatLink[]): MetricOf {
  if (routing === 'hops') return () => 1;
  if (routing === 'weight') return (_, weight = 1) => weight;
  const longest = links.reduce((most, { up, down }) => Math.max(most, up.latency, down?.latency ?? 0), 1);
  const scale = longest <= MAX_METRIC ? 1 : MAX_METRIC / longest;
  return ({ latency }) => Math.max(1, Math.round(latency * scale));
}

function linkArguments({ from, to, up, down = up, pair }: FlatLink, metric: MetricOf): string {
  const delay = formatMicros(Math.round((up.latency + down.latency) / 2));
  const rate = ({ bandwidth }: Impairment): number =>
    Number.isFinite(bandwidth) ? bandwidth : MAX_BANDWIDTH;
  const { weights } = pair;
  return [
    from,
    to,
    JSON.stringify(delay),
    `${rate(up)}ULL`,
    `${rate(down)}ULL`,
    up.loss,
    down.loss,
    metric(up, weights?.up),
    metric(down, weights?.down),
  ].join(', ');
}
