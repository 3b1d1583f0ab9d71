/** How soon a cause is named after it was provoked. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Place } from '../../controller/verify/traffic.ts';
import { NetfoldError } from '../../proto/errors.ts';
import type { Cause } from '../../proto/status.ts';
import { type Lab, withLab } from '../lab.ts';
import { median, range } from '../measure/statistics.ts';
import { least } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import { type VerdictBench, verdictOf } from './asked.ts';
import { DISTURBANCES, type Disturbance, holdsMs } from './disturbances.ts';
import { STARTS } from './starts.ts';
import { DISTURBED, HOSTS, UDP_SENDER } from './topologies.ts';

/** Those that the bench provokes. */
export const NAMED_CAUSES: readonly string[] = [
  ...new Set([...DISTURBANCES, ...STARTS].map(({ code }) => code)),
];

const ROUNDS = 2;
const BOUND_MS = 3000;
const PATIENCE_MS = 20_000;
const POLL_MS = 50;
/** After the start: flows are measured, and probed once at least; an agent that begins now begins late. */
const SETTLE_MS = 6000;
/** Between two disturbances, until nothing of the first is to be seen, or it is not worth more time. */
const CALM_MS = 15_000;

export async function measureNamed(bench: VerdictBench): Promise<Table> {
  const { quick, backend, causes, interruption, say } = bench;
  const rounds = quick ? 1 : ROUNDS;
  const isMeant = ({ code, isPossible }: Disturbance): boolean =>
    causes?.includes(code) !== false && isPossible?.(backend) !== false;
  const times = new Map([...DISTURBANCES, ...STARTS].filter(isMeant).map((one) => [one, [] as number[]]));
  const note = async (disturbance: Disturbance, lab: Lab): Promise<void> => {
    say(disturbance.what);
    times.get(disturbance)!.push(await timeUntilNamed(lab, disturbance, say));
  };
  for (let round = 1; round <= rounds; round++) {
    say(`round ${round} of ${rounds}`);
    await withLab(
      DISTURBED,
      backend,
      interruption,
      (lab) => oneByOne(lab, DISTURBANCES.filter(isMeant), note),
      HOSTS,
    );
    for (const start of STARTS.filter(isMeant))
      await withLab(DISTURBED, backend, interruption, (lab) => note(start, lab), HOSTS);
  }
  return {
    id: 'named',
    title: 'from a disturbance until its cause is named',
    backend,
    source: 'issue 16: each cause is named within 3 s, with the right host or path',
    method: `On ${HOSTS} emulated hosts with a stream of UDP datagrams, in each round one after the other in one lab; what is wrong from the start on has a lab of its own. From before the disturbance until \`netfold verdict\` names the cause, asked again as soon as it has answered; the latest round counts, and its host and path have to be right. A cause that counts only after it has gone on for some seconds (docs/fidelity.md) has these in addition. Of a cut behind the endpoint’s link, UDP says nothing: probes do. Not here: PLACE_WRONG, which needs containers, and what no machine can have provoked by itself (CPU_STOLEN, MEMORY_SHORT, TRAFFIC_UNCOUNTED).`,
    sampled: 'rounds',
    rows: Array.from(times, ([disturbance, found]) => rowOf(disturbance, found)),
  };
}

function rowOf({ code, what }: Disturbance, times: readonly number[]): Row {
  const known = times.filter(Number.isFinite);
  const isWhole = known.length === times.length;
  return least(`${code}: ${what}`, 'ms', BOUND_MS + holdsMs(code), {
    measured: Math.max(...times),
    ...{ spread: isWhole ? range(times) : null, samples: times.length },
    note: isWhole ? `median ${median(times).toFixed(0)} ms` : 'not named every time',
  });
}

async function oneByOne(
  lab: Lab,
  disturbances: readonly Disturbance[],
  note: (disturbance: Disturbance, lab: Lab) => Promise<void>,
): Promise<void> {
  const udp = startUdp(lab.place('a'), [lab.place('b').address]);
  try {
    await lab.experiment.run();
    await sleep(SETTLE_MS);
    for (const disturbance of disturbances) {
      await note(disturbance, lab);
      if (!disturbance.isForGood) await untilCalm(lab);
    }
  } finally {
    udp.kill('SIGKILL');
  }
}

async function untilCalm({ experiment }: Lab): Promise<void> {
  const deadline = performance.now() + CALM_MS;
  const isCalm = async (): Promise<boolean> =>
    (await verdictOf(experiment)).causes.every(({ until }) => until !== null);
  while (!(await isCalm()) && performance.now() < deadline) await sleep(POLL_MS);
}

/** ms; not a number where it was not named, or can't be provoked. */
async function timeUntilNamed(
  lab: Lab,
  disturbance: Disturbance,
  say: (text: string) => void,
): Promise<number> {
  try {
    return await provoked(lab, disturbance);
  } catch (error) {
    if (!(error instanceof NetfoldError) || error.code === 'INTERRUPTED') throw error;
    say(`${disturbance.code}: ${error.message}`);
    return Number.NaN;
  }
}

async function provoked(lab: Lab, { code, host, path, isThen, provoke }: Disturbance): Promise<number> {
  const { experiment } = lab;
  const { name } = experiment.plan.hosts[host]!;
  const found = async (): Promise<Cause[]> =>
    (await verdictOf(experiment)).causes.filter(
      (one) => one.code === code && one.host === name && one.path === path,
    );
  const before = new Set((await found()).map(({ since }) => since));
  const asked = performance.now();
  const undo = await provoke(lab);
  try {
    const started = isThen ? performance.now() : asked;
    for (;;) {
      const isNamed = (await found()).some(({ since }) => !before.has(since));
      const elapsed = performance.now() - started;
      if (isNamed) return elapsed;
      if (elapsed > PATIENCE_MS) return Number.NaN;
      await sleep(POLL_MS);
    }
  } finally {
    await undo();
  }
}

export function startUdp({ namespace }: Place, addresses: readonly string[]): ChildProcess {
  const words = ['netns', 'exec', namespace, 'perl', '-e', UDP_SENDER, ...addresses];
  return spawn('ip', words, { stdio: 'ignore' });
}
