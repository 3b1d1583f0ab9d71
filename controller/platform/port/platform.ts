/**
 * Where an experiment runs: the port that every platform implements (docs/platforms.md). All pass one contract suite:
 * test/support/fakes/platform-contract.ts.
 */
import type { Bootstrap } from '../../../proto/bootstrap.ts';
import type { Topology } from '../../../topology/model/model.ts';
import type { OnProgress } from '../../progress.ts';
import type { Plan, PlannedEndpoint, PlannedHost } from './plan.ts';

/** A method that throws gives the reason as a coded error, and leaves a state that `remove` can remove. */
export interface Platform<P extends Plan = Plan> {
  /** As in the registry and in state files. */
  readonly name: string;
  /** Whether its endpoints start from the images that the topology names. */
  readonly runsImages: boolean;
  /**
   * Where endpoints have files, users and limits of their own, and keep what their applications write: how to reach them. Absent:
   * they have those of this machine, and netfold keeps it.
   */
  readonly contained?: Contained;

  /**
   * Plans where each endpoint will be, or finds where those of a running experiment are. Reads the place and changes
   * nothing; refuses what does not fit there.
   */
  plan(wanted: Wanted | Standing): P | Promise<P>;

  /**
   * Makes what the plan contains: all of it or nothing, also when it is aborted. What exists already is left alone.
   * The experiment's folder exists. Returns the plan as it was made, where that is not known before.
   */
  make(plan: P, watch: Watch): Making<P> | Promise<Making<P>>;

  /** Starts the agent of a host, or adopts the one that runs there. */
  startAgent(host: PlannedHost, order: AgentOrder): RunningAgent | Promise<RunningAgent>;

  /** The words that run a command in an endpoint, as a process of this machine, with its input and output. Changes nothing. */
  exec(endpoint: EndpointPlace, command: readonly string[]): string[];

  /**
   * Ends an experiment's agents and everything else that runs in what was made for it, and removes that, whatever is
   * left of it and whichever process has made it. May be called twice, also at once. Returns what was done, one
   * phrase each.
   */
  remove(remains: Remains, onProgress?: OnProgress): Promise<string[]>;

  /** What is on this machine by its marks; no file is needed. */
  findLeftovers(where: LeftoverSearch): Leftover[] | Promise<Leftover[]>;
}

// biome-ignore lint/suspicious/noConfusingVoidType: most platforms return nothing.
type Making<P extends Plan> = P | void;

/** Gives words for processes of this machine, as `exec`. An engine may have to be asked for them. */
export interface Contained {
  exec(endpoint: EndpointPlace, command: readonly string[], how: ExecOptions): string[] | Promise<string[]>;
  /** Prints what the endpoint's application has written. `undefined`: netfold keeps it, as of other endpoints. */
  logs(
    endpoint: EndpointPlace,
    how: { readonly follow: boolean; readonly tail?: number },
  ): string[] | undefined | Promise<string[] | undefined>;
  /** What endpoints run, by name; those that can't be asked are left out. */
  images?(endpoints: readonly EndpointPlace[]): Promise<Record<string, RunImage>>;
}

/** Of a container: the name that it was made with, the engine's id of the image, and digests of registries. */
export interface RunImage {
  readonly name: string;
  readonly id: string;
  readonly digests: string[];
}

export interface ExecOptions {
  readonly user?: string;
  /** With all capabilities. */
  readonly privileged?: boolean;
  /** Whether input and output are a terminal. */
  readonly terminal?: boolean;
  /** Variables besides those that the endpoint has. */
  readonly env?: Readonly<Record<string, string>>;
}

/** An experiment that will be started. */
export interface Wanted {
  readonly experiment: string;
  readonly topology: Topology;
  /** Names, in the order of their numbers. */
  readonly endpoints: readonly string[];
  /** The platform's own; each has a type for them, and checks them. */
  readonly options: unknown;
}

/** An experiment that runs already, from the bootstraps of its agents. */
export interface Standing {
  readonly experiment: string;
  /** By host. */
  readonly standing: ReadonlyMap<string, Bootstrap>;
}

export interface Watch {
  /** Its `reason` is thrown after everything that was made was removed again. */
  readonly signal?: AbortSignal;
  /** Called for each step when it begins. */
  readonly onStep?: (step: string) => void;
  readonly onProgress?: OnProgress;
}

export interface AgentOrder {
  /** Program and arguments. */
  readonly words: readonly string[];
  /** The socket to serve. An agent that serves it already is the one that is meant. */
  readonly socket: string;
  /** File to which its output is appended. */
  readonly log: string;
  /** Whether a running agent is adopted; otherwise there is none. */
  readonly adopt: boolean;
  /** For a platform whose endpoints come and go: it may be used until the agent has ended. */
  readonly door: EndpointDoor;
}

/**
 * Reports endpoints to the agent of one host while the experiment runs. When the namespace of an endpoint was
 * replaced, the platform attaches the endpoint again at its present place. Rejects with the agent's refusal; with
 * `UNREACHABLE` while the agent restarts, and then has to be called again.
 */
export interface EndpointDoor {
  /** Those of the host now, as the experiment has recorded them. */
  endpoints(): readonly PlannedEndpoint[];
  /** Replaces the one with its number. */
  attach(endpoint: PlannedEndpoint): Promise<void>;
  detach(number: number): Promise<void>;
  /** Names of endpoints that other hosts have, as the agent knows. */
  elsewhere(): Promise<ReadonlySet<string>>;
  /** What is wrong now at the place of the endpoints, one sentence each: in the agent's status until it is told others, or none. */
  tell(problems: readonly string[]): Promise<void>;
}

export interface RunningAgent {
  /** On this machine; `undefined` if it could not be started, or is elsewhere. */
  readonly pid: number | undefined;
  /** Resolves with the way in which it has ended. */
  readonly exited: Promise<string>;
  /** What it ended with, one of netfold's exit codes; absent or null: not known. */
  readonly exitCode?: () => number | null;
}

/** Of a plan, or of a state file. */
export type EndpointPlace = Pick<PlannedEndpoint, 'name' | 'namespace'>;

export interface Remains {
  readonly experiment: string;
  /** Those of a state file; none if there is no file. */
  readonly endpoints: readonly (EndpointPlace & { readonly ifindex: number })[];
  /** Ids of its agents that run now, on this machine. */
  readonly agents: () => readonly number[];
}

/**
 * - `experiments`: everything with the name of an experiment. Needs no rights and little time: `netfold ls` asks for
 *   it.
 * - `machine`: everything, also leftovers whose experiment is not known.
 */
export type LeftoverSearch = 'experiments' | 'machine';

export interface Leftover {
  /** For messages: `the HTB root of eth0 in web`. */
  readonly what: string;
  /** Absent if it is not known; then this `remove` removes it by itself. */
  readonly experiment?: string;
  /** The host whose place it is. */
  readonly host?: string;
  /** Calling it twice does no harm. */
  remove(): void | Promise<void>;
}
