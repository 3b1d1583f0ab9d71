/** Containers as an engine tells of them, and what is asked of it. */

/** A container as the list of all has it. */
export interface Listed {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `running`, `exited` … */
  readonly state: string;
}

export interface Inspected {
  readonly id: string;
  readonly name: string;
  /** Of its first process; 0: none runs. */
  readonly pid: number;
  /** `bridge`, `host`, `none`, `container:ID`, or the name of a network. */
  readonly networkMode: string;
  /** Network → the container's addresses in it. */
  readonly networks: Readonly<Record<string, readonly string[]>>;
}

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
}
