/** The fault suite: agents of four hosts are killed, stopped and disconnected. Measures how soon they agree again. */
import { chooseDelayBackend } from '../../agent/linux/delay/delay-backend.ts';
import { probeMachine } from '../../agent/linux/probe/probe.ts';
import { requireAbilities } from '../../controller/machine/abilities.ts';
import { hostName } from '../../controller/names.ts';
import { lab } from '../../controller/platform/lab/lab.ts';
import { BenchError } from '../errors.ts';
import { type Interruption, type Lab, withLab } from '../lab.ts';
import type { Table } from '../report/model.ts';
import { BOUND_MS } from './agreement.ts';
import { canHang } from './hangs.ts';
import { HostDates } from './host-dates.ts';
import { describeFault, type Fault, KINDS, type Kind, planFaults } from './plan.ts';
import { canBoundMemory } from './shortages.ts';
import { onSmallDisk } from './small-disk.ts';
import { FaultSuite, type Outcome } from './suite.ts';
import { tableOf } from './table.ts';
import { FAULTS_TOPOLOGY, HOSTS, SIZES } from './topology.ts';
import { Traces } from './traces.ts';
import { FaultTraffic } from './traffic.ts';

export const FAULTS = 221;
const QUICK_FAULTS = 34;

export interface FaultsOptions {
  readonly quick: boolean;
  readonly count?: number | undefined;
  readonly seed: number;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

/**
 * Throws `DELAY_BACKEND_MISSING`, `MACHINE_CANNOT`, or `RESULT_WRONG` if agents never agreed before the first fault.
 */
export async function measureFaults(options: FaultsOptions): Promise<Table[]> {
  const { quick, count = quick ? QUICK_FAULTS : FAULTS, seed, interruption, say } = options;
  const abilities = probeMachine();
  requireAbilities(abilities);
  const backend = chooseDelayBackend('auto', abilities);
  const kinds = possibleKinds();
  const impossible = KINDS.filter((kind) => !kinds.includes(kind));
  if (impossible.length > 0)
    say(`not on this machine, which lacks control groups of version 1: ${impossible.join(', ')}`);
  const faults = planFaults(count, seed, SIZES, kinds);
  const dates = new HostDates(HOST_NAMES);
  let traces: Traces | undefined;
  const use = (running: Lab): Promise<Outcome[]> => {
    traces = new Traces(running.experiment.name);
    return runFaults({ faults, seed, dates, say }, running);
  };
  const made = withLab(FAULTS_TOPOLOGY, backend, interruption, use, HOSTS, onSmallDisk(lab));
  const outcomes = await made.finally(() => dates.stop());
  const left = traces?.left() ?? [];
  for (const one of left) say(`left over: ${one}`);
  return [tableOf(outcomes, left, backend, seed)];
}

/** All, or those that need no control groups of version 1, as these stop single threads and bound the memory of a process. */
export function possibleKinds(): readonly Kind[] {
  const needGroups: readonly Kind[] = ['hang', 'memory', 'mixed'];
  return canHang() && canBoundMemory() ? KINDS : KINDS.filter((kind) => !needGroups.includes(kind));
}

/** The names that the lab uses (controller/names.ts). */
export const HOST_NAMES: readonly string[] = Array.from({ length: HOSTS }, (_, index) => hostName(index));

export interface FaultRun {
  readonly faults: readonly Fault[];
  readonly seed: number;
  /** Made before the lab. */
  readonly dates: HostDates;
  readonly say: (text: string) => void;
}

/** One after the other, in a lab that is not running yet. */
export async function runFaults(
  { faults, seed, dates, say }: FaultRun,
  { experiment, place }: Lab,
): Promise<Outcome[]> {
  await experiment.run();
  const traffic = new FaultTraffic();
  const suite = new FaultSuite(experiment, dates, seed);
  try {
    await traffic.start(place);
    const began = await suite.agree(performance.now());
    if (!(began.agreementMs < BOUND_MS))
      throw new BenchError(
        'RESULT_WRONG',
        `the agents don't agree before any fault: ${began.last.join('\n')}`,
      );
    const outcomes: Outcome[] = [];
    for (const [index, fault] of faults.entries()) {
      const outcome = await suite.run(fault);
      outcomes.push(outcome);
      say(`${index + 1}/${faults.length} ${describeOutcome(outcome)}`);
    }
    return outcomes;
  } finally {
    await traffic.stop();
    await suite.stop();
  }
}

/** The fault and its outcome; and, if agreement took too long, the last differences. */
export function describeOutcome({ fault, agreementMs, isTold, last }: Outcome): string {
  const told = isTold && agreementMs >= BOUND_MS ? ', and told,' : '';
  const wrong = agreementMs < BOUND_MS ? '' : `\n  ${last.slice(0, 5).join('\n  ')}`;
  return `${Math.round(agreementMs)} ms${told} after ${describeFault(fault)}${wrong}`;
}
