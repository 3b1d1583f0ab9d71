/** Containers and pods as an engine tells of them, and what is asked of it. */

/** A container, or the sandbox of a pod, as the list of all has it. */
export interface Listed {
  readonly id: string;
  /** Of a pod `NAMESPACE/NAME`. */
  readonly name: string;
  readonly isPod?: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** `running`, `exited` … */
  readonly state: string;
}

export interface Inspected {
  readonly id: string;
  readonly name: string;
  readonly isPod?: boolean;
  /** Path of its network namespace, which may be the machine's own; `undefined`: nothing of it runs. */
  readonly namespacePath: string | undefined;
  /** `bridge`, `host`, `none`, `container:ID`, or the name of a network; of a pod `host` or `pod`. */
  readonly networkMode: string;
  /** Network → the container's addresses in it. */
  readonly networks: Readonly<Record<string, readonly string[]>>;
  /** File of this machine that it has as /etc/hosts; absent: none is known. */
  readonly hostsFile?: string;
}

/** For messages. */
export const called = ({ name, isPod }: Pick<Listed, 'name' | 'isPod'>): string =>
  `the ${isPod ? 'pod' : 'container'} ${name}`;

/** Whether it has processes, and with them a network: a paused one has. */
export const isRunning = ({ state }: Pick<Listed, 'state'>): boolean =>
  state === 'running' || state === 'paused';

/** What netfold asks an engine while an experiment runs. */
export interface EnginePort {
  /** All containers, also those that don't run. */
  list(): Promise<Listed[]>;
  /** `undefined` if there is no such container. */
  inspect(id: string): Promise<Inspected | undefined>;
  /** Calls `onContainer` with the id of each container that starts, ends or changes its networks. Resolves when there is no more news. */
  follow(onContainer: (id: string) => void, signal: AbortSignal): Promise<void>;
  /** Of these, those in which all that ran has ended; absent where a container ends with what runs in it. */
  ended?(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Gives up what it has open. */
  close?(): void;
}

/** What it is asked before. */
export interface CheckedEngine extends EnginePort {
  /** Throws `ContainerError` if netfold can't work with it. */
  require(): Promise<void>;
}
