/**
 * Causes at agents, and in the real network between them, that take long to provoke, or to be named. Two emulated hosts each;
 * `npm run test:verdict`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { CAUSES } from '../../agent/fidelity/causes.ts';
import { canBoundProcessor, type ProcessorBound } from '../../bench/faults/shortages.ts';
import { verdictOf } from '../../bench/verdict/asked.ts';
import { type Distance, moveApart } from '../../bench/verdict/far-hosts.ts';
import { killAgent } from '../../bench/verdict/hostile.ts';
import { freezeCounters, nearProcessor } from '../../bench/verdict/troubled-agents.ts';
import type { Experiment } from '../../controller/experiment/experiment.ts';
import { place, runIn, startLab } from '../support/lab/lab.ts';
import { startOnTwo, untilMet } from '../support/lab/starting.ts';
import { disturbed, named } from '../support/lab/verdict.ts';

/** In turn: a and c on host0, b and d on host1. */
const TOPOLOGY = `
services: { a: {}, b: {}, c: {}, d: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 240ms, up: 20Mbps, down: 10Mbps }
  - { from: b, to: s, latency: 230ms }
  - { from: c, to: s, latency: 5ms }
  - { from: d, to: s, latency: 5ms }
`;
/** One way: more than c > d has, and less than all other paths. */
const SLOW_MS = 30;
/** Probes have come back, many times. */
const KNOWN_MS = 3000;
/** Half of what is too long. */
const GOSSIP_MS = 300;
/** A process starts anew, on a crowded machine. */
const START_MS = 90_000;

let distance: Distance | undefined;
let bound: ProcessorBound | undefined;

afterEach(async () => {
  bound?.end();
  await distance?.stop();
  bound = distance = undefined;
});

async function running(): Promise<Experiment> {
  const lab = await startLab(TOPOLOGY, { hosts: 2 });
  await lab.run();
  return lab;
}

it('a real network that becomes slower than a path is named, with this path alone', {
  timeout: 120_000,
}, async () => {
  const lab = await running();
  await sleep(KNOWN_MS);
  distance = await moveApart(lab.plan, SLOW_MS * 1000);
  await slowPathsNamed(lab);
});

it('so is one that becomes slower while agents start, when they have met', { timeout: 120_000 }, async () => {
  let moved: Promise<void> | undefined;
  const lab = await startOnTwo(TOPOLOGY, (plan) => {
    moved = (async () => {
      distance = await moveApart(plan, 0);
      await untilMet(plan.hosts[0]!);
      await distance.set(SLOW_MS * 1000);
    })();
    moved.catch(() => {});
  });
  await moved;
  await lab.run();
  await slowPathsNamed(lab);
});

it('so is one that was slow before they met', { timeout: 120_000 }, async () => {
  let moved: Promise<Distance> | undefined;
  const lab = await startOnTwo(TOPOLOGY, (plan) => {
    moved = moveApart(plan, SLOW_MS * 1000);
    moved.catch(() => {});
  });
  distance = await moved;
  await lab.run();
  await slowPathsNamed(lab);
});

async function slowPathsNamed(lab: Experiment): Promise<void> {
  const slow = await named(lab, 'UNDERLAY_SLOW', 'host0', 'c.0 > d.0');
  expect(slow).toMatchObject({
    weight: 'degraded',
    bound: 10,
    message: expect.stringContaining('c.0 to d.0'),
  });
  expect(slow.measured).toBeGreaterThan(0.95 * SLOW_MS);
  await named(lab, 'UNDERLAY_SLOW', 'host1', 'd.0 > c.0');
  const { causes } = await verdictOf(lab);
  const paths = causes.flatMap(({ code, path }) => (code === 'UNDERLAY_SLOW' ? [path] : []));
  expect(paths.sort()).toEqual(['c.0 > d.0', 'd.0 > c.0']);
}

it('agents that hear from each other late are named, each by the other', { timeout: 240_000 }, async () => {
  const lab = await running();
  distance = await moveApart(lab.plan, GOSSIP_MS * 1000, 'agents');
  for (const host of ['host0', 'host1']) {
    const slow = await named(lab, 'GOSSIP_SLOW', host, null);
    expect(slow).toMatchObject({ weight: 'degraded', unit: 'ms', bound: 500 });
    expect(slow.measured).toBeGreaterThan(500);
  }
});

it('an agent that crashed has not judged what was before, and says so', { timeout: 240_000 }, async () => {
  const lab = await running();
  const supervision = lab.supervise(() => {});
  supervision.catch(() => {});
  await sleep(CAUSES.AGENT_LATE.bound);
  killAgent(lab, 1);
  const late = await named(lab, 'AGENT_LATE', 'host1', null, START_MS);
  expect(late).toMatchObject({
    weight: 'degraded',
    message: expect.stringContaining('host1 had all in force'),
  });
  expect(late.measured).toBeGreaterThan(CAUSES.AGENT_LATE.bound);
  expect((await verdictOf(lab)).causes).not.toContainEqual(
    expect.objectContaining({ code: 'AGENT_LATE', host: 'host0' }),
  );
});

it.skipIf(!canBoundProcessor())(
  'an agent that works all of its time is named, until it has time again',
  { timeout: 120_000 },
  async () => {
    const lab = await running();
    bound = nearProcessor(disturbed(lab), 1);
    // What it needs is a matter of the machine.
    const parts = [0.06, 0.03, 0.02, 0.01];
    for (const [index, part] of parts.entries()) {
      bound.set(part);
      const isLast = index === parts.length - 1;
      const found = await named(lab, 'AGENT_BUSY', 'host1', null, 10_000).catch((error: Error) => {
        if (isLast) throw error;
      });
      if (!found) continue;
      expect(found).toMatchObject({ weight: 'degraded', unit: 'ratio' });
      expect(found.measured).toBeGreaterThan(CAUSES.AGENT_BUSY.bound);
      break;
    }
    bound.end();
    bound = undefined;
    const isOver = async (): Promise<boolean> =>
      (await verdictOf(lab)).causes.some(({ code, until }) => code === 'AGENT_BUSY' && until !== null);
    await expect.poll(isOver, { timeout: 20_000 }).toBe(true);
  },
);

it('work that fails again and again is named: counters that can not be read', {
  timeout: 120_000,
}, async () => {
  const lab = await running();
  await freezeCounters(disturbed(lab), 1);
  // Counters without news are not read.
  await runIn(place(lab, 'b'), 'ping', '-c', '3', '-i', '0.2', place(lab, 'a').address);
  const fails = await named(lab, 'WORK_FAILS', 'host1', null);
  expect(fails).toMatchObject({ weight: 'degraded', until: null, unit: 'times' });
  expect(fails.message).toContain('measuring flows');
});
