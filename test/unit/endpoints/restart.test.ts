/** `restart` of a service: what is started again, how soon, and when not. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CommandEnd, CommandRun } from '../../../agent/endpoints/processes.ts';
import { Backoff, isStartedAgain } from '../../../agent/endpoints/restart-policy.ts';
import { AgentLab, endpoint, type LabAgent } from '../../support/fakes/agent-lab.ts';

const TOPOLOGY = `
services:
  a: { run: "serve", restart: always }
  f: { run: "try", restart: on-failure }
  n: { run: "once" }
bridges: [s]
links:
  - { from: a, to: s, latency: 10ms }
  - { from: f, to: s, latency: 10ms }
  - { from: n, to: s, latency: 10ms }
events:
  - at 100s crash a
  - at 110s join a
  - at 120s leave f
  - at 130s run n "other"
`;
const A = endpoint(0, 'a.0', '10.1.0.1');
const F = endpoint(1, 'f.0', '10.1.0.2');
const N = endpoint(2, 'n.0', '10.1.0.3');
const SETTLED_MS = 3000;

let lab: AgentLab;
let agent: LabAgent;

beforeEach(async () => {
  lab = new AgentLab(TOPOLOGY);
  agent = await lab.start('host0', [A, F, N]);
  await lab.clock.advance(SETTLED_MS);
  lab.runAll(0);
  await lab.clock.advance(10);
});

afterEach(() => lab.stop());

const starts = (command: string): number =>
  agent.processes.done.filter((line) => line.endsWith(`: ${command}`)).length;
const status = (name: string): string | undefined => agent.door.status().processes[name];

test('the delays double up to ten seconds, and begin anew after a long run', () => {
  const backoff = new Backoff();
  const delays = Array.from({ length: 9 }, () => backoff.after(0));
  expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
  expect(backoff.after(9_999)).toBe(10_000);
  expect([backoff.after(10_000), backoff.after(0)]).toEqual([100, 200]);
});

test.each([
  ['no', [false, false, false]],
  ['on-failure', [false, true, true]],
  ['always', [true, true, true]],
] as const)('%s', (policy, expected) => {
  const ends = [false, true, undefined].map((isFailure): CommandEnd => ({ how: 'x', isFailure }));
  expect(ends.map((end) => isStartedAgain(policy, end))).toEqual(expected);
});

describe('a command that ends', () => {
  test('is started again whatever its code, with growing delays, and status says so', async () => {
    expect(status('a.0')).toBe('pid 1');
    agent.processes.exit('a.0', 0);
    expect(status('a.0')).toBe('exited with 0, starts again after 0.1 s');
    await lab.clock.advance(90);
    expect(starts('serve')).toBe(1);
    await lab.clock.advance(20);
    expect(starts('serve')).toBe(2);
    expect(status('a.0')).toBe('pid 1, started again 1 time, the last time it exited with 0');
    agent.processes.exit('a.0', 3);
    expect(status('a.0')).toBe('exited with 3, started again 1 time, starts again after 0.2 s');
    await lab.clock.advance(190);
    expect(starts('serve')).toBe(2);
    await lab.clock.advance(20);
    expect(starts('serve')).toBe(3);
    // What held its ports is gone before.
    expect(agent.processes.done.filter((line) => line === 'SIGKILL rest of a.0')).toHaveLength(2);
  });

  test('in a loop is started some 13 times in its first minute', async () => {
    for (let step = 0; step < 600; step++) {
      agent.processes.exit('a.0', 1);
      await lab.clock.advance(100);
    }
    expect(starts('serve')).toBeGreaterThan(8);
    expect(starts('serve')).toBeLessThan(16);
  });

  test('well is not started again on failure only', async () => {
    agent.processes.exit('f.0', 2);
    await lab.clock.advance(150);
    expect(starts('try')).toBe(2);
    agent.processes.exit('f.0', 0);
    await lab.clock.advance(20_000);
    expect(starts('try')).toBe(2);
    expect(status('f.0')).toBe('exited with 0, started again 1 time');
  });

  test('stays ended without a policy', async () => {
    agent.processes.exit('n.0', 1);
    await lab.clock.advance(20_000);
    expect(starts('once')).toBe(1);
  });

  test('is not started again while its endpoint is away, and begins anew with it', async () => {
    await lab.clock.advance(99_900);
    for (let step = 0; step < 3; step++) {
      agent.processes.exit('a.0', 1);
      await lab.clock.advance(20);
    }
    const before = starts('serve');
    await lab.clock.advance(9_000);
    expect(starts('serve')).toBe(before);
    await lab.clock.advance(1_200);
    expect(starts('serve')).toBe(before + 1);
    expect(status('a.0')).toBe('pid 1');
    agent.processes.exit('a.0', 1);
    expect(status('a.0')).toBe('exited with 1, starts again after 0.1 s');
  });

  test('after a leave stays ended; so does the command of an event', async () => {
    await lab.clock.advance(131_000);
    agent.processes.exit('f.0', 1);
    agent.processes.exit('n.0', 1);
    await lab.clock.advance(20_000);
    expect([starts('try'), starts('other')]).toEqual([1, 1]);
  });

  test('is not started again once the agent stops', async () => {
    agent.processes.exit('a.0', 1);
    await agent.lifecycle.stop();
    await lab.clock.advance(20_000);
    expect(starts('serve')).toBe(1);
  });
});

test('a command that can not be started is tried again, and the agent goes on', async () => {
  agent.processes.refusal = new Error('no space left');
  agent.processes.exit('a.0', 1);
  await lab.clock.advance(150);
  expect(status('a.0')).toBe('failed: no space left, started again 1 time, starts again after 0.2 s');
  agent.processes.refusal = undefined;
  await lab.clock.advance(250);
  expect(status('a.0')).toMatch(/^pid 1, started again 2 times, the last time it failed: no space left/);
});

describe('the agent after a killed one', () => {
  const succeed = async (earlier: ReadonlyMap<string, readonly CommandRun[]>): Promise<void> => {
    agent.kill();
    const { startAt = lab.clock.wallNow() } = agent.parts.bootstrap;
    const next = await lab.compose('host0', [A, F, N], { startAt });
    next.processes.earlier = earlier;
    await next.lifecycle.start();
    agent = next;
    await lab.clock.advance(SETTLED_MS);
  };
  const running = (startTime: number, waiting: ((end: CommandEnd) => void)[]): CommandRun => ({
    ...{ pid: 1, startTime, signal: () => {} },
    onEnd: (listener) => void waiting.push(listener),
  });

  test('starts what has ended meanwhile as the service says, and counts on', async () => {
    agent.processes.exit('a.0', 1);
    await lab.clock.advance(150);
    await succeed(new Map());
    expect(agent.processes.done.filter((line) => line.startsWith('start'))).toEqual([
      'start a.0: serve',
      'start f.0: try',
    ]);
    expect(status('a.0')).toMatch(/^pid 1, started again 2 times, .*ended while no agent ran$/);
  });

  test('leaves what runs, and starts it when it ends', async () => {
    const waiting: ((end: CommandEnd) => void)[] = [];
    // The second is another process with the same number.
    await succeed(
      new Map([
        ['a.0', [running(1, waiting)]],
        ['f.0', [running(2, [])]],
      ]),
    );
    expect(starts('serve')).toBe(0);
    expect(starts('try')).toBe(1);
    for (const listener of waiting) listener({ how: 'has ended', isFailure: undefined });
    await lab.clock.advance(150);
    expect(starts('serve')).toBe(1);
  });

  test('does not start what had ended well before', async () => {
    agent.processes.exit('f.0', 0);
    await succeed(new Map());
    expect(starts('try')).toBe(0);
  });

  test('starts again what left no readable word', async () => {
    writeFileSync(join(agent.parts.bootstrap.logFolder, 'a.0.service'), '{');
    await succeed(new Map());
    expect(starts('serve')).toBe(1);
  });
});
