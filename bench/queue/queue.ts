/** The queue bench: links of netfold beside a router with the same rate and queue, in turns. */
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import type { Flow } from '../../controller/verify/traffic.ts';
import { type Bps, bps, formatBps } from '../../proto/units.ts';
import { type Interruption, withLab } from '../lab.ts';
import { reported } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import { measureKinds } from './kinds.ts';
import { type Filled, type Flooded, fill, flood } from './loads.ts';
import { type LinkSettings, withRouter } from './router.ts';
import { besideRouter } from './rows.ts';

const RATES: readonly Bps[] = [1e6, 12e6, 100e6].map(bps);
const PACKETS = [10, 100, 1000];

export const SOURCE = 'the same HTB and pfifo set by hand on a router between two hosts';

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

export async function measureQueue(options: QueueOptions): Promise<Table[]> {
  return [await measureLinks(options), await measureKinds(options)];
}

async function measureLinks({ backend, quick, interruption, say }: QueueOptions): Promise<Table> {
  const links = RATES.flatMap((rateBps) => PACKETS.map((packets) => ({ rateBps, packets })));
  const chosen = quick ? links.filter(({ rateBps, packets }) => rateBps === 12e6 && packets < 1000) : links;
  const rows: Row[] = [];
  for (const link of chosen) {
    say(`${nameOf(link)}: a router, then netfold`);
    const router = await withRouter(link, interruption, (flow) => measure(flow, link));
    const ours = await withLab(topologyOf(link), backend, interruption, ({ place }) =>
      measure({ from: place('a'), to: place('b') }, link),
    );
    rows.push(...rowsOf(nameOf(link), router, ours));
  }
  return {
    id: 'queue',
    title: 'queues in front of links',
    backend,
    source: SOURCE,
    method:
      'The target is what the router gives, measured just before. TCP: one flow of cubic, which fills the queue first. UDP: datagrams of full frames at 5/3 of the rate. Round trips: the median of pings beside it, in the same queue: ten a second, for three cycles of cubic, or for 4 s beside UDP.',
    sampled: 'measurements',
    rows,
  };
}

async function measure(flow: Flow, link: LinkSettings): Promise<Measured> {
  return { filled: await fill(flow, link), flooded: await flood(flow, link) };
}

function rowsOf(name: string, router: Measured, ours: Measured): Row[] {
  return [
    besideRouter('rate', `${name}: TCP goodput`, router.filled.goodputBps, ours.filled.goodputBps),
    besideRouter(
      'round trip',
      `${name}: ping beside TCP`,
      router.filled.roundTripMs,
      ours.filled.roundTripMs,
    ),
    reported(`${name}: TCP retransmissions`, 'count', {
      measured: ours.filled.retransmissions,
      spread: null,
      samples: 1,
      note: `router ${router.filled.retransmissions}`,
    }),
    besideRouter('loss', `${name}: UDP loss`, router.flooded.lost, ours.flooded.lost),
    besideRouter(
      'round trip',
      `${name}: ping beside UDP`,
      router.flooded.roundTripMs,
      ours.flooded.roundTripMs,
    ),
  ];
}

const topologyOf = ({ rateBps, packets }: LinkSettings): string => `
services: { a: {}, b: {} }
links: [{ from: a, to: b, bandwidth: ${rateBps}bps, queue: ${packets} packets }]
`;

const nameOf = ({ rateBps, packets }: LinkSettings): string => `${formatBps(rateBps)}, ${packets} packets`;
