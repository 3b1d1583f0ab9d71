/**
 * What disturbs a run, each with the cause that has to be named: provoked for real in a lab of `DISTURBED` on two emulated
 * hosts, `a` and `c` on the first of them, `b` and `d` on the second. The bench measures how soon; tests show that it is named.
 */
import { CAUSES, type CauseCode } from '../../agent/fidelity/causes.ts';
import { output } from '../../controller/verify/traffic.ts';
import { fromMillis } from '../../proto/units.ts';
import { canBoundMemory } from '../faults/shortages.ts';
import type { Lab } from '../lab.ts';
import { moveApart } from './far-hosts.ts';
import { cutTo, loseBetweenHosts, queueTo, type Undo } from './real-network.ts';
import {
  nearMemory,
  sendPastQueue,
  slowDown,
  slowDownBesideEvents,
  slowDownBesidePings,
  stop,
  useProcessors,
} from './troubled-agents.ts';

/** Of the hosts. */
const FIRST = 0;
const SECOND = 1;

export interface Disturbance {
  readonly what: string;
  /** `AGENT_SILENT` is what nobody answers. */
  readonly code: CauseCode | 'AGENT_SILENT';
  /** Where the cause is: by the number of its host, and its path; null: all of the host. */
  readonly host: number;
  readonly path: string | null;
  /** What this machine can't do is left out. */
  readonly isPossible?: () => boolean;
  /** Returns what ends it. */
  readonly provoke: (lab: Lab) => Undo | Promise<Undo>;
}

/** One way: more than `c` to `d` has, less than all others. */
const SLOW_MS = 30;
/** One way; more than half a second there and back. */
const GOSSIP_MS = 300;

async function apart({ experiment }: Lab, oneWayMs: number, whose: 'all' | 'agents'): Promise<Undo> {
  const distance = await moveApart(experiment.plan, fromMillis(oneWayMs), whose);
  return () => distance.stop();
}

/** A command in an endpoint, which is repaired by netfold, or by nobody. */
async function inside({ place }: Lab, endpoint: string, words: string): Promise<Undo> {
  await output(place(endpoint), words.split(' '));
  return () => {};
}

const OF_RULES: readonly Disturbance[] = [
  {
    what: 'rules of an endpoint removed',
    code: 'RULES_CHANGED',
    host: SECOND,
    path: 'b.0 > *',
    provoke: (lab) => inside(lab, 'b', 'tc qdisc delete dev eth0 root'),
  },
  {
    what: 'another root qdisc in the place of netfold’s',
    code: 'NOT_ENFORCED',
    host: FIRST,
    path: 'c.0 > *',
    provoke: async (lab) => {
      await inside(lab, 'c', 'tc qdisc replace dev eth0 root handle 9: pfifo');
      return () => inside(lab, 'c', 'tc qdisc delete dev eth0 root');
    },
  },
  {
    what: 'frames sent past the queue',
    code: 'QUEUE_BYPASSED',
    host: SECOND,
    path: 'd.0 > *',
    provoke: (lab) => sendPastQueue(lab, 'd'),
  },
];

const OF_NETWORK: readonly Disturbance[] = [
  {
    what: 'the real network to an endpoint is cut, by probes',
    code: 'PROBES_LOST',
    host: FIRST,
    path: 'a.0 > b.0',
    provoke: (lab) => cutTo(lab, 'b'),
  },
  {
    what: 'the real network to an endpoint takes 30 ms longer, by probes',
    code: 'RTT_LONG',
    host: FIRST,
    path: 'a.0 > b.0',
    provoke: (lab) => queueTo(lab, 'b'),
  },
  {
    what: 'the real network between hosts loses 30 % each way',
    code: 'UNDERLAY_LOSSY',
    host: SECOND,
    path: null,
    provoke: loseBetweenHosts,
  },
  {
    what: 'the real network between hosts takes 30 ms longer each way',
    code: 'UNDERLAY_SLOW',
    host: FIRST,
    path: 'c.0 > d.0',
    provoke: (lab) => apart(lab, SLOW_MS, 'all'),
  },
  {
    what: 'agents that hear from each other 300 ms late',
    code: 'GOSSIP_SLOW',
    host: SECOND,
    path: null,
    provoke: (lab) => apart(lab, GOSSIP_MS, 'agents'),
  },
];

const OF_SECOND = { host: SECOND, path: null } as const;

const OF_AGENTS: readonly Disturbance[] = [
  {
    what: 'an agent stopped (SIGSTOP)',
    code: 'AGENT_SILENT',
    ...OF_SECOND,
    provoke: (lab) => stop(lab, SECOND),
  },
  {
    what: 'an agent that runs for a tenth of the time, beside 100 packets a second',
    code: 'PACKETS_LATE',
    ...OF_SECOND,
    provoke: (lab) => slowDownBesidePings(lab, SECOND, 'a', 'b'),
  },
  {
    what: 'an agent that runs for a tenth of the time',
    code: 'TICKS_LATE',
    ...OF_SECOND,
    provoke: (lab) => slowDown(lab, SECOND),
  },
  {
    what: 'an agent that runs for a tenth of the time, beside three events a second',
    code: 'EVENTS_LATE',
    ...OF_SECOND,
    provoke: (lab) =>
      slowDownBesideEvents(lab, SECOND, FIRST, ['set c--s latency=6ms', 'set c--s latency=5ms']),
  },
  {
    what: 'an agent near the limit of its control group’s memory',
    code: 'AGENT_MEMORY',
    ...OF_SECOND,
    isPossible: canBoundMemory,
    provoke: (lab) => nearMemory(lab, SECOND),
  },
];

const OF_MACHINE: readonly Disturbance[] = [
  {
    what: 'programs that use all processors',
    code: 'CPU_SATURATED',
    host: FIRST,
    path: null,
    provoke: useProcessors,
  },
];

export const DISTURBANCES: readonly Disturbance[] = [...OF_RULES, ...OF_NETWORK, ...OF_AGENTS, ...OF_MACHINE];

/** For how long a cause must go on before it counts. */
export const holdsMs = (code: Disturbance['code']): number =>
  code === 'AGENT_SILENT' ? 0 : CAUSES[code].holdsMs;
