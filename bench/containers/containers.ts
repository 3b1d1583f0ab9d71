/** The containers bench: how long does each container of an experiment take, beside one of the engine alone? */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { AtMost } from '../../agent/containers/at-most.ts';
import { EngineRequests } from '../../agent/containers/engine-requests.ts';
import { Experiment } from '../../controller/experiment/experiment.ts';
import { docker } from '../../controller/platform/docker/docker.ts';
import { engineSocket } from '../../controller/platform/docker/engine-socket.ts';
import { pauseArchive } from '../../controller/platform/docker/pause-image.ts';
import type { PlannedEndpoint } from '../../controller/platform/port/plan.ts';
import { loadTopology } from '../../topology/load.ts';
import type { Interruption } from '../lab.ts';
import { judge, least, reported } from '../report/judge.ts';
import type { Table } from '../report/model.ts';

const run = promisify(execFile);

const IMAGE = 'netfold-bench:1';
const CONTAINERS = 200;
const QUICK_CONTAINERS = 20;
/** As netfold asks for them. */
const AT_ONCE = 8;
/** An endpoint is two containers of the engine, and is shaped besides. */
const MOST_FACTOR = 4;
const LATENCY_MS = 10;
const POLL_MS = 200;

export interface ContainersOptions {
  readonly quick: boolean;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

/** Needs root and an engine, that of `DOCKER_HOST` or the usual one. Throws `ContainerError`, `EngineRequestError`. */
export async function measureContainers({ quick, interruption, say }: ContainersOptions): Promise<Table[]> {
  const count = quick ? QUICK_CONTAINERS : CONTAINERS;
  const requests = new EngineRequests(engineSocket());
  await makeImage(requests);
  try {
    say(`${count} containers of the engine alone`);
    const alone = await interruption.race(() => plainContainers(requests, count));
    say(`${count} endpoints of one experiment`);
    const made = await experiment(count, interruption);
    return [table(count, alone, made)];
  } finally {
    await requests.send('DELETE', `/images/${IMAGE}?force=1`).catch(() => {});
  }
}

async function makeImage(requests: EngineRequests): Promise<void> {
  const [name, tag] = IMAGE.split(':');
  const changes = encodeURIComponent('CMD ["/pause"]');
  const path = `/images/create?fromSrc=-&repo=${name}&tag=${tag}&changes=${changes}`;
  await requests.send('POST', path, { body: pauseArchive() });
}

/** What `docker run --detach` asks the engine for; in milliseconds, of all. */
async function plainContainers(requests: EngineRequests, count: number): Promise<number> {
  const turns = new AtMost(AT_ONCE);
  const ids: string[] = [];
  const began = performance.now();
  try {
    await Promise.all(
      Array.from({ length: count }, () =>
        turns.run(async () => {
          const { Id } = (await requests.send('POST', '/containers/create', { body: { Image: IMAGE } })) as {
            Id: string;
          };
          ids.push(Id);
          await requests.send('POST', `/containers/${Id}/start`);
        }),
      ),
    );
    return performance.now() - began;
  } finally {
    await Promise.all(
      ids.map((id) => turns.run(() => requests.send('DELETE', `/containers/${id}?force=1`)).catch(() => {})),
    );
  }
}

interface Times {
  readonly shapedMs: number;
  readonly runningMs: number;
  readonly removedMs: number;
  /** Endpoints from which the next one was reached, no sooner than the topology says. */
  readonly reached: number;
}

async function experiment(count: number, interruption: Interruption): Promise<Times> {
  const text = `services: { a: { image: "${IMAGE}", replicas: ${count} } }
bridges: [s]
links: [{ from: a, to: s, latency: ${LATENCY_MS}ms, bandwidth: 10Mbps }]
`;
  const file = 'bench.yaml';
  const { topology } = loadTopology(text, file);
  const began = performance.now();
  const made = await Experiment.start({
    ...{ name: `bench-${process.pid}`, platform: docker, topology, source: { file, text } },
    placement: { make: true, pull: false, ipv6: false },
  });
  let removing = 0;
  let times: Omit<Times, 'removedMs'>;
  try {
    const shapedMs = performance.now() - began;
    times = await interruption.race(async () => {
      await made.run();
      const from = performance.now();
      while ((await runningIn(made)) < count) await sleep(POLL_MS);
      return { shapedMs, runningMs: performance.now() - from, reached: await reached(made.plan.endpoints) };
    });
  } finally {
    removing = performance.now();
    await made.stop();
  }
  return { ...times, removedMs: performance.now() - removing };
}

async function runningIn(made: Experiment): Promise<number> {
  const statuses = await made.statuses();
  return statuses
    .flatMap(({ processes }) => Object.values(processes))
    .filter((one) => one.startsWith('container')).length;
}

async function reached(endpoints: readonly PlannedEndpoint[]): Promise<number> {
  const turns = new AtMost(AT_ONCE);
  const all = await Promise.all(
    endpoints.map((from, index) =>
      turns.run(async () => {
        const to = endpoints[(index + 1) % endpoints.length]!;
        const words = ['netns', 'exec', from.namespace, 'ping', '-c', '2', '-W', '5', to.address];
        const { stdout } = await run('ip', words).catch(() => ({ stdout: '' }));
        const least = Number(/= ([\d.]+)\//.exec(stdout)?.[1] ?? 0);
        return least >= 4 * LATENCY_MS;
      }),
    ),
  );
  return all.filter(Boolean).length;
}

function table(
  count: number,
  aloneMs: number,
  { shapedMs, runningMs, removedMs, reached: there }: Times,
): Table {
  const one = { spread: null, samples: count };
  const each = (ms: number): number => ms / count;
  return {
    id: 'containers',
    title: `${count} containers in one experiment`,
    source:
      'issue 14: 200 containers up, shaped, reachable, with the time per container beside docker run alone',
    method: `The image has one program, which waits. Alone: created and started as \`docker run --detach\` does it, ${AT_ONCE} at a time, in the engine's usual network. With netfold: from the command until all endpoints are shaped, then until all applications run, ${AT_ONCE} at a time. Each endpoint then pings the next one.`,
    sampled: 'containers',
    rows: [
      reported('alone, for each', 'ms', { ...one, measured: each(aloneMs) }),
      reported('made and shaped, for each', 'ms', { ...one, measured: each(shapedMs) }),
      reported('application started, for each', 'ms', { ...one, measured: each(runningMs) }),
      judge(
        {
          what: 'all of it, beside alone',
          unit: 'factor',
          target: 1,
          bound: { kind: 'absolute', value: MOST_FACTOR - 1, bad: 'above' },
        },
        { ...one, measured: (shapedMs + runningMs) / aloneMs },
      ),
      reported('removed, for each', 'ms', { ...one, measured: each(removedMs) }),
      least('not reached, or too soon', 'count', 0, { ...one, measured: count - there }),
    ],
  };
}
