/**
 * The causes of a verdict: what is looked at, from which value on it counts, and why there. The one table of thresholds;
 * docs/fidelity.md has it for users, and a test compares the two.
 */
import { LATE_ANSWER_MS } from '../clock/clock-sync.ts';
import { SILENT_AFTER_MS } from '../mesh/exchange/mesh.ts';

export interface CauseRule {
  /** `invalid`: what was measured meanwhile says nothing of the topology. */
  readonly weight: 'degraded' | 'invalid';
  readonly unit: 'ms' | 'packets' | 'ratio' | 'times';
  /** A faithful run has no more, or where `isFloor`, no less. */
  readonly bound: number;
  readonly isFloor?: true;
  /** It counts when it has gone on for so long without a pause … */
  readonly holdsMs: number;
  /** … and has ended when it was absent for so long. */
  readonly clearsMs: number;
}

/** Two looks: what comes and goes with every other look is one cause. */
const CALM_MS = 3000;
const COUNTED = { unit: 'packets', bound: 0, holdsMs: 0, clearsMs: CALM_MS } as const;
const FAILS = { unit: 'times', bound: 0, holdsMs: 0, clearsMs: CALM_MS } as const;

/** Over how long means and parts are taken. Shorter, one late packet after a pause decides; longer, nobody sees it in time. */
export const WINDOW_MS = 5000;
/** Of ticks, two looks: half of that is four times the pauses of a busy machine, and what lasts is named within 3 s. */
export const TICKS_WINDOW_MS = 1900;

