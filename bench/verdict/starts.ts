/** What is wrong from the start of a run on: each needs a lab of `DISTURBED` of its own, which has not begun yet, and begins it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { HEARTBEAT_MS } from '../../agent/mesh/exchange/mesh.ts';
import { BenchError } from '../errors.ts';
import type { Lab } from '../lab.ts';
import { type Disturbance, moveHosts } from './disturbances.ts';
import { cutAgent, type Undo } from './real-network.ts';

const APART_MS = 300;
/** Then a host follows no other to another time any more (`BEATS_TO_SETTLE`), with two to spare. */
const SETTLED_MS = 12 * HEARTBEAT_MS;
const MEET_MS = 30_000;
const POLL_MS = 50;
const SECOND = 1;

/** Hosts that did not hear each other when they began; resolves when they do. */
async function beginApart(lab: Lab): Promise<Undo> {
  const { experiment } = lab;
  const mend = await cutAgent(lab, SECOND);
  const now = Date.now();
  for (const [index, agent] of experiment.agents.entries()) await agent.run(now + (index + 1) * APART_MS);
  await sleep(SETTLED_MS);
  await mend();
  const deadline = performance.now() + MEET_MS;
  while ((await experiment.statuses()).some(({ hosts }) => hosts.length < experiment.plan.hosts.length)) {
    if (performance.now() > deadline)
      throw new BenchError('FAULT_FAILED', 'the hosts do not hear each other');
    await sleep(POLL_MS);
  }
  return () => {};
}

export const STARTS: readonly Disturbance[] = [
  {
    what: 'the real network between hosts takes 30 ms longer each way since before the start',
    code: 'UNDERLAY_SLOW',
    host: 0,
    path: 'c.0 > d.0',
    isThen: true,
    provoke: async (lab) => {
      const undo = await moveHosts(lab);
      await lab.experiment.run();
      return undo;
    },
  },
  {
    what: 'hosts that began 300 ms apart, when they hear each other',
    code: 'CLOCK_APART',
    host: SECOND,
    path: null,
    isThen: true,
    provoke: beginApart,
  },
];
