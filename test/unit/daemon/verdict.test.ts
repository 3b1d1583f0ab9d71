/** The verdict of whole agents on a manual clock. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AgentVerdict, Cause } from '../../../proto/status.ts';
import { AgentLab, endpoint, type LabAgent } from '../../support/fakes/agent-lab.ts';

const TOPOLOGY = `
services: { a: {}, b: {}, server: {} }
bridges: [s1]
links:
  - { from: a, to: s1, latency: 15ms, bandwidth: 10Mbps }
  - { from: b, to: s1, latency: 10ms, bandwidth: 10Mbps }
  - { from: s1, to: server, latency: 10ms, bandwidth: 50Mbps }
events:
  - at 20s set s1--server up=20Mbps
`;

let lab: AgentLab;
let first: LabAgent;
let second: LabAgent;

beforeEach(async () => {
  lab = new AgentLab(TOPOLOGY);
  first = await lab.start('host0', [endpoint(0, 'a.0', '10.1.0.1'), endpoint(1, 'b.0', '10.1.0.2')]);
  second = await lab.start('host1', [endpoint(2, 'server.0', '10.2.0.2')]);
  await lab.clock.advance(3000);
});

afterEach(() => lab.stop());

const verdict = ({ door }: LabAgent): AgentVerdict => door.status().verdict!;
const codes = (agent: LabAgent): string[] => verdict(agent).causes.map(({ code }) => code);
const only = (agent: LabAgent): Cause => {
  expect(codes(agent)).toHaveLength(1);
  return verdict(agent).causes[0]!;
};
const begin = async (): Promise<void> => {
  lab.runAll(500);
  await lab.clock.advance(2000);
};

test('undisturbed, a run is faithful since its start, through its events', async () => {
  await begin();
  const { since } = verdict(first);
  await lab.clock.advance(40_000);
  for (const agent of [first, second])
    expect(verdict(agent)).toEqual({
      verdict: 'faithful',
      now: 'faithful',
      since: expect.any(String),
      causes: [],
      forgotten: 0,
    });
  expect(verdict(first).since).toBe(since);
});

test('what was before the start does not count', async () => {
  first.kernel.uncounted = 7;
  await lab.clock.advance(2000);
  expect(codes(first)).toEqual(['TRAFFIC_UNCOUNTED']);
  await begin();
  expect(codes(first)).toEqual([]);
});

test('a host that falls silent is named by the others, with its beginning and its end', async () => {
  await begin();
  second.kill();
  await lab.clock.advance(5000);
  const { host, until, since, weight } = only(first);
  expect(only(first)).toMatchObject({ code: 'HOST_SILENT', message: expect.stringContaining('host1') });
  expect([host, until, weight]).toEqual(['host1', null, 'degraded']);
  expect(lab.clock.wallNow() - Date.parse(since)).toBeGreaterThan(3000);
  expect(first.parts.runLog.of('cause')).toMatchObject([
    { code: 'HOST_SILENT', host: 'host1', present: true },
  ]);
});

test('a rule that somebody removes is a cause at its endpoint, and proof begins anew', async () => {
  await begin();
  const proofOf = () => first.door.verdict().endpoints.find((one) => one.endpoint === 'a.0')!;
  const before = proofOf();
  expect(before).toMatchObject({
    host: 'host0',
    inForceSince: expect.any(String),
    readBackAt: expect.any(String),
  });
  await lab.clock.advance(1000);
  expect(proofOf().inForceSince).toBe(before.inForceSince);
  expect(proofOf().readBackAt! > before.readBackAt!).toBe(true);
  first.kernel.tc.apply(first.parts.local.get(0)!, [{ op: 'delete-root', reason: 'somebody' }]);
  first.kernel.changes.changed.add(0);
  await lab.clock.advance(1500);
  expect(only(first)).toMatchObject({ code: 'RULES_CHANGED', path: 'a.0 > *', until: null });
  expect(proofOf().inForceSince! > before.inForceSince!).toBe(true);
  await lab.clock.advance(5000);
  expect(only(first).until).toEqual(expect.any(String));
  expect(verdict(first)).toMatchObject({ verdict: 'degraded', now: 'faithful' });
  expect(codes(second)).toEqual([]);
});

test('a delay backend that fails makes the run invalid', async () => {
  await begin();
  first.kernel.delay.failure = 'nothing is delayed or lost any more';
  await lab.clock.advance(1500);
  expect(verdict(first)).toMatchObject({ verdict: 'invalid', now: 'invalid' });
  expect(only(first)).toMatchObject({ code: 'NOT_ENFORCED', path: null });
});

test('regular work that fails is a cause, and what is wrong at the place', async () => {
  await begin();
  const { usage } = first.kernel;
  const { read } = usage;
  usage.read = () => {
    throw new Error('ENOMEM');
  };
  first.door.setProblems(['a.0 is not there']);
  await lab.clock.advance(2000);
  expect(codes(first).sort()).toEqual(['PLACE_WRONG', 'WORK_FAILS']);
  usage.read = read;
  first.door.setProblems([]);
  await lab.clock.advance(5000);
  expect(verdict(first).now).toBe('faithful');
});

test('an agent that begins in the middle says that nobody has judged what was before', async () => {
  await begin();
  await lab.clock.advance(30_000);
  second.kill();
  const again = await lab.start('host1', [endpoint(2, 'server.0', '10.2.0.2')]);
  const isJudged = () => again.parts.keeper.isShaped && again.lifecycle.state === 'running';
  while (!isJudged()) await lab.clock.advance(10);
  expect(codes(again)).toEqual(['AGENT_LATE']);
  await lab.clock.advance(5000);
  expect(codes(again)).toEqual(['AGENT_LATE']);
  expect(only(again).measured).toBeGreaterThan(20_000);
});

test('an agent that had all in force at the start is not late, however late it begins to judge', async () => {
  await lab.clock.advance(10_000);
  // As one that is told late, or whose applications take so long to start.
  for (const { lifecycle } of [first, second]) lifecycle.run(lab.clock.wallNow() - 7000);
  await lab.clock.advance(4000);
  expect([first, second].map((agent) => [agent.lifecycle.state, ...codes(agent)])).toEqual([
    ['running'],
    ['running'],
  ]);
});

test('an agent that takes long to answer is named by those who ask it', async () => {
  await begin();
  lab.network.delayMs = [350, 350];
  // A request a second, three in a row that take 0.7 s, and the look after them.
  await lab.clock.advance(4200);
  expect(verdict(first).causes).toContainEqual(
    expect.objectContaining({ code: 'GOSSIP_SLOW', host: 'host1', until: null }),
  );
  lab.network.delayMs = [1, 1];
  await lab.clock.advance(8000);
  expect(verdict(first)).toMatchObject({ verdict: 'degraded', now: 'faithful' });
});

test('two hosts that claim the same endpoint are a cause', async () => {
  await begin();
  await lab.start('host2', [endpoint(1, 'b.0', '10.3.0.1')]);
  await lab.clock.advance(5000);
  expect(codes(first)).toContain('MESH_CONFLICT');
});
