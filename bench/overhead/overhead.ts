/** The overhead bench: netfold compared with the same lab without it, in turns, so that disturbances affect both. */
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { tcpSeconds } from '../../controller/verify/goodput.ts';
import type { Flow } from '../../controller/verify/traffic.ts';
import { type Interruption, withLab } from '../lab.ts';
import { machineBackend } from '../measure/backend.ts';
import { withBareLab } from '../measure/bare-lab.ts';
import { shapeByHand } from '../measure/plain-tc.ts';
import { median } from '../measure/statistics.ts';
import { pingEach } from '../measure/traffic/pings.ts';
import type { Table } from '../report/model.ts';
import { type Pair, tablesOf } from './tables.ts';

/** Both ends are on one host, and this is the only limit between them. */
export const RATE_BPS = 4e9;
const SHAPED = `services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, bandwidth: ${RATE_BPS}bps }]\n`;
const UNSHAPED = 'services: { a: {}, b: {} }\nlinks: [{ from: a, to: b }]\n';

export interface Effort {
  readonly rounds: number;
  readonly tcp: { readonly seconds: number; readonly settleSeconds: number };
  readonly pings: { readonly count: number; readonly intervalMs: number; readonly frameBytes: number };
}
const FULL: Effort = {
  rounds: 15,
  tcp: { seconds: 4, settleSeconds: 1 },
  pings: { count: 400, intervalMs: 10, frameBytes: 102 },
};
const QUICK: Effort = { ...FULL, rounds: 3, tcp: { seconds: 2, settleSeconds: 1 } };

export interface OverheadOptions {
  readonly quick: boolean;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

/** Throws `DELAY_BACKEND_MISSING` or `MACHINE_CANNOT` before anything is measured. */
export async function measureOverhead({ quick, interruption, say }: OverheadOptions): Promise<Table[]> {
  const backend = machineBackend();
  const effort = quick ? QUICK : FULL;
  const beside = (text: string, prepare: (flow: Flow) => Promise<void>, measure: Measure): Promise<Pair[]> =>
    inTurns(text, backend, interruption, effort.rounds, prepare, measure);
  say(`TCP at 4 Gb/s, compared with HTB set by hand, ${effort.rounds} rounds`);
  const rates = await beside(
    SHAPED,
    (flow) => shapeByHand(flow, RATE_BPS),
    async (flow) => median(await tcpSeconds(flow, effort.tcp)),
  );
  say(`round trips without any limit, with netfold and without, ${effort.rounds} rounds`);
  const delays = await beside(
    UNSHAPED,
    async () => {},
    async ({ from, to }) => median(await pingEach(from, to, effort.pings)),
  );
  return tablesOf({ rates, delays, effort, backend });
}

type Measure = (flow: Flow) => Promise<number>;

/** Both labs exist all the time. Which one is measured first alternates. */
async function inTurns(
  text: string,
  backend: DelayBackendName,
  interruption: Interruption,
  rounds: number,
  prepare: (flow: Flow) => Promise<void>,
  measure: Measure,
): Promise<Pair[]> {
  return withLab(text, backend, interruption, ({ place }) =>
    withBareLab(['a.0', 'b.0'], interruption, async ([a, b]) => {
      const [ours, bare] = [
        { from: place('a'), to: place('b') },
        { from: a!, to: b! },
      ];
      await prepare(bare);
      const pairs: Pair[] = [];
      for (let round = 0; round < rounds; round++) {
        const first = await measure(round % 2 === 0 ? ours : bare);
        const second = await measure(round % 2 === 0 ? bare : ours);
        pairs.push(round % 2 === 0 ? { netfold: first, bare: second } : { netfold: second, bare: first });
      }
      return pairs;
    }),
  );
}
