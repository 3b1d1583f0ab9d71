/** How soon a cause is named after it was provoked. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Place } from '../../controller/verify/traffic.ts';
import { type Lab, withLab } from '../lab.ts';
import { median, range } from '../measure/statistics.ts';
import { least } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import { type VerdictBench, verdictOf } from './asked.ts';
import { DISTURBANCES, type Disturbance, holdsMs } from './disturbances.ts';
import { DISTURBED, HOSTS, UDP_SENDER } from './topologies.ts';

const ROUNDS = 3;
const BOUND_MS = 3000;
const PATIENCE_MS = 20_000;
const POLL_MS = 50;
/** After the start: flows are measured, and probed once at least; an agent that begins now begins late. */
const SETTLE_MS = 6000;

export async function measureNamed({ quick, backend, interruption, say }: VerdictBench): Promise<Table> {
  const rounds = quick ? 1 : ROUNDS;
  const rows: Row[] = [];
  for (const disturbance of DISTURBANCES) {
    if (disturbance.isPossible?.() === false) continue;
    const times: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      say(`${disturbance.what}, round ${round} of ${rounds}`);
      times.push(
        await withLab(DISTURBED, backend, interruption, (lab) => timeUntilNamed(lab, disturbance), HOSTS),
      );
    }
    const known = times.filter(Number.isFinite);
    rows.push(
      least(`${disturbance.code}: ${disturbance.what}`, 'ms', BOUND_MS + holdsMs(disturbance.code), {
        measured: Math.max(...times),
        ...{ spread: known.length === times.length ? range(times) : null, samples: times.length },
        note:
          known.length === times.length ? `median ${median(times).toFixed(0)} ms` : 'not named every time',
      }),
    );
  }
  return {
    id: 'named',
    title: 'from a disturbance until its cause is named',
    backend,
    source: 'issue 16: each cause is named within 3 s, with the right host or path',
    method: `On ${HOSTS} emulated hosts with a stream of UDP datagrams, each round in a lab of its own. From before the disturbance until \`netfold verdict\` names the cause, asked again as soon as it has answered; the latest round counts, and its host and path have to be right. A cause that counts only after it has gone on for some seconds (docs/fidelity.md) has these in addition. Of a cut behind the endpoint’s link, UDP says nothing: probes do.`,
    sampled: 'rounds',
    rows,
  };
}

async function timeUntilNamed(lab: Lab, { code, host, path, provoke }: Disturbance): Promise<number> {
  const { experiment, place } = lab;
  const udp = startUdp(place('a'), [place('b').address]);
  const { name } = experiment.plan.hosts[host]!;
  try {
    await experiment.run();
    await sleep(SETTLE_MS);
    const started = performance.now();
    const undo = await provoke(lab);
    try {
      for (;;) {
        const { causes } = await verdictOf(experiment);
        const elapsed = performance.now() - started;
        if (causes.some((one) => one.code === code && one.host === name && one.path === path)) return elapsed;
        if (elapsed > PATIENCE_MS) return Number.NaN;
        await sleep(POLL_MS);
      }
    } finally {
      await undo();
    }
  } finally {
    udp.kill('SIGKILL');
  }
}

export function startUdp({ namespace }: Place, addresses: readonly string[]): ChildProcess {
  const words = ['netns', 'exec', namespace, 'perl', '-e', UDP_SENDER, ...addresses];
  return spawn('ip', words, { stdio: 'ignore' });
}
