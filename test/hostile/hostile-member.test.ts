/** A member with key and identity that does its worst: honest traffic goes on, the liar is named, nothing of it remains. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { killAgent } from '../../bench/verdict/hostile.ts';
import type { Hostility } from '../../bench/verdict/hostile-member.ts';
import { agentStatus } from '../../controller/experiment/agents.ts';
import type { Experiment } from '../../controller/experiment/experiment.ts';
import { logFile } from '../../controller/names.ts';
import { ping } from '../../controller/verify/traffic.ts';
import { arrivalRates, place, runIn, startLab, until } from '../support/lab/lab.ts';
import { unleash } from '../support/mesh/unleash.ts';

/**
 * Endpoints in turn: c and e on host0, whose agent is replaced by the hostile member; a and d on host1, b and f on host2. It has the
 * first name of all: others follow the clock of such a host, if they believe it.
 */
const TOPOLOGY = `
services: { c: {}, a: {}, b: {}, e: {}, d: { cap_add: [NET_ADMIN], run: "iperf3 -s" }, f: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 2ms, bandwidth: 200Mbps }
  - { from: b, to: s, latency: 2ms, bandwidth: 200Mbps }
  - { from: c, to: s, latency: 2ms, bandwidth: 200Mbps }
  - { from: e, to: s, latency: 2ms, bandwidth: 200Mbps }
  - { from: f, to: s, latency: 2ms, bandwidth: 200Mbps }
  - { from: s, to: d, latency: 2ms, up: 20Mbps, down: 60Mbps }
`;
const LIAR = 0;
const HONEST = ['host1', 'host2'];
const RATE_BPS = 20e6;
const PING_MS = 8;
const RATE_TOLERANCE = 0.05;
/** By how much a median round trip may differ from those before and afterwards, in the same run. */
const DELAY_TOLERANCE_MS = 1;
/** A member that floods takes processor time of the machine on which all are here: it is measured again, while the member goes on. */
const TRIES = 3;

/** What it does, and the codes by which it is named, any of them. */
const REPERTOIRE: readonly (readonly [Hostility['what'], readonly string[]])[] = [
  ['endpoints', ['ENDPOINT_FOREIGN']],
  ['addresses', ['ADDRESS_FOREIGN']],
  ['flows', ['ENDPOINT_FOREIGN']],
  ['departures', ['HOST_NOT_ALLOWED']],
  ['time', ['CLOCK_OUTVOTED']],
  ['orders', ['COMMAND_UNSIGNED', 'COMMAND_SIGNATURE']],
  ['flood', ['GOSSIP_RATE']],
  ['garbage', ['MESSAGE_MALFORMED', 'MESSAGE_FIELD', 'GOSSIP_RATE']],
  ['replay', ['HOST_NOT_ALLOWED']],
  ['questions', ['REQUEST_RATE']],
];

const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});

/** What the honest agents see of each other, and what the kernel has for paths from a. */
async function state(lab: Experiment): Promise<string> {
  const seen = await Promise.all(
    HONEST.map(async (host) => {
      const { hosts, known, conflicts, degraded, epoch } = await agentStatus(lab.name, host);
      const named = hosts.map(({ name, endpoints }) => `${name} ${endpoints}`);
      return { hosts: named, known, conflicts, degraded, epoch };
    }),
  );
  const { out } = await runIn(place(lab, 'a'), 'tc', 'class', 'show', 'dev', 'eth0');
  return JSON.stringify({ seen, classes: out.split('\n').sort() });
}

/** How often each honest agent has refused something for one of these reasons. */
async function refusals(lab: Experiment, codes: readonly string[]): Promise<number[]> {
  const all = await Promise.all(HONEST.map((host) => agentStatus(lab.name, host)));
  return all.map(({ mesh }) => codes.reduce((sum, code) => sum + (mesh.rejected[code] ?? 0), 0));
}

