/** One link of the queue bench with other kinds of traffic: BBR, IPv6, TCP and UDP in one queue, another destination. */
import { isIPv6 } from 'node:net';
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { type Flow, ping } from '../../controller/verify/traffic.ts';
import { bps } from '../../proto/units.ts';
import type { Interruption, Lab } from '../lab.ts';
import { withLab } from '../lab.ts';
import type { Row, Table } from '../report/model.ts';
import { besideFlood, fill, flood, hasControl, mix } from './loads.ts';
import { type LinkSettings, withRouter } from './router.ts';
import { type Figures, inRounds } from './rows.ts';

const LINK: LinkSettings = { rateBps: bps(12e6), packets: 100 };

/** `c` is the other destination, whose link is as wide. */
const TOPOLOGY = `
services: { a: {}, b: {}, c: {} }
links:
  - { from: a, to: b, bandwidth: ${LINK.rateBps}bps, queue: ${LINK.packets} packets }
  - { from: a, to: c, bandwidth: ${LINK.rateBps}bps, queue: ${LINK.packets} packets }
`;

const EMPTY_PINGS = 20;
const EMPTY_PINGS_MS = 100;

type Traffic = 'bbr' | 'cubic6' | 'flood6' | 'mix';

export interface KindsOptions {
  readonly backend: DelayBackendName;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

export async function measureKinds({ backend, interruption, say }: KindsOptions): Promise<Table> {
  const kinds: Traffic[] = [...(hasControl('bbr') ? (['bbr'] as const) : []), 'cubic6', 'flood6', 'mix'];
  const rows: Row[] = [];
  for (const kind of kinds) {
    const ofKind = await inRounds(say, async (round) => {
      say(`12 Mb/s, 100 packets, ${kind}, round ${round}: a router, then netfold`);
      const router = await withRouter(LINK, interruption, (flow, flow6) => measure(kind, flow, flow6));
      const ours = await withLab(TOPOLOGY, backend, interruption, (lab) =>
        measure(kind, between(lab, 'b', 4), between(lab, 'b', 6)),
      );
      return { router, ours };
    });
    rows.push(...ofKind);
  }
  const ofOther = await inRounds(say, (round) => {
    say(`12 Mb/s, 100 packets, another destination, round ${round}`);
    return withLab(TOPOLOGY, backend, interruption, async (lab) => {
      const other = between(lab, 'c', 4);
      const alone = (await fill(other, LINK)).goodputBps;
      const beside = await besideFlood(between(lab, 'b', 4), LINK, other);
      return { router: toOther(alone), ours: toOther(beside) };
    });
  });
  rows.push(...ofOther);
  return {
    id: 'kinds',
    title: 'other traffic in a queue of 12 Mb/s and 100 packets',
    backend,
    source:
      'the same HTB and pfifo set by hand on a router between two hosts; for the last row, the same flow alone',
    method:
      'As the table above. TCP and UDP in one queue: a flow of cubic, and datagrams of half the rate. Another destination: datagrams of 5/3 of the rate to one, and a flow of cubic to the other. BBR keeps its queue at about twice the round trip of the way itself, so twice what the two ways differ by without load is added to its bound.',
    sampled: 'rounds',
    rows,
  };
}

const toOther = (value: number): Figures => ({
  'TCP goodput, while UDP overloads the link to another destination': { kind: 'rate', value },
});

async function measure(kind: Traffic, flow: Flow, flow6: Flow): Promise<Figures> {
  if (kind === 'flood6') {
    const { lost, roundTripMs } = await flood(flow6, LINK);
    return figures('IPv6, UDP', { lost, roundTripMs });
  }
  if (kind === 'mix') return figures('TCP and UDP in one queue', await mix(flow, LINK));
  if (kind === 'bbr') {
    const { medianMs } = await ping(flow.from, flow.to, EMPTY_PINGS, EMPTY_PINGS_MS);
    return figures('BBR', await fill(flow, LINK, 'bbr'), medianMs);
  }
  return figures('IPv6, TCP', await fill(flow6, LINK));
}

function figures(
  name: string,
  { goodputBps, lost, roundTripMs }: { goodputBps?: number; lost?: number; roundTripMs: number },
  emptyMs?: number,
): Figures {
  return {
    ...(goodputBps !== undefined && { [`${name}: TCP goodput`]: { kind: 'rate', value: goodputBps } }),
    ...(lost !== undefined && { [`${name}: UDP loss`]: { kind: 'loss', value: lost } }),
    [`${name}: ping beside it`]: {
      ...{ kind: 'round trip', value: roundTripMs },
      ...(emptyMs !== undefined && { emptyMs }),
    },
  };
}

function between({ place, experiment }: Lab, to: 'b' | 'c', family: 4 | 6): Flow {
  const ends = [place('a'), place(to)].map((end) => {
    const { addresses } = experiment.plan.endpoints.find(({ name }) => name === end.name)!;
    return { ...end, address: addresses.find((one) => isIPv6(one) === (family === 6))! };
  });
  return { from: ends[0]!, to: ends[1]! };
}