const rules = {
  /** Mean lateness of the window's packets. A machine that has time stays below 0.1 ms, and the bound of `netfold verify` is the same. */
  PACKETS_LATE: { weight: 'degraded', unit: 'ms', bound: 1, holdsMs: 0, clearsMs: CALM_MS },
  /** Neither delayed nor lost, since nobody served the queue: those packets had another network. */
  PACKETS_UNDELAYED: { weight: 'invalid', ...COUNTED },
  /** Losses that no link of the topology has. */
  QUEUE_OVERFLOW: { weight: 'degraded', ...COUNTED },
  /** Sent past the endpoint's queue, and dropped where its link ends: losses that no link has. */
  QUEUE_BYPASSED: { weight: 'degraded', ...COUNTED },
  /** What is not counted takes no share, so that others get too much. */
  TRAFFIC_UNCOUNTED: { weight: 'degraded', ...COUNTED },
  /** The kernel does not have what the topology says, and the agent can't change that. */
  NOT_ENFORCED: { weight: 'invalid', ...FAILS },
  /** Put back as soon as it was noticed; until then traffic was neither delayed nor limited. */
  RULES_CHANGED: { weight: 'degraded', ...FAILS },
  /** Endpoints that should be there are not, or are not followed. */
  PLACE_WRONG: { weight: 'degraded', ...FAILS },
  /** Work of the agent that fails and is tried again: shares or paths may be old. */
  WORK_FAILS: { weight: 'degraded', ...FAILS },
  /** The agent's process did not run. Pauses of garbage collection and of a busy machine are below a quarter of it. */
  AGENT_STALLED: { weight: 'degraded', unit: 'ms', bound: 1000, holdsMs: 0, clearsMs: CALM_MS },
  /** All was in force only after the start, as after a crash: what was before, nobody has judged. Starts of agents differ by less. */
  AGENT_LATE: { weight: 'degraded', unit: 'ms', bound: 5000, holdsMs: 0, clearsMs: CALM_MS },
  /** Mean time between ticks, in ticks: at two, a share is a whole tick older than the design says. */
  TICKS_LATE: { weight: 'degraded', unit: 'ratio', bound: 2, holdsMs: 0, clearsMs: CALM_MS },
  /** From an event's instant until all of it was in force here. Idle machines take 1 to 5 ms; two ticks are seen in a plot. */
  EVENTS_LATE: { weight: 'degraded', unit: 'ms', bound: 100, holdsMs: 0, clearsMs: CALM_MS },
  /** The part of the processors that is idle. Applications wait for each other then, not for the network. Starts take some seconds. */
  CPU_SATURATED: {
    weight: 'degraded',
    unit: 'ratio',
    bound: 0.02,
    isFloor: true,
    holdsMs: 4000,
    clearsMs: CALM_MS,
  },
  /** The part that the hypervisor gave to others: agents and applications stand still without knowing. */
  CPU_STOLEN: { weight: 'degraded', unit: 'ratio', bound: 0.1, holdsMs: 2000, clearsMs: CALM_MS },
  /** The part of memory that is available: below, the kernel takes pages from those who use them. */
  MEMORY_SHORT: {
    weight: 'degraded',
    unit: 'ratio',
    bound: 0.03,
    isFloor: true,
    holdsMs: 2000,
    clearsMs: CALM_MS,
  },
  /** The agent is near the bound of its memory, at which it ends (agent/health/memory-room.ts). */
  AGENT_MEMORY: { weight: 'degraded', unit: 'ratio', bound: 0.8, holdsMs: 0, clearsMs: CALM_MS },
  /** The part of the time in which the agent's main thread worked: at all of it, ticks and events queue up. */
  AGENT_BUSY: { weight: 'degraded', unit: 'ratio', bound: 0.95, holdsMs: 4000, clearsMs: CALM_MS },
  /** Beyond the error of its measurement. Events of a file come at instants, and clocks in one rack agree to 1 ms. */
  CLOCK_APART: { weight: 'degraded', unit: 'ms', bound: 10, holdsMs: 2000, clearsMs: CALM_MS },
  /** Three heartbeats: then all hosts forget its flows, and share what they had. */
  HOST_SILENT: { weight: 'degraded', unit: 'ms', bound: SILENT_AFTER_MS, holdsMs: 0, clearsMs: CALM_MS },
  /** The least round trip of the latest requests to a host's agent. Half of it later, announcements and commands arrive. */
  GOSSIP_SLOW: { weight: 'degraded', unit: 'ms', bound: LATE_ANSWER_MS, holdsMs: 0, clearsMs: CALM_MS },
  /** It has other commands than this one. Passing one on takes a round trip; repairs come with the next heartbeat. */
  COMMANDS_APART: { weight: 'degraded', unit: 'times', bound: 0, holdsMs: 4000, clearsMs: CALM_MS },
  /** Two hosts claim the same, or have different topologies. */
  MESH_CONFLICT: { weight: 'degraded', unit: 'times', bound: 0, holdsMs: 0, clearsMs: CALM_MS },
  /** The real network takes longer than the path should. The bound is the path's latency. */
  UNDERLAY_SLOW: { weight: 'degraded', unit: 'ms', bound: 0, holdsMs: 0, clearsMs: CALM_MS },
  /** TCP's shortest round trip is less than the path's: its rule has no effect. The bound is the least that the path allows. */
  RTT_SHORT: { weight: 'invalid', unit: 'ms', bound: 0, isFloor: true, holdsMs: 0, clearsMs: WINDOW_MS },
  /** The shortest of the latest round trips is longer than the path's although no queue can have formed. */
  RTT_LONG: { weight: 'degraded', unit: 'ms', bound: 0, holdsMs: 0, clearsMs: WINDOW_MS },
  /** As many in a row as a path that loses what it should loses once in a million times, four at least; the bound is one less. */
  PROBES_LOST: { weight: 'degraded', unit: 'packets', bound: 3, holdsMs: 0, clearsMs: CALM_MS },
  /** What the real network to a host loses. Networks in a rack lose none; 2 % is what emulated losses are compared at. */
  UNDERLAY_LOSSY: { weight: 'degraded', unit: 'ratio', bound: 0.02, holdsMs: 0, clearsMs: CALM_MS },
} as const satisfies Readonly<Record<string, CauseRule>>;

export type CauseCode = keyof typeof rules;

export const CAUSES: Readonly<Record<CauseCode, CauseRule>> = rules;

/** Something that is so now. */
export interface Symptom {
  readonly code: CauseCode;
  /** `a.0 > b.0`, or with a star; absent: all of the host. */
  readonly path?: string;
  /** Absent: this one. */
  readonly host?: string;
  readonly message: string;
  readonly measured: number;
  /** Where it is not that of the table. */
  readonly bound?: number;
  /** When it began, if not now; on the clock of the judgement, ms. */
  readonly since?: number;
  /** For how long it must go on before it counts, where it is so clear that this need not be as long as the table says. */
  readonly holdsMs?: number;
}
