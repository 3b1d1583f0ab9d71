/**
 * Causes that take long to provoke, or to be named: hosts that have other times, commands or topologies. Two
 * emulated hosts each; `npm run test:verdict`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { HEARTBEAT_MS } from '../../agent/mesh/exchange/mesh.ts';
import { killAgent } from '../../bench/verdict/hostile.ts';
import { cutAgent } from '../../bench/verdict/real-network.ts';
import { startLab, until } from '../support/lab/lab.ts';
import { disturbed, named } from '../support/lab/verdict.ts';
import { unleash } from '../support/mesh/unleash.ts';

/** In turn: a and c on host0, b and d on host1. */
const TOPOLOGY = `
services: { a: {}, b: {}, c: {}, d: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 40ms, up: 20Mbps, down: 10Mbps }
  - { from: b, to: s, latency: 30ms }
  - { from: c, to: s, latency: 2s }
  - { from: d, to: s, latency: 20ms }
`;
const APART_MS = 300;
/** Then a host follows no other to another time any more (`BEATS_TO_SETTLE`), with two to spare. */
const SETTLED_MS = 12 * HEARTBEAT_MS;

it('hosts that were started at different times, while they did not hear each other, have different times', async () => {
  const lab = await startLab(TOPOLOGY, { hosts: 2 });
  const mend = await cutAgent(disturbed(lab), 1);
  const now = Date.now();
  for (const [index, agent] of lab.agents.entries()) await agent.run(now + (index + 1) * APART_MS);
  await sleep(SETTLED_MS);
  await mend();
  const apart = await named(lab, 'CLOCK_APART', 'host1', null);
  expect(apart.weight).toBe('degraded');
  expect(apart.measured).toBeGreaterThan(0.8 * APART_MS);
  expect(apart.measured).toBeLessThan(1.2 * APART_MS);
});

it('a host with a command that nobody else has, and one with another topology, are named', async () => {
  const lab = await startLab(TOPOLOGY, { hosts: 2 });
  await lab.run();
  killAgent(lab, 1);
  const member = unleash(lab, 1, TOPOLOGY, 'commands');
  expect(await named(lab, 'COMMANDS_APART', 'host1', null)).toMatchObject({ weight: 'degraded' });
  member.kill('SIGKILL');
  await until(() => member.exitCode !== null || member.signalCode !== null, 'it has ended');
  unleash(lab, 1, `${TOPOLOGY}# Another one.\n`, 'commands');
  const conflict = await named(lab, 'MESH_CONFLICT', 'host0', null);
  expect(conflict).toMatchObject({ weight: 'degraded', message: expect.stringContaining('topology') });
});
