/** What an agent's parts see of traffic: for the verdict, and for expectations that sequences wait for. */
import { isIPv4 } from 'node:net';
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import { bitsOf, micros, millisToSend, toMillis } from '../../proto/units.ts';
import type { Senses } from '../conditions/senses.ts';
import type { Epoch } from '../epoch/epoch.ts';
import type { Traffic } from '../fidelity/traffic-watch.ts';
import type { Segments } from '../fidelity/underlay-loss.ts';
import { numbersByAddress } from '../linux/objects/endpoint-numbers.ts';
import type { Mesh } from '../mesh/exchange/mesh.ts';
import type { Flow } from '../usage/flow-meter.ts';
import type { AgentParts } from './parts.ts';
import type { AgentPorts } from './ports.ts';

/** What the verdict looks at of traffic. */
export function trafficOf({
  kernel,
  mesh,
  tick,
  epoch,
  known,
  wideArea,
}: Pick<AgentParts, 'kernel' | 'mesh' | 'tick' | 'epoch' | 'known' | 'wideArea'>): Traffic {
  let numbers: ReadonlyMap<string, number> = new Map();
  let version = -1;
  const numberOf = (address: string): number => {
    const { endpointsVersion } = mesh.view;
    if (version !== endpointsVersion) numbers = numbersByAddress(known.all);
    version = endpointsVersion;
    return numbers.get(address) ?? -1;
  };
  return {
    epoch: () => epoch.value,
    localFlows: () => singular(tick, epoch.value),
    forEachRemoteFlow: (tell) => mesh.view.forEachRemoteFlow(tell),
    addressOf: (endpoint) => known.addressesOf(endpoint).find(isIPv4),
    realMicros: (endpoint) => wideArea.realLatency[endpoint] ?? 0,
    connections: (endpoint) =>
      (kernel.connections?.(endpoint) ?? []).flatMap((one) => {
        // Another endpoint of the same namespace has its own ones.
        const own = numberOf(one.source);
        if (own >= 0 && own !== endpoint.number) return [];
        return [{ ...one, peer: numberOf(one.destination) }];
      }),
  };
}

/** Flows of pairs with one path. Of others it is not known which path a probe or a connection takes. */
function singular({ meter }: AgentParts['tick'], { lanes, count }: Epoch): Iterable<Flow> {
  if (!lanes.areSeveral) return meter.flows();
  return [...meter.flows()].filter(
    ({ source, destination }) => lanes.laneOf(destination) === 0 && count(source, destination) === 1,
  );
}

export function segmentsOf({ view }: Mesh, transport: AgentParts['transport']): Segments[] {
  return view.hosts().flatMap(({ name: host, peer, self }) => {
    const found = self ? undefined : transport.segments?.(peer);
    return found ? [{ host, ...found }] : [];
  });
}

/** Echo requests are sent five times a second, or so seldom that they take this part of the path. */
const PROBE_MS = 200;
const PROBE_PART = 0.01;
/** With the headers of Ethernet, IPv6 and ICMP, and the 56 bytes that `ping` sends. */
const PROBE_FRAME_BITS = bitsOf(14 + 40 + 8 + 56);

type Seeing = Pick<AgentParts, 'known' | 'epoch' | 'tick' | 'applications'>;

/** `parts`: complete when something is looked at. */
export function sensesOf(
  { openEchoes, clock }: Pick<AgentPorts, 'openEchoes' | 'clock'>,
  { connections }: Pick<Traffic, 'connections'>,
  parts: () => Seeing,
): Senses {
  const numberOf = (name: string): number => parts().epoch.endpointNames.indexOf(name);
  return {
    openEchoes: (from, to, nowMs) => {
      const addresses = parts().known.addressesOf(numberOf(to));
      const address = addresses.find(isIPv4) ?? addresses[0];
      if (address === undefined) return undefined;
      const intervalMs = Math.max(PROBE_MS, fairIntervalMs(parts(), from, numberOf(to)));
      return openEchoes?.(from, { address, intervalMs, startAt: clock.wallNow() - nowMs });
    },
    rateBps: ({ number }, to) => {
      const { epoch, tick } = parts();
      const paths = [...epoch.value.lanes.all([numberOf(to)])];
      return paths.reduce((sum, path) => sum + (tick.meter.get(number, path)?.rateBps ?? 0), 0);
    },
    roundTripsMs: (from, to) => {
      const peer = numberOf(to);
      return (connections?.(from) ?? []).flatMap((one) =>
        one.peer === peer ? [toMillis(micros(one.smoothedMicros))] : [],
      );
    },
    words: (endpoint) => parts().applications.status()[endpoint],
  };
}

function fairIntervalMs({ epoch }: Pick<Seeing, 'epoch'>, { number }: LocalEndpoint, to: number): number {
  const bandwidth = epoch.value.bandwidth(number, to);
  if (!Number.isFinite(bandwidth) || bandwidth <= 0) return 0;
  return Math.ceil(millisToSend(PROBE_FRAME_BITS, bandwidth) / PROBE_PART);
}
