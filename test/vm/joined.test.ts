/** One topology over two machines: two kernels, two agents, and nothing between them but a cable. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LabEndpoint } from '../../controller/platform/lab/lab-plan.ts';
import { JoinedMachines } from './machine/joined-machines.ts';

const TOPOLOGY = join(import.meta.dirname, 'joined.yaml');
/** Each way through two emulated network cards and kernels; medians, since such machines pause for 100 ms at times. */
const LATE_MS = 4;
/** Four busy emulated processes on two processors. */
const RATE_TOLERANCE = 0.1;

let joined: JoinedMachines;

beforeAll(async () => {
  joined = await JoinedMachines.boot(TOPOLOGY);
  await joined.start(TOPOLOGY);
});

afterAll(() => joined?.stop());

const endpoint = (name: string): LabEndpoint => joined.endpoint(name);

async function medianRoundTripMs(from: string, to: string): Promise<number> {
  const output = await joined.in(endpoint(from), `ping -c 60 -i 0.03 ${endpoint(to).address}`);
  const times = [...output.matchAll(/time=([\d.]+) ms/g)]
    .map((match) => Number(match[1]))
    .sort((a, b) => a - b);
  expect(times).toHaveLength(60);
  return times[30]!;
}

async function startFlow(from: string, to: string): Promise<void> {
  await joined.in(endpoint(to), 'iperf3 -s -1 -D');
  await joined.onHost(
    endpoint(from).host,
    `ip netns exec ${endpoint(from).namespace} iperf3 -C cubic -c ${endpoint(to).address} -t 60 >/dev/null 2>&1 &`,
  );
}

/** Bits of frames per second that arrive, over five seconds of the machine's own clock. */
async function arrivalBps(name: string): Promise<number> {
  const look = 'cat /sys/class/net/eth0/statistics/rx_bytes; date +%s%N';
  const output = await joined.in(endpoint(name), `sh -c '${look}; sleep 5; ${look}'`);
  const [bytes0, at0, bytes1, at1] = output.trim().split('\n').map(Number);
  return ((bytes1! - bytes0!) * 8e9) / (at1! - at0!);
}

it('lies over two machines', () => {
  const hostsOf = (...names: string[]): string[] => names.map((name) => endpoint(name).host.name);
  expect(hostsOf('a.0', 'b.0', 'c.0', 'd.0')).toEqual(['host0', 'host1', 'host0', 'host1']);
});

it('resolves the names of endpoints on the other machine', async () => {
  expect(await joined.in(endpoint('a.0'), 'getent ahostsv4 d')).toContain(endpoint('d.0').address);
});

it.each([
  ['a.0', 'd.0', 40, 'between machines'],
  ['b.0', 'c.0', 60, 'between machines, the other way'],
  ['b.0', 'd.0', 60, 'on one machine'],
])('gives %s and %s their %i ms %s', async (from, to, roundTripMs) => {
  const measured = await medianRoundTripMs(from, to);
  expect(measured).toBeGreaterThan(roundTripMs - 0.5);
  expect(measured).toBeLessThan(roundTripMs + LATE_MS);
});

it('gives flows from different machines their shares of the link that they meet at', async () => {
  await startFlow('a.0', 'd.0');
  await new Promise((resolve) => setTimeout(resolve, 4000));
  const alone = await arrivalBps('d.0');
  expect(Math.abs(alone / 12e6 - 1), `alone: ${alone} b/s`).toBeLessThan(RATE_TOLERANCE);

  await startFlow('b.0', 'c.0');
  await new Promise((resolve) => setTimeout(resolve, 6000));
  // Round trips of 40 and 60 ms: 3 to 2.
  const [first, second] = await Promise.all([arrivalBps('d.0'), arrivalBps('c.0')]);
  expect(Math.abs(first / 7.2e6 - 1), `a > d: ${first} b/s`).toBeLessThan(RATE_TOLERANCE);
  expect(Math.abs(second / 4.8e6 - 1), `b > c: ${second} b/s`).toBeLessThan(RATE_TOLERANCE);
});
