/**
 * The metadata bench: what agents send to each other about steady traffic, compared with what others would have sent.
 */
import { chooseDelayBackend } from '../../agent/linux/delay/delay-backend.ts';
import { probeMachine } from '../../agent/linux/probe/probe.ts';
import { requireAbilities } from '../../controller/machine/abilities.ts';
import { type Interruption, withLab } from '../lab.ts';
import type { Figure, Table } from '../report/model.ts';
import { type Compared, compare } from './compare.ts';
import { type Dumbbell, dumbbellText, HOSTS, runDumbbell } from './dumbbell.ts';
import { figureOf, tablesOf } from './tables.ts';

/** One frame more or less in 50 ms is 12 % of this … */
const FLOW_BPS = 2e6;
/** … and less than the 5 % from which on a change of this is announced. */
const EVEN_FLOW_BPS = 5e6;

const ALL: readonly Dumbbell[] = [
  ...[5, 25, 50, 100].map((clients) => ({ clients, flowBps: FLOW_BPS })),
  // A hundred flows of this rate are more than two cores carry.
  { clients: 25, flowBps: EVEN_FLOW_BPS },
];
const FEW: readonly Dumbbell[] = [5, 25].map((clients) => ({ clients, flowBps: FLOW_BPS }));

/** Heartbeats of a new host are forwarded for ten seconds. */
const TIMING = { settleSeconds: 15, seconds: 60 };
const QUICK_TIMING = { settleSeconds: 12, seconds: 15 };

export interface MetadataOptions {
  readonly quick: boolean;
  /** Only the dumbbells with so many clients. */
  readonly clients?: readonly number[] | undefined;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

/** Throws `DELAY_BACKEND_MISSING` or `MACHINE_CANNOT` before anything is measured. */
export async function measureMetadata(
  options: MetadataOptions,
): Promise<{ tables: Table[]; figures: Figure[] }> {
  const { quick, interruption, say, clients } = options;
  const abilities = probeMachine();
  requireAbilities(abilities);
  const backend = chooseDelayBackend('auto', abilities);
  const timing = quick ? QUICK_TIMING : TIMING;
  const wanted = clients ? ALL.filter((one) => clients.includes(one.clients)) : quick ? FEW : ALL;
  const all: Compared[] = [];
  for (const dumbbell of wanted) {
    say(`${dumbbell.clients} clients, ${dumbbell.flowBps / 1e6} Mb/s each, on ${HOSTS} hosts`);
    const text = dumbbellText(dumbbell);
    const use = (lab: Parameters<typeof runDumbbell>[2]) => runDumbbell(dumbbell, timing, lab);
    const measure = () => withLab(text, backend, interruption, use, HOSTS);
    const first = await measure();
    // If the machine paused for longer than a change has to last, the traffic was not steady.
    const isSteady = first.flowAnnouncements === 0;
    all.push(isSteady ? compare(first) : compare(await measure(), 2));
  }
  return { tables: tablesOf(all, backend), figures: [figureOf(all)] };
}
