/** A matrix of regions as a cloud has them: the round trips between their members, beside the matrix. */
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { loadTopology } from '../../topology/load.ts';
import { SeededRandom } from '../../topology/model/random.ts';
import { type Interruption, withLab } from '../lab.ts';
import { median, range } from '../measure/statistics.ts';
import { pingExactly } from '../measure/traffic/pings.ts';
import { least, reported, triedTable } from '../report/judge.ts';
import type { Table } from '../report/model.ts';

const REGIONS = { whole: 20, quick: 6 };
const MEMBERS = 5;
const SEED = 20;
/** Within a region, and between the closest and the most distant ones. */
const WITHIN_MS = 0.6;
const [NEAREST_MS, FARTHEST_MS] = [3, 320];
/** By how much the way back may be shorter or longer. */
const ASYMMETRY_MS = 4;
const BOUND_MS = 0.5;
/** Side by side, so that the machine has time between them. */
const AT_ONCE = 4;
const AGAIN = 3;
const PLAN = { groups: 2, intervalMs: 100, frameBytes: 98 };

interface RegionsOptions {
  readonly quick: boolean;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

/** Round trips in milliseconds, row → column; the two directions differ, and detours may be shorter, as in a cloud. Pure. */
export function regionMatrix(regions: number, seed: number): number[][] {
  const random = new SeededRandom(seed);
  const between = Array.from({ length: regions }, () => new Array<number>(regions).fill(WITHIN_MS));
  for (let from = 0; from < regions; from++)
    for (let to = from + 1; to < regions; to++) {
      const there = NEAREST_MS * (FARTHEST_MS / NEAREST_MS) ** random.next();
      const back = Math.max(NEAREST_MS, there + ASYMMETRY_MS * (2 * random.next() - 1));
      between[from]![to] = hundredths(there);
      between[to]![from] = hundredths(back);
    }
  return between;
}

const hundredths = (value: number): number => Math.round(value * 100) / 100;

function topologyOf(matrix: readonly (readonly number[])[]): string {
  const services = matrix.map((_, at) => `r${at}: { replicas: ${MEMBERS} }`);
  const rows = matrix.map((row, at) => `r${at}: { ${row.map((ms, to) => `r${to}: ${ms}ms`).join(', ')} }`);
  return `services: { ${services.join(', ')} }\nmatrix: { rtt: { ${rows.join(', ')} } }\n`;
}

interface Pair {
  readonly from: string;
  readonly to: string;
  /** Half of either direction's round trip. */
  readonly targetMs: number;
}

/** Each two regions, and each with itself; all members take part. */
function pairsOf(matrix: readonly (readonly number[])[]): Pair[] {
  const pairs: Pair[] = [];
  for (let from = 0; from < matrix.length; from++)
    for (let to = from; to < matrix.length; to++) {
      const member = pairs.length % MEMBERS;
      const targetMs = (matrix[from]![to]! + matrix[to]![from]!) / 2;
      pairs.push({ from: `r${from}.${member}`, to: `r${to}.${(member + 1) % MEMBERS}`, targetMs });
    }
  return pairs;
}

export async function regions(
  backend: DelayBackendName,
  { quick, interruption, say }: RegionsOptions,
): Promise<Table> {
  const count = REGIONS[quick ? 'quick' : 'whole'];
  say(`${backend}: a matrix of ${count} regions`);
  const matrix = regionMatrix(count, SEED);
  const pairs = pairsOf(matrix);
  const { expanded } = loadTopology(topologyOf(matrix), 'bench.yaml');
  return withLab(expanded!(), backend, interruption, ({ place }) =>
    triedTable(async () => {
      const errors: number[] = [];
      const waiting = [...pairs.entries()];
      let lost = 0;
      const pingNext = async (): Promise<void> => {
        for (let next = waiting.shift(); next; next = waiting.shift()) {
          const [index, { from, to, targetMs }] = next;
          const { sent, roundTripsMs } = await pingExactly(place(from), place(to), PLAN);
          lost += sent - roundTripsMs.length;
          errors[index] = median(roundTripsMs) - targetMs;
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, pingNext));
      const isOff = (at: number): boolean => Math.abs(errors[at]!) > BOUND_MS;
      const off = [...pairs.keys()].filter(isOff);
      for (let again = 0; again < AGAIN; again++) {
        waiting.push(...[...pairs.entries()].filter(([at]) => isOff(at)));
        await pingNext();
      }
      const furthest = errors.reduce(
        (most, error, at) => (Math.abs(error) > Math.abs(errors[most]!) ? at : most),
        0,
      );
      const { from, to, targetMs } = pairs[furthest]!;
      return {
        ...{ id: 'regions', title: `a matrix of ${count} regions with ${MEMBERS} endpoints each`, backend },
        source: 'issue 19: measured round trips equal the matrix within 0.5 ms',
        method: `Round trips from ${NEAREST_MS} to ${FARTHEST_MS} ms, drawn from a seed, longer in one direction than in the other. For each two regions and each with itself, the median of ${3 * PLAN.groups} pings from a member of one to a member of the other, ${AT_ONCE} pairs at a time; those that are off by more than the bound once more, up to ${AGAIN} times, alone, since a machine that pauses spoils six pings at once. The target is half of the round trip of either direction.`,
        sampled: 'pairs',
        rows: [
          least('the pair that is furthest from the matrix', 'ms', BOUND_MS, {
            ...{ measured: Math.abs(errors[furthest]!), spread: range(errors), samples: errors.length },
            note: `${from} to ${to}, ${targetMs.toFixed(2)} ms${off.length > 0 ? `; ${off.length} measured again` : ''}`,
          }),
          reported('off by, median', 'ms', {
            measured: median(errors),
            spread: range(errors),
            samples: errors.length,
          }),
          least('pings lost', 'count', 0, { measured: lost, spread: null, samples: errors.length }),
        ],
      };
    }),
  );
}
