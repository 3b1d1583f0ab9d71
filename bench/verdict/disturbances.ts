/**
 * What disturbs a run, each with the cause that has to be named: provoked for real in a lab of `DISTURBED` on two emulated
 * hosts, `a`, `c` and `e` on the first of them, the others on the second. The bench provokes them in this order in one lab, and measures how
 * soon they are named; tests show that they are.
 */
import { CAUSES, type CauseCode } from '../../agent/fidelity/causes.ts';
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { output } from '../../controller/verify/traffic.ts';
import { fromMillis } from '../../proto/units.ts';
import { canBoundMemory, canBoundProcessor } from '../faults/shortages.ts';
import type { Lab } from '../lab.ts';
import { fillQueue, sendPastQueue, useProcessors } from './applications.ts';
import { moveApart } from './far-hosts.ts';
import { replaceAgent, startAnew } from './hostile.ts';
import { cutAgent, cutTo, joinByCable, loseBetweenHosts, queueTo, type Undo } from './real-network.ts';
import { DISTURBED } from './topologies.ts';
import {
  crowd,
  freezeCounters,
  nearMemory,
  pause,
  slowDown,
  slowDownBesideEvents,
  slowDownBesidePings,
  stop,
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
  readonly isPossible?: (backend: DelayBackendName) => boolean;
  /** It begins when `provoke` has it, and not with what that does for it. */
  readonly isThen?: true;
  /** What it does to the lab goes on. */
  readonly isForGood?: true;
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

/** As far as is too far for the path from `c` to `d`. */
export const moveHosts = (lab: Lab): Promise<Undo> => apart(lab, SLOW_MS, 'all');

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
  {
    what: 'a cable between two endpoints that goes past the rules, by probes',
    code: 'RTT_SHORT',
    host: FIRST,
    path: 'a.0 > b.0',
    provoke: (lab) => joinByCable(lab, 'a', 'b'),
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
    isThen: true,
    provoke: moveHosts,
  },
  {
    what: 'agents that hear from each other 300 ms late',
    code: 'GOSSIP_SLOW',
    host: SECOND,
    path: null,
    isThen: true,
    provoke: (lab) => apart(lab, GOSSIP_MS, 'agents'),
  },
  {
    what: 'the mesh is cut',
    code: 'HOST_SILENT',
    host: SECOND,
    path: null,
    provoke: (lab) => cutAgent(lab, SECOND),
  },
];

const OF_SECOND = { host: SECOND, path: null } as const;
/** netem counts nothing of it, and does it by itself. */
const byDelayLine = (backend: DelayBackendName): boolean => backend === 'delay-line';

const OF_AGENTS: readonly Disturbance[] = [
  {
    what: 'an agent stopped (SIGSTOP)',
    code: 'AGENT_SILENT',
    ...OF_SECOND,
    provoke: (lab) => stop(lab, SECOND),
  },
  {
    what: 'an agent that was stopped, when it goes on',
    code: 'AGENT_STALLED',
    ...OF_SECOND,
    isThen: true,
    provoke: (lab) => pause(lab, SECOND),
  },
  {
    what: 'packets that nobody delayed while the agent was stopped, when it goes on',
    code: 'PACKETS_UNDELAYED',
    ...OF_SECOND,
    isPossible: byDelayLine,
    isThen: true,
    provoke: (lab) => pause(lab, SECOND),
  },
  {
    what: 'an agent that runs for a tenth of the time, beside 100 packets a second',
    code: 'PACKETS_LATE',
    ...OF_SECOND,
    isPossible: byDelayLine,
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
  {
    what: 'an agent that gets half of the processor time that it needs',
    code: 'AGENT_BUSY',
    ...OF_SECOND,
    isPossible: canBoundProcessor,
    isThen: true,
    provoke: (lab) => crowd(lab, SECOND),
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
  {
    what: 'more under way to an endpoint than its queue holds, from the first that was dropped',
    code: 'QUEUE_OVERFLOW',
    ...OF_SECOND,
    isPossible: byDelayLine,
    isThen: true,
    provoke: (lab) => fillQueue(lab, 'e', 'far'),
  },
];

const FOR_GOOD: readonly Disturbance[] = [
  {
    what: 'counters that can’t be read',
    code: 'WORK_FAILS',
    ...OF_SECOND,
    isForGood: true,
    provoke: (lab) => freezeCounters(lab, SECOND),
  },
  {
    what: 'a host with a command that nobody else has, from when it takes part',
    code: 'COMMANDS_APART',
    ...OF_SECOND,
    ...{ isThen: true, isForGood: true },
    provoke: (lab) => replaceAgent(lab, SECOND, DISTURBED),
  },
  {
    what: 'a host with another topology, from when it takes part',
    code: 'MESH_CONFLICT',
    host: FIRST,
    path: null,
    ...{ isThen: true, isForGood: true },
    provoke: (lab) => replaceAgent(lab, SECOND, `${DISTURBED}# Another one.\n`),
  },
  {
    what: 'an agent that was killed, when it runs again',
    code: 'AGENT_LATE',
    ...OF_SECOND,
    ...{ isThen: true, isForGood: true },
    provoke: (lab) => startAnew(lab, SECOND),
  },
];

/** Those that go on come last, where nothing else is disturbed by them. */
export const DISTURBANCES: readonly Disturbance[] = [
  ...[...OF_RULES, ...OF_NETWORK, ...OF_AGENTS],
  ...[...OF_MACHINE, ...FOR_GOOD],
];

/** For how long a cause must go on before it counts. One that never rests is named sooner than one that hardly does. */
export const holdsMs = (code: Disturbance['code']): number =>
  code === 'AGENT_SILENT' || code === 'AGENT_BUSY' ? 0 : CAUSES[code].holdsMs;
