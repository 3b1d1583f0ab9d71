/** A life begins when the former one has ended, and has its network from then on. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NO_PATH } from '../../../agent/enforce/interface-state.ts';
import { AgentLab, endpoint, type LabAgent } from '../../support/fakes/agent-lab.ts';

const TOPOLOGY = `
services:
  a: { run: "send" }
  b: {}
bridges: [s]
links:
  - { from: a, to: s, latency: 10ms }
  - { from: b, to: s, latency: 10ms }
events:
  - at 10s leave a
  - at 11s join a
  - at 14s crash a
  - at 20s join a
  - at 30s crash a
  - at 30s join a
`;
const A = endpoint(0, 'a.0', '10.1.0.1');
const B = endpoint(1, 'b.0', '10.1.0.2');
const SETTLED_MS = 3000;
const WAITS = 'starts when its former processes have ended';

let lab: AgentLab;
let agent: LabAgent;
let endFormer: () => void;
let began: number;

beforeEach(async () => {
  lab = new AgentLab(TOPOLOGY);
  agent = await lab.start('host0', [A, B]);
  await lab.clock.advance(SETTLED_MS);
  began = lab.clock.now();
  lab.runAll(0);
  const { promise, resolve } = Promise.withResolvers<void>();
  agent.processes.dying = promise;
  endFormer = resolve;
});

afterEach(() => lab.stop());

const at = (seconds: number): Promise<void> =>
  lab.clock.advance(began + seconds * 1000 + 500 - lab.clock.now());
const isConnected = (): boolean => agent.kernel.tc.read(A).targets.get('10.1.0.2') !== NO_PATH;
const started = (): number => agent.processes.done.filter((line) => line.startsWith('start ')).length;

test('a join before the end of a leave waits, without a network', async () => {
  await at(9);
  expect([started(), isConnected()]).toEqual([1, true]);
  await at(12);
  expect([started(), isConnected()]).toEqual([1, false]);
  expect(agent.door.status().processes['a.0']).toBe(WAITS);
  endFormer();
  await at(13);
  expect([started(), isConnected()]).toEqual([2, true]);
  expect(agent.processes.done).toEqual(['start a.0: send', 'end a.0', 'start a.0: send']);
});

test('a life that never began because of a crash is not started', async () => {
  await at(15);
  endFormer();
  await at(16);
  expect([started(), isConnected()]).toEqual([1, false]);
  await at(21);
  expect([started(), isConnected()]).toEqual([2, true]);
});

test('a restart at one instant cuts the network in between', async () => {
  endFormer();
  await at(29);
  const before = started();
  const { promise, resolve } = Promise.withResolvers<void>();
  agent.processes.dying = promise;
  await at(31);
  expect([started(), isConnected()]).toEqual([before, false]);
  resolve();
  await at(32);
  expect([started(), isConnected()]).toEqual([before + 1, true]);
});