/**
 * From b to f. On one host, since agents take off what the real network takes from host to host, which on a busy machine is much, and
 * changes. From host to host nothing is lost.
 */
async function roundTrip(lab: Experiment): Promise<number> {
  const b = place(lab, 'b');
  const [{ medianMs, received }, across] = await Promise.all([
    ping(b, place(lab, 'f'), 40, 50),
    ping(b, place(lab, 'a'), 40, 50),
  ]);
  expect([received, across.received]).toEqual([40, 40]);
  expect(medianMs).toBeGreaterThan(PING_MS - 1);
  return medianMs;
}

/** While the member acts; `rate`: of what the link has. */
interface Seen {
  readonly rate: number;
  readonly roundTripMs: number;
}

/** Whether the last has the whole link, and a round trip that is as long as one of these, or between them. */
function isKept(seen: readonly Seen[], ...usualMs: readonly number[]): boolean {
  const { rate, roundTripMs } = seen.at(-1) ?? { rate: 0, roundTripMs: 0 };
  const leastMs = Math.min(...usualMs) - DELAY_TOLERANCE_MS;
  const mostMs = Math.max(...usualMs) + DELAY_TOLERANCE_MS;
  return Math.abs(rate - 1) < RATE_TOLERANCE && roundTripMs > leastMs && roundTripMs < mostMs;
}

it('honest traffic keeps rate and delay whatever a member does, and nothing of it remains', {
  timeout: 400_000,
}, async () => {
  const lab = await startLab(TOPOLOGY, { hosts: 3 });
  await lab.run();
  const d = place(lab, 'd');
  await until(async () => (await runIn(d, 'ss', '-Htln', 'sport', '=', '5201')).out !== '', 'd serves');
  killAgent(lab, LIAR);
  const isAlone = async (): Promise<boolean> => !(await state(lab)).includes('host0');
  await until(isAlone, 'host0 is gone');
  const traffic = spawn('ip', [
    ...['netns', 'exec', place(lab, 'a').namespace],
    ...['iperf3', '-c', d.address, '-t', '600', '-C', 'cubic'],
  ]);
  children.add(traffic);
  const isWhole = async (): Promise<boolean> => {
    const [rate] = await arrivalRates([d], 0.5);
    return Math.abs(rate! / RATE_BPS - 1) < RATE_TOLERANCE;
  };
  await until(isWhole, 'the flow has the whole link');
  const before = await state(lab);

  let usualMs = await roundTrip(lab);
  for (const [what, codes] of REPERTOIRE) {
    const counted = await refusals(lab, codes);
    const member = unleash(lab, LIAR, TOPOLOGY, what);
    const isNamed = async (): Promise<boolean> =>
      (await refusals(lab, codes)).every((count, index) => count > counted[index]!);
    await until(isNamed, `${what} is named`, 30_000);
    const seen: Seen[] = [];
    for (let left = TRIES; left > 0 && !isKept(seen, usualMs); left--) {
      const [[bps], roundTripMs] = await Promise.all([arrivalRates([d], 2), roundTrip(lab)]);
      seen.push({ rate: bps! / RATE_BPS, roundTripMs });
    }
    member.kill('SIGKILL');
    await until(async () => (await state(lab)) === before, `nothing of ${what} is left`, 20_000);
    const afterMs = await roundTrip(lab);
    const told = `${what}: ${JSON.stringify(seen)}, before ${usualMs} ms, afterwards ${afterMs} ms`;
    expect(isKept(seen, usualMs, afterMs), told).toBe(true);
    usualMs = afterMs;
  }
  const log = readFileSync(logFile(lab.name, 'host1'), 'utf8');
  for (const code of [
    'ENDPOINT_FOREIGN',
    'ADDRESS_FOREIGN',
    'HOST_NOT_ALLOWED',
    'CLOCK_OUTVOTED',
    'GOSSIP_RATE',
  ])
    expect(log).toMatch(new RegExp(`"netfold.code":"${code}".*12D3KooW`));
});
