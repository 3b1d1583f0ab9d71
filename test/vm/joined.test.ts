/** One topology over two machines: two kernels, two agents, and nothing between them but a cable. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { LabEndpoint } from '../../controller/platform/lab/lab-plan.ts';
import { JoinedMachines } from './machine/joined-machines.ts';

const TOPOLOGY = join(import.meta.dirname, 'joined.yaml');
/** Through two emulated network cards and kernels each way; paths differ by twice that. Medians, since such machines pause. */
const LATE_MS = 10;
/** Of the link in the middle. */
const LINK_BPS = 12e6;
/**
 * Four busy emulated processors on the two of the host: what is to leave while one of them waits for its turn leaves
 * late, and a link does not make up for it. So the link is the upper bound, and how it is divided is what is measured:
 * 3 to 2 is half as much again as the 1 to 1 of agents that do not count round trips, and agents that do not hear of
 * each other let twice the link through.
 */
const USED = { least: 0.5, most: 1.02 };
const DIVISION_TOLERANCE = 0.2;

let joined: JoinedMachines;

beforeAll(async () => {
  joined = await JoinedMachines.boot(TOPOLOGY);
  await joined.start(TOPOLOGY);
});

afterAll(() => joined?.stop());

/** What ends the flows that run: a second try would find their ports in use. */
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

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
  const { host, namespace } = endpoint(from);
  const client = `ip netns exec ${namespace} iperf3 -C cubic -c ${endpoint(to).address} -t 60`;
  const pid = await joined.onHost(host, `${client} >/dev/null 2>&1 & echo $!`);
  ends.push(() => joined.onHost(host, `kill ${pid.trim()} || true`));
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
  const isBetween = endpoint(from).host !== endpoint(to).host;
  const left = isBetween && measured < roundTripMs - 0.5 ? await joined.subtractedMs() : 0;
  expect(measured).toBeGreaterThan(roundTripMs - left - 0.5);
  expect(measured).toBeLessThan(roundTripMs + LATE_MS);
});

it('gives flows from different machines their shares of the link that they meet at', async () => {
  await startFlow('a.0', 'd.0');
  await new Promise((resolve) => setTimeout(resolve, 4000));
  expectUsed(await arrivalBps('d.0'), 'alone');

  await startFlow('b.0', 'c.0');
  await new Promise((resolve) => setTimeout(resolve, 6000));
  const [first, second] = await Promise.all([arrivalBps('d.0'), arrivalBps('c.0')]);
  const rates = `a > d: ${first} b/s, b > c: ${second} b/s`;
  expectUsed(first + second, rates);
  // Round trips of 40 and 60 ms: 3 to 2.
  expect(Math.abs(first / second / (3 / 2) - 1), rates).toBeLessThan(DIVISION_TOLERANCE);
});

function expectUsed(rateBps: number, what: string): void {
  expect(rateBps / LINK_BPS, what).toBeGreaterThan(USED.least);
  expect(rateBps / LINK_BPS, what).toBeLessThan(USED.most);
}
