/** Events that happen to a running experiment: to its paths, its endpoints and its applications. */
import { existsSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Experiment } from '../../../controller/experiment/experiment.ts';
import { logFile } from '../../../controller/names.ts';
import { ping } from '../../../controller/verify/traffic.ts';
import { place, runIn, startLab } from '../../support/lab/lab.ts';
import { LATE_MS } from '../../support/speed.ts';

const SETTLED_MS = 300;
const CLASS_OF_LATE = '4e46:4 ';

const TOPOLOGY = `
services:
  a: {}
  b: { run: "trap 'echo asked to end; exit' TERM; echo begins; while true; do sleep 0.05; done" }
  c: { run: "echo begins $(nice); sleep 1000" }
  late: { run: "echo begins; sleep 1000" }
bridges: [s]
links:
  - { from: a, to: s, latency: 10ms, up: 20Mbps, down: 8Mbps }
  - { from: b, to: s, latency: 5ms }
  - { from: c, to: s, latency: 5ms }
  - { from: late, to: s, latency: 5ms }
events:
  - at 4s set a--s latency=30ms
  - at 4s leave b--s
  - at 4s crash c
  - at 4s join late
  - at 8s join b--s
  - at 8s join c
  - at 8s partition a | b
  - at 8s run late "echo extra"
  - at 12s heal
  - at 12s disconnect c
  - at 12s leave late
  - at 16s reconnect c
  - at 16s signal b TERM
`;

/** Mean round trip from `a` in milliseconds; `undefined`: nothing came back. */
async function roundTrip(lab: Experiment, to: string): Promise<number | undefined> {
  const { received, medianMs } = await ping(place(lab, 'a'), place(lab, to), 5, 40);
  return received === 0 ? undefined : medianMs;
}

/** Round trips in different versions of the topology differ by at least this. */
const VERSIONS_APART_MS = 20;
const near = (milliseconds: number): unknown =>
  expect.toSatisfy(
    (value: number | undefined) => Math.abs((value ?? 0) - milliseconds) < VERSIONS_APART_MS / 2 + LATE_MS,
  );

it('happen when they are due, on both hosts, to everything that they name', { retry: 1 }, async () => {
  const lab = await startLab(TOPOLOGY, { hosts: 2 });
  const tc = async (): Promise<string> =>
    (
      await Promise.all(
        ['a', 'b', 'c'].map((node) => runIn(place(lab, node), 'tc', '-d', 'class', 'show', 'dev', 'eth0')),
      )
    )
      .map(({ out }) =>
        out
          .split('\n')
          // The class of an endpoint that left stays, and no target leads there.
          .filter((line) => !line.includes(CLASS_OF_LATE))
          .sort()
          .join('\n'),
      )
      .join('\n');
  const log = (node: string): string => readFileSync(logFile(lab.name, `${node}.0`), 'utf8');
  const status = async (node: string): Promise<string | undefined> =>
    (await lab.statuses()).map(({ processes }) => processes[`${node}.0`]).find((one) => one !== undefined);
  const startAt = await lab.run();
  const at = (seconds: number): Promise<void> =>
    sleep(Math.max(0, startAt + seconds * 1000 + SETTLED_MS - Date.now()));
  const seen = async (): Promise<(number | undefined)[]> =>
    Promise.all(['b', 'c', 'late'].map((to) => roundTrip(lab, to)));

  await at(0);
  expect(await seen()).toEqual([near(30), near(30), undefined]);
  const before = await tc();

  await at(4);
  expect(await seen()).toEqual([undefined, undefined, near(70)]);
  expect(await status('c')).toBe('ended by SIGKILL');
  expect(log('late')).toBe('begins\n');

  await at(8);
  expect(await seen()).toEqual([undefined, near(70), near(70)]);
  // Agents are raised above ordinary processes, also above those of other sessions; what they start is not.
  if (existsSync('/proc/self/autogroup'))
    for (const { pid } of lab.agents)
      expect(readFileSync(`/proc/${pid}/autogroup`, 'utf8')).toMatch(/nice -20$/m);
  expect(log('c')).toBe(`begins ${getPriority()}\n`.repeat(2));
  expect(log('late')).toBe('begins\nextra\n');

  await at(12);
  expect(await seen()).toEqual([near(70), undefined, undefined]);
  expect(await status('c')).toMatch(/^pid /);
  expect(await status('late')).toBe('ended by SIGTERM');

  await at(16);
  expect(await seen()).toEqual([near(70), near(70), undefined]);
  expect(log('b')).toMatch(/^begins\n.*asked to end\n$/s);
  for (const { epoch, events } of await lab.statuses()) {
    expect(epoch).toBe(4);
    expect(events.count).toBe(4);
  }
  // But for the latency, which stays, all is as it was.
  expect(await tc()).toBe(before);
});
