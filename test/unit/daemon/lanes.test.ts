/** Whole agents on a manual clock, where pairs have several paths: what each path carries, and what people read of it. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentLab, endpoint, type LabAgent } from '../../support/fakes/agent-lab.ts';

const TOPOLOGY = `
ecmp: 2
services: { a: {}, b: {}, c: {} }
bridges: [s, t, x, y]
links:
  - { from: a, to: s, latency: 1ms, bandwidth: 100Mbps }
  - { from: c, to: s, latency: 1ms, bandwidth: 100Mbps }
  - { from: s, to: x, latency: 4ms, bandwidth: 20Mbps }
  - { from: s, to: y, latency: 4ms, bandwidth: 10Mbps }
  - { from: x, to: t, latency: 4ms }
  - { from: y, to: t, latency: 4ms }
  - { from: t, to: b, latency: 1ms, bandwidth: 100Mbps }
`;
const A = endpoint(0, 'a.0', '10.1.0.1');
const B = endpoint(1, 'b.0', '10.1.0.2');
const C = endpoint(2, 'c.0', '10.2.0.1');
const SETTLED_MS = 3000;

let lab: AgentLab;
let first: LabAgent;
let second: LabAgent;

beforeEach(async () => {
  lab = new AgentLab(TOPOLOGY);
  first = await lab.start('host0', [A, B]);
  second = await lab.start('host1', [C]);
  for (const { kernel, parts } of [first, second]) kernel.lanes = parts.epoch.value.lanes;
  await lab.clock.advance(SETTLED_MS);
});

afterEach(() => lab.stop());

/** Lets an endpoint send for ever on one of its paths, as much as that path's class lets through. */
function stream(agent: LabAgent, from: string, to: string): void {
  const { tc, streams, counted } = agent.kernel;
  const sending = { from, to, bytesPerSecond: 0 };
  streams.add(sending);
  lab.clock.every(10, () => {
    const local = [...counted.values()].find(({ addresses }) => addresses.includes(from))!;
    const { classes, targets } = tc.read(local);
    sending.bytesPerSecond = classes.get(targets.get(to) ?? -1)?.bytesPerSecond ?? 0;
  });
}

const inMbps = (rate: number | null): number => Math.round((rate ?? 0) / 1e6);

test('each path of a pair has its share, on whatever host its competitors are, and the pair their sum', async () => {
  stream(first, '10.1.0.1', '10.1.0.2');
  stream(first, '10.1.0.1', '10.1.0.2#1');
  stream(second, '10.2.0.1', '10.1.0.2#1');
  await lab.clock.advance(SETTLED_MS);
  const [ofA, ...others] = first.door.status().flows;
  expect(others).toEqual([]);
  expect(ofA).toMatchObject({ from: 'a.0', to: 'b.0', greedy: true, limitedBy: 's->x' });
  expect([inMbps(ofA!.rateBps), inMbps(ofA!.shareBps)]).toEqual([25, 25]);
  expect(ofA!.paths?.map(({ path, shareBps, limitedBy }) => [path, inMbps(shareBps), limitedBy])).toEqual([
    [1, 20, 's->x'],
    [2, 5, 's->y'],
  ]);
  expect(ofA!.paths?.map(({ links }) => links[1])).toEqual(['s->x', 's->y']);
  expect(second.door.status().flows).toMatchObject([{ from: 'c.0', to: 'b.0', paths: [{ path: 2 }] }]);
  const view = second.door.view();
  expect(view.flows.map(({ from, to }) => `${from} > ${to}`)).toEqual(['a.0 > b.0', 'c.0 > b.0']);
  expect(view.shares.map(({ from, to, ceilingBps }) => [from, to, inMbps(ceilingBps)])).toEqual([
    ['c.0', 'b.0', 5],
  ]);
});

test('the log of a host says which path a share and a flow are of', async () => {
  lab.runAll(100);
  await lab.clock.advance(SETTLED_MS);
  stream(second, '10.2.0.1', '10.1.0.2#1');
  await lab.clock.advance(SETTLED_MS);
  expect(second.parts.runLog.of('flow').at(-1)).toMatchObject({ from: 'c.0', to: 'b.0', path: 2 });
  expect(second.parts.runLog.of('share').at(-1)).toMatchObject({ from: 'c.0', to: 'b.0', path: 2 });
});

test('the verdict follows flows of pairs with one path only', async () => {
  stream(first, '10.1.0.1', '10.1.0.2#1');
  stream(second, '10.2.0.1', '10.1.0.1');
  await lab.clock.advance(SETTLED_MS);
  const paths = (agent: LabAgent): string[] =>
    agent.door.verdict().paths.map(({ from, to }) => `${from} > ${to}`);
  expect(paths(first)).toEqual([]);
  expect(paths(second)).toEqual(['c.0 > a.0']);
});
