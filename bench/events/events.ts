/**
 * The events bench: the time from the instant of an event until it is in force in the kernel, and whether it grows.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { chooseDelayBackend } from '../../agent/linux/delay/delay-backend.ts';
import { type DelayBackendName, probeMachine } from '../../agent/linux/probe/probe.ts';
import { requireAbilities } from '../../controller/machine/abilities.ts';
import { secondsToMillis } from '../../proto/units.ts';
import { loadTopology } from '../../topology/load.ts';
import { type Interruption, withLab } from '../lab.ts';
import { agentRecords } from '../measure/agent-records.ts';
import { median, quantile, range } from '../measure/statistics.ts';
import { judge, triedTable } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import { dueTimes, type Lags, lagsOf } from './lags.ts';
import { flapping, MANY_END, manyEvents } from './topologies.ts';

const HOSTS = 2;
const BOUND_MS = 10;
/** Of 199 instants, two are one in a hundred. In a single run, one pause of the machine would decide. */
const ROUNDS = 5;
/** After the last event, so that the agents can finish it. */
const AFTER_MS = 500;
/** How many toggles are compared at both ends of a flap. */
const END_TOGGLES = 50;

export interface EventsOptions {
  readonly quick: boolean;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

/** Throws `DELAY_BACKEND_MISSING` or `MACHINE_CANNOT` before anything is measured. */
export async function measureEvents({ quick, interruption, say }: EventsOptions): Promise<Table[]> {
  const abilities = probeMachine();
  requireAbilities(abilities);
  const backend = chooseDelayBackend('auto', abilities);
  const flapSeconds = quick ? 15 : 60;
  const measure = (text: string, seconds: number): Promise<Lags[][]> =>
    run(text, seconds, backend, interruption);
  const rounds = quick ? 1 : ROUNDS;
  const many = await triedTable(async () => {
    const hosts: Lags[][] = Array.from({ length: HOSTS }, () => []);
    for (let round = 1; round <= rounds; round++) {
      say(`200 events in 10 s, round ${round} of ${rounds}`);
      const lags = await measure(manyEvents(), MANY_END);
      for (const [host, ofHost] of lags.entries()) hosts[host]!.push(...ofHost);
    }
    return manyTable(backend, hosts, rounds);
  });
  const flap = await triedTable(async () => {
    say(`a link that flaps every 100 ms for ${flapSeconds} s`);
    return flapTable(backend, await measure(flapping(flapSeconds), 2 + flapSeconds), flapSeconds);
  });
  return [many, flap];
}

/** The lags of each host. */
async function run(
  text: string,
  seconds: number,
  backend: DelayBackendName,
  interruption: Interruption,
): Promise<Lags[][]> {
  const due = dueTimes(loadTopology(text, 'bench.yaml').topology);
  return withLab(
    text,
    backend,
    interruption,
    async ({ experiment }) => {
      const startAt = await experiment.run();
      await sleep(startAt + secondsToMillis(seconds) + AFTER_MS - Date.now());
      return (await agentRecords(experiment)).map(({ events }) => lagsOf(due, events));
    },
    HOSTS,
  );
}

function manyTable(backend: DelayBackendName, hosts: readonly Lags[][], rounds: number): Table {
  const skews = hosts[0]!.map(({ appliedMs }, index) => Math.abs(appliedMs - hosts[1]![index]!.appliedMs));
  return {
    id: 'many',
    title: '200 events within 10 s on two hosts with 20 endpoints',
    backend,
    source: 'issue 4: 99 % within 10 ms of when they are due',
    method: `Changes of links, disconnects and reconnects, and a link that flaps, with four TCP flows at the same time; ${rounds} times, each in a lab of its own. From the instant of an event until it is in force in the kernel, by the agents’ own record. Skew: the difference between the two hosts, of the same instant; in the lab they have one clock.`,
    sampled: 'instants at which something is due',
    rows: [
      ...hosts.flatMap((lags, host) => [
        rowOf(
          `host${host}: bandwidth, 99 %`,
          lags.map(({ appliedMs }) => appliedMs),
          0.99,
        ),
        rowOf(
          `host${host}: and delays, 99 %`,
          lags.map(({ settledMs }) => settledMs),
          0.99,
        ),
      ]),
      rowOf('skew between the hosts, 99 %', skews, 0.99),
    ],
  };
}

function flapTable(backend: DelayBackendName, hosts: readonly Lags[][], seconds: number): Table {
  return {
    id: 'flap',
    title: `a link that flaps every 100 ms for ${seconds} s`,
    backend,
    source: 'issue 4: a flap keeps its times',
    method: `From when a toggle is due to when it is in force, delays and all. Drift: the median of the last ${END_TOGGLES} less that of the first ${END_TOGGLES}.`,
    sampled: 'toggles',
    rows: hosts.flatMap((lags, host) => {
      const times = lags.map(({ settledMs }) => settledMs);
      const drift = median(times.slice(-END_TOGGLES)) - median(times.slice(0, END_TOGGLES));
      return [
        rowOf(`host${host}: 99 %`, times, 0.99),
        judge(target(`host${host}: drift`), { measured: drift, spread: null, samples: times.length }),
      ];
    }),
  };
}

function target(what: string) {
  return { what, unit: 'ms', target: 0, bound: { kind: 'absolute', value: BOUND_MS } } as const;
}

/** One instant without effect is enough to fail the row. */
function rowOf(what: string, times: readonly number[], probability: number): Row {
  const areAll = times.every(Number.isFinite);
  return judge(target(what), {
    measured: areAll ? quantile(times, probability) : Number.NaN,
    spread: areAll ? range(times) : null,
    samples: times.length,
    note: areAll ? `median ${median(times).toFixed(3)} ms` : 'not all were done',
  });
}
