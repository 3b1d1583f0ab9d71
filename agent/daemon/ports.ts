/** What an agent is composed from. system-ports.ts has the real ones; tests compose a whole agent from fakes. */
import type { Bootstrap, LocalEndpoint } from '../../proto/bootstrap.ts';
import type { Clock, Processor, Timers } from '../clock/clock.ts';
import type { ExperimentClock } from '../clock/experiment-clock.ts';
import type { ProcessPort } from '../endpoints/processes.ts';
import type { DelayBackend, TcPort, TreeKeeper } from '../enforce/ports.ts';
import type { Mesh } from '../mesh/exchange/mesh.ts';
import type { MeshTransport } from '../mesh/wire/transport.ts';
import type { UsageReader } from '../usage/reader.ts';

/** What an agent logs with; pino's loggers are one. */
export interface AgentLog {
  info(facts: object, text: string): void;
  warn(facts: object, text: string): void;
  error(error: Error): void;
}

/** How much an agent needs of the kernel. */
export interface KernelNeeds {
  /** Pairs of addresses, of a local endpoint and any other, at most. */
  readonly pairs: number;
  /** Addresses of all endpoints. */
  readonly addresses: number;
  /** An agent of this experiment may be shaping interfaces that outlive it. */
  readonly experiment: string;
  readonly delayBackend: Bootstrap['delayBackend'];
  readonly seed: number;
}

/** The kernel's part in an agent: counting, shaping, delaying. */
export interface Kernel {
  readonly usage: UsageReader;
  readonly tc: TcPort;
  readonly delay: DelayBackend;
  readonly keeper?: TreeKeeper;
  /**
   * From so many milliseconds from now on, unless it is renewed before, everything passes unshaped. Without a first lease
   * what is enforced stays for ever.
   */
  renewLease(milliseconds: number): void;
  /** Counts what the endpoint sends from now on. */
  countTraffic(endpoint: LocalEndpoint): void;
  /** Nothing where it is not counted. */
  stopCounting(endpoint: LocalEndpoint): Promise<void>;
  close(): Promise<void>;
}

export interface OpenMesh {
  readonly mesh: Mesh;
  readonly transport: MeshTransport;
}

export interface MeshSurroundings {
  /** Names of the topology's endpoints, by number. */
  readonly endpointNames: readonly string[];
  readonly log: AgentLog;
  readonly time: ExperimentClock;
}

export interface AgentPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly processor: Processor;
  readonly log: AgentLog;
  readonly processes: ProcessPort;
  /** Throws where this machine can't; then nothing of it is left. */
  openKernel(needs: KernelNeeds): Kernel;
  /** Nobody is connected yet. Throws for a key or identity that can't be read, a port in use. */
  openMesh(surroundings: MeshSurroundings): Promise<OpenMesh>;
}
