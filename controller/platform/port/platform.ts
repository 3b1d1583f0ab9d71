/**
 * Where an experiment runs: the port that every platform is an implementation of (docs/platforms.md). One contract suite
 * holds for all of them: test/support/fakes/platform-contract.ts.
 */
import type { Bootstrap } from '../../../proto/bootstrap.ts';
import type { Topology } from '../../../topology/model/model.ts';
import type { OnProgress } from '../../progress.ts';
import type { Plan, PlannedEndpoint, PlannedHost } from './plan.ts';

/** A method that throws says why with a coded error and leaves `remove` able to take away what is there. */
export interface Platform<P extends Plan = Plan> {
  /** As in the registry and in state files. */
  readonly name: string;
  /** Its endpoints start from the images that the topology names. */
  readonly runsImages: boolean;

  /**
   * Says where each endpoint is to be, or where those of a running experiment are. Looks at the place and changes nothing
   * of it; refuses what does not fit there.
   */
  plan(wanted: Wanted | Standing): P | Promise<P>;

  /**
   * Makes what the plan says: all of it or nothing, also when it is aborted. What is there already is left alone. The
   * experiment's folder exists.
   */
  make(plan: P, watch: Watch): void | Promise<void>;

  /** Starts the agent of a host, or takes over the one that runs there. */
  startAgent(host: PlannedHost, order: AgentOrder): RunningAgent | Promise<RunningAgent>;

  /** The words that run a command in an endpoint, as a process of this machine, with its input and output. Pure. */
  exec(endpoint: EndpointPlace, command: readonly string[]): string[];

  /**
   * Ends an experiment's agents and whatever else runs in what was made for it, and takes that away, whatever is left of it
   * and whoever has made it. May be called twice, also at once. Returns what there was to do, one phrase each.
   */
  remove(remains: Remains, onProgress?: OnProgress): Promise<string[]>;

  /** What is on this machine by the marks that it bears; no file has to tell of it. */
  findLeftovers(where: LeftoverSearch): Leftover[] | Promise<Leftover[]>;
}

/** An experiment that is to be. */
export interface Wanted {
  readonly experiment: string;
  readonly topology: Topology;
  /** Names, in the order of their numbers. */
  readonly endpoints: readonly string[];
  /** The platform's own; each has a type for them, and checks them. */
  readonly options: unknown;
}

/** An experiment that runs already, by what its agents were told. */
export interface Standing {
  readonly experiment: string;
  /** By host. */
  readonly standing: ReadonlyMap<string, Bootstrap>;
}

export interface Watch {
  /** What its `reason` is, is thrown when everything that was made is removed again. */
  readonly signal?: AbortSignal;
  /** Told of each step as it begins. */
  readonly onStep?: (step: string) => void;
  readonly onProgress?: OnProgress;
}

export interface AgentOrder {
  /** Program and arguments. */
  readonly words: readonly string[];
  /** Where it is to serve. An agent that serves there already is the one that is meant. */
  readonly socket: string;
  /** File that its output is appended to. */
  readonly log: string;
  /** Whether one that runs is taken; otherwise there is none. */
  readonly adopt: boolean;
  /** For a platform whose endpoints come and go: it may be used until the agent has ended. */
  readonly door: EndpointDoor;
}

/**
 * Tells the agent of one host of its endpoints, while the experiment runs. Who sees that the namespace of an endpoint has
 * become another one attaches the endpoint again, with where it is now. Rejects with what the agent refuses it with; with
 * `UNREACHABLE` while the agent is started again, and then is to be called again.
 */
export interface EndpointDoor {
  /** In place of the one of its number. */
  attach(endpoint: PlannedEndpoint): Promise<void>;
  detach(number: number): Promise<void>;
}

export interface RunningAgent {
  /** On this machine; `undefined` where it could not be started, or is elsewhere. */
  readonly pid: number | undefined;
  /** Resolves with how it has ended. */
  readonly exited: Promise<string>;
}

/** Of a plan, or of a state file. */
export type EndpointPlace = Pick<PlannedEndpoint, 'name' | 'namespace'>;

export interface Remains {
  readonly experiment: string;
  /** Those that a state file tells of; none where there is no file. */
  readonly endpoints: readonly (EndpointPlace & { readonly ifindex: number })[];
}

/**
 * - `experiments`: what bears the name of an experiment. Needs no rights and little time: `netfold ls` asks for it.
 * - `machine`: everything, also what nobody can tell the experiment of.
 */
export type LeftoverSearch = 'experiments' | 'machine';

export interface Leftover {
  /** For people: `the HTB root of eth0 in web`. */
  readonly what: string;
  /** Absent where nothing tells it; then `remove` takes it away on its own. */
  readonly experiment?: string;
  /** The host whose place it is. */
  readonly host?: string;
  /** Doing it twice does no harm. */
  remove(): void | Promise<void>;
}
