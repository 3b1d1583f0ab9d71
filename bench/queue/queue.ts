/** The queue bench: links of netfold beside a router with the same rate and queue, in turns. */
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import type { Flow } from '../../controller/verify/traffic.ts';
import { type Bps, bps, formatBps } from '../../proto/units.ts';
import { type Interruption, withLab } from '../lab.ts';
import type { Row, Table } from '../report/model.ts';
import { measureKinds } from './kinds.ts';
import { fill, flood } from './loads.ts';
import { type LinkSettings, withRouter } from './router.ts';
import { type Figures, inRounds } from './rows.ts';

const RATES: readonly Bps[] = [1e6, 12e6, 100e6].map(bps);
const PACKETS = [10, 100, 1000];

export const SOURCE = 'the same HTB and pfifo set by hand on a router between two hosts';

export interface QueueOptions {
  readonly backend: DelayBackendName;
  readonly quick: boolean;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

export async function measureQueue(options: QueueOptions): Promise<Table[]> {
  return [await measureLinks(options), await measureKinds(options)];
}

async function measureLinks({ backend, quick, interruption, say }: QueueOptions): Promise<Table> {
  const links = RATES.flatMap((rateBps) => PACKETS.map((packets) => ({ rateBps, packets })));
  const chosen = quick ? links.filter(({ rateBps, packets }) => rateBps === 12e6 && packets < 1000) : links;
  const rows: Row[] = [];
  for (const link of chosen) {
    const ofLink = await inRounds(say, async (round) => {
      say(`${nameOf(link)}, round ${round}: a router, then netfold`);
      const router = await withRouter(link, interruption, (flow) => measure(flow, link));
      const ours = await withLab(topologyOf(link), backend, interruption, ({ place }) =>
        measure({ from: place('a'), to: place('b') }, link),
      );
      return { router, ours };
    });
    rows.push(...ofLink);
  }
  return {
    id: 'queue',
    title: 'queues in front of links',
    backend,
    source: SOURCE,
    method:
      'The target is what the router gives, measured just before; means of all rounds, of which there are up to three while a row is outside. TCP: one flow of cubic, which fills the queue first. UDP: datagrams of full frames at 5/3 of the rate. Round trips: the median of pings beside it, in the same queue: ten a second, for three cycles of cubic, or for 4 s beside UDP.',
    sampled: 'rounds',
    rows,
  };
}

async function measure(flow: Flow, link: LinkSettings): Promise<Figures> {
  const filled = await fill(flow, link);
  const flooded = await flood(flow, link);
  const name = nameOf(link);
  return {
    [`${name}: TCP goodput`]: { kind: 'rate', value: filled.goodputBps },
    [`${name}: ping beside TCP`]: { kind: 'round trip', value: filled.roundTripMs },
    [`${name}: TCP retransmissions`]: { kind: 'count', value: filled.retransmissions },
    [`${name}: UDP loss`]: { kind: 'loss', value: flooded.lost },
    [`${name}: ping beside UDP`]: { kind: 'round trip', value: flooded.roundTripMs },
  };
}

const topologyOf = ({ rateBps, packets }: LinkSettings): string => `
services: { a: {}, b: {} }
links: [{ from: a, to: b, bandwidth: ${rateBps}bps, queue: ${packets} packets }]
`;

const nameOf = ({ rateBps, packets }: LinkSettings): string => `${formatBps(rateBps)}, ${packets} packets`;
