/** The queue bench: links of netfold beside a router with the same rate and queue, in turns. */
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import type { Flow } from '../../controller/verify/traffic.ts';
import { type Bps, bps, formatBps } from '../../proto/units.ts';
import { type Interruption, withLab } from '../lab.ts';
import { judge, reported } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import { type Filled, type Flooded, fill, flood } from './loads.ts';
import { type LinkSettings, withRouter } from './router.ts';

const RATES: readonly Bps[] = [1e6, 12e6, 100e6].map(bps);
const PACKETS = [10, 100, 1000];
const BOUND = { kind: 'relative', value: 0.1 } as const;
/** What waking up adds to a round trip counts little in one that waits. */
const ROUND_TRIP_MS = 0.5;

export interface QueueOptions {
  readonly backend: DelayBackendName;
  readonly quick: boolean;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

interface Measured {
  readonly filled: Filled;
  readonly flooded: Flooded;
}

export async function measureQueue({ backend, quick, interruption, say }: QueueOptions): Promise<Table[]> {
  const links = RATES.flatMap((rateBps) => PACKETS.map((packets) => ({ rateBps, packets })));
  const chosen = quick ? links.filter(({ rateBps, packets }) => rateBps === 12e6 && packets < 1000) : links;
  const rows: Row[] = [];
  for (const link of chosen) {
    say(`${nameOf(link)}: a router, then netfold`);
    const router = await withRouter(link, interruption, (flow) => measure(flow, link));
    const text = `services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, bandwidth: ${link.rateBps}bps, queue: ${link.packets} packets }]\n`;
    const ours = await withLab(text, backend, interruption, ({ place }) =>
      measure({ from: place('a'), to: place('b') }, link),
    );
    rows.push(...rowsOf(nameOf(link), router, ours));
  }
  return [
    {
      id: 'queue',
      title: 'queues in front of links',
      backend,
      source: 'the same HTB and pfifo set by hand on a router between two hosts',
      method:
        'The target is what the router gives, measured just before. TCP: one flow of cubic, which fills the queue first. UDP: datagrams of full frames at 5/3 of the rate. Round trips: the median of 40 pings beside it, in the same queue.',
      sampled: 'measurements',
      rows,
    },
  ];
}

async function measure(flow: Flow, link: LinkSettings): Promise<Measured> {
  return { filled: await fill(flow, link), flooded: await flood(flow, link) };
}

function rowsOf(name: string, router: Measured, ours: Measured): Row[] {
  const row = (what: string, unit: 'bit/s' | 'ratio', target: number, measured: number): Row =>
    judge({ what: `${name}: ${what}`, unit, target, bound: BOUND }, { measured, spread: null, samples: 1 });
  const roundTrip = (what: string, target: number, measured: number): Row =>
    judge(
      {
        what: `${name}: ${what}`,
        unit: 'ms',
        target,
        bound: { kind: 'absolute', value: Math.max(BOUND.value * target, ROUND_TRIP_MS) },
      },
      { measured, spread: null, samples: 40 },
    );
  return [
    row('TCP goodput', 'bit/s', router.filled.goodputBps, ours.filled.goodputBps),
    roundTrip('ping beside TCP', router.filled.roundTripMs, ours.filled.roundTripMs),
    reported(`${name}: TCP retransmissions`, 'count', {
      measured: ours.filled.retransmissions,
      spread: null,
      samples: 1,
      note: `router ${router.filled.retransmissions}`,
    }),
    row('UDP loss', 'ratio', router.flooded.lost, ours.flooded.lost),
    roundTrip('ping beside UDP', router.flooded.roundTripMs, ours.flooded.roundTripMs),
  ];
}

const nameOf = ({ rateBps, packets }: LinkSettings): string => `${formatBps(rateBps)}, ${packets} packets`;
