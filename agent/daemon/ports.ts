/** The ports of an agent. system-ports.ts has the real ones; tests compose a whole agent from fakes. */

import type { Bootstrap, Exemption, LocalEndpoint } from '../../proto/bootstrap.ts';
import type { Author, Command, LeftOut } from '../../proto/command.ts';
import type { Lanes, Spread } from '../../proto/lanes.ts';
import type { Graph } from '../../topology/model/model.ts';
import type { Clock, Processor, Timers } from '../clock/clock.ts';
import type { ExperimentClock } from '../clock/experiment-clock.ts';
import type { EchoSeries } from '../conditions/senses.ts';
import type { ProbePort } from '../endpoints/probes.ts';
import type { ProcessPort } from '../endpoints/processes.ts';
import type { ChangeWatch, DelayBackend, RuleCounts, TcPort, TreeKeeper } from '../enforce/ports.ts';
import type { EchoPort } from '../fidelity/echoes.ts';
import type { MachineLoad } from '../health/machine-load.ts';
import type { TcpConnection } from '../kernel/netlink/tcp-connections.ts';
import type { Mesh } from '../mesh/exchange/mesh.ts';
import type { CommandGuard } from '../mesh/trust/command-guard.ts';
import type { KeyRing } from '../mesh/trust/key-ring.ts';
import type { MeshTransport } from '../mesh/wire/transport.ts';
import type { RealSource } from '../traffic/messages.ts';
import type { TrafficPort } from '../traffic/own-traffic.ts';
import type { UsageReader } from '../usage/reader.ts';

/** The agent's logger; pino's loggers have this type. */
export interface AgentLog {
  info(facts: object, text: string): void;
  warn(facts: object, text: string): void;
  error(error: Error): void;
}

/** The sizes of an agent's kernel objects. */
export interface KernelNeeds {
  /** The greatest number of pairs of addresses, of a local endpoint and any other. */
  readonly pairs: number;
  /** Addresses of all endpoints. */
  readonly addresses: number;
  /** The experiment whose agents may have left shaping on interfaces that outlive them. */
  readonly experiment: string;
  readonly delayBackend: Bootstrap['delayBackend'];
  readonly seed: number;
  /** The other end of the link of endpoint N has this index + N, in the agent's namespace; absent: it is elsewhere. */
  readonly firstPort?: number;
  /** Where pairs have several paths. */
  readonly spread?: Spread;
}

/** The kernel's part in an agent: counting, shaping, delaying. */
export interface Kernel {
  readonly usage: UsageReader;
  readonly tc: TcPort;
  readonly delay: DelayBackend;
  readonly changes: ChangeWatch;
  readonly keeper?: TreeKeeper;
  /**
   * After so many milliseconds everything passes unshaped, unless the lease is renewed before. Without a first lease,
   * shaping stays for ever.
   */
  renewLease(milliseconds: number): void;
  /** Where there is a lease: what is neither shaped nor counted, beside SSH and the mesh. */
  exempt(traffic: readonly Exemption[]): void;
  /** Counts what the endpoint sends from now on. */
  countTraffic(endpoint: LocalEndpoint): void;
  /** Counts again what is not counted any more, since the interface has been elsewhere. Returns whether that was so. */
  resumeCounting(endpoint: LocalEndpoint): boolean;
  /** Does nothing if it is not counted. */
  stopCounting(endpoint: LocalEndpoint): Promise<void>;
  /** Number of an endpoint → how many frames of it were dropped where its link ends, for they had passed its queue by. */
  strays(): ReadonlyMap<number, number>;
  /** What rules of links have done so far, by their texts. Absent: not known. */
  rules?(): ReadonlyMap<string, RuleCounts>;
  /** How many paths have more of them than there is room for. */
  crowdedRules?(): number;
  /** What the TCP connections of an endpoint have measured; none where there are very many. Absent: not known. */
  connections?(endpoint: LocalEndpoint): readonly TcpConnection[];
  /** Absent: paths can't be probed here. */
  readonly echoes?: EchoPort;
  /**
   * Sends a datagram from each endpoint to another one, and looks whether it meets netfold's root. Name of an endpoint → why it does
   * not. Absent: it can't be tried here.
   */
  tryPaths?(endpoints: readonly LocalEndpoint[]): Promise<ReadonlyMap<string, string>>;
  close(): Promise<void>;
}

/** The names that endpoints look up by DNS, and what they send to all. What can't be served is told, and no error. */
export interface NamesPort {
  /** Serves these endpoints, whose namespaces may be other ones than before. */
  attach(endpoints: readonly LocalEndpoint[]): Promise<void>;
  detach(number: number): Promise<void>;
  /** All endpoints whose addresses are known. */
  setKnown(known: readonly Pick<LocalEndpoint, 'number' | 'addresses'>[]): void;
  /** The topology that is in force. */
  setGraph(graph: Graph): void;
  stop(): Promise<void>;
}

/** Where applications tell what has happened. What can't be opened is told, and no error. */
export interface DoorsPort {
  /** All local endpoints. */
  set(endpoints: readonly LocalEndpoint[]): void;
  stop(): void;
}

export interface OpenMesh {
  readonly mesh: Mesh;
  readonly transport: MeshTransport;
  /** Absent: commands are not signed. */
  readonly guard?: CommandGuard | undefined;
  /** Absent: the mesh has none. */
  readonly keys?: KeyRing | undefined;
}

export interface MeshSurroundings {
  /** Names of the topology's endpoints, by number. */
  readonly endpointNames: readonly string[];
  readonly lanes: Lanes;
  readonly log: AgentLog;
  readonly time: ExperimentClock;
  /** What the author of a command lacks to give it; `undefined`: nothing. */
  readonly lacking: (command: Command, author: Author) => string | undefined;
  /** Which commands of a set are left out as old. */
  readonly leftOut: LeftOut;
  /** The commands by which the experiment has ended; absent: it goes on. */
  readonly ended?: () => readonly Command[];
  /** A peer that wants to join has received the invitation. */
  readonly onInvited?: (peer: string) => void;
}

export interface AgentPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly processor: Processor;
  readonly log: AgentLog;
  readonly processes: ProcessPort;
  readonly probes: ProbePort;
  /** How busy the machine is. Absent: not known. */
  readonly load?: () => MachineLoad;
  /** Throws if this machine can't; nothing is left then. */
  openKernel(needs: KernelNeeds): Kernel;
  /** Called if the bootstrap has `names`. */
  openNames(
    wanted: { readonly names: NonNullable<Bootstrap['names']>; readonly segments?: Bootstrap['segments'] },
    onProblem: (problem: string) => void,
  ): NamesPort;
  /** Called if the topology has traffic that sends packets. Absent: nothing is sent. */
  openTraffic?(sources: readonly RealSource[], onProblem: (problem: string) => void): TrafficPort;
  /** Called if the topology has sequences. `onNotify` gives the answer. */
  openDoors(
    onNotify: (endpoint: string, name: string) => string,
    onProblem: (problem: string) => void,
  ): DoorsPort;
  /** Echo requests from inside of an endpoint. `startAt`: of the timeline, in milliseconds since 1970. Absent: none can be sent. */
  openEchoes?(
    from: LocalEndpoint,
    how: { readonly address: string; readonly intervalMs: number; readonly startAt: number },
  ): EchoSeries;
  /** It has no connections yet. Throws for a key or identity that can't be read, or a port in use. */
  openMesh(surroundings: MeshSurroundings): Promise<OpenMesh>;
}
