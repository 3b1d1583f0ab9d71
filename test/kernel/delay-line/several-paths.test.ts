/** Several paths of equal cost in a lab: connections of one pair are spread over them, and compete on each by itself. */
import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, expect, it } from 'vitest';
import type { Experiment } from '../../../controller/experiment/experiment.ts';
import type { AgentStatus, FlowStatus } from '../../../proto/status.ts';
import { netfold } from '../../support/lab/cli.ts';
import { arrivalRates, place, startLab, until } from '../../support/lab/lab.ts';

const TOPOLOGY = `ecmp: 4
services: { a: {}, b: {}, c: {} }
bridges: [s, x, y, t]
links:
  - { from: a, to: s, latency: 1ms, bandwidth: 100Mbps }
  - { from: c, to: s, latency: 1ms, bandwidth: 100Mbps }
  - { from: s, to: x, latency: 5ms, bandwidth: 10Mbps }
  - { from: s, to: y, latency: 5ms, bandwidth: 10Mbps }
  - { from: x, to: t, latency: 5ms }
  - { from: y, to: t, latency: 5ms }
  - { from: t, to: b, latency: 1ms, bandwidth: 100Mbps }
`;

let children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
});

function begin(lab: Experiment, at: string, ...command: string[]): void {
  const words = ['netns', 'exec', place(lab, at).namespace, ...command];
  children.push(spawn('ip', words, { stdio: 'ignore' }));
}

async function flowsOf(lab: Experiment): Promise<FlowStatus[]> {
  const { stdout } = await netfold('status', '--json', '--name', lab.name);
  const { agents } = JSON.parse(stdout) as { agents: AgentStatus[] };
  return agents.flatMap(({ flows }) => flows);
}

it('connections of one pair use all of its paths, and share each with others on it', {
  retry: 1,
}, async () => {
  const lab = await startLab(TOPOLOGY, { hosts: 2 });
  for (const port of ['5201', '5202']) begin(lab, 'b', 'iperf3', '-s', '-p', port);
  begin(lab, 'a', 'iperf3', '-c', place(lab, 'b').address, '-t', '60', '-P', '12');
  const found = async (from: string): Promise<FlowStatus | undefined> =>
    (await flowsOf(lab)).find((flow) => flow.from === from && flow.to === 'b.0');
  const sharesOf = (flow: FlowStatus | undefined): number[] =>
    (flow?.paths ?? [])
      .map(({ shareBps }) => Math.round((shareBps ?? 0) / 1e6))
      .toSorted((one, other) => one - other);
  await until(async () => sharesOf(await found('a.0')).join() === '10,10', 'both paths are used', 20_000);
  const [alone] = await arrivalRates([place(lab, 'b')], 4);
  expect(alone).toBeGreaterThan(15e6);
  expect(alone).toBeLessThan(22e6);
  // One connection has one path, half of which it gets.
  begin(lab, 'c', 'iperf3', '-c', place(lab, 'b').address, '-p', '5202', '-t', '60');
  await until(async () => sharesOf(await found('c.0')).join() === '5', 'it shares its path', 20_000);
  const [own, other] = [await found('c.0'), await found('a.0')];
  expect(own?.paths?.map(({ limitedBy }) => limitedBy)).toEqual([expect.stringMatching(/^s->[xy]$/)]);
  expect(sharesOf(other)).toEqual([5, 10]);
  const shared = other?.paths?.find(({ path }) => path === own?.paths?.[0]?.path);
  expect(Math.round((shared?.shareBps ?? 0) / 1e6)).toBe(5);
});
