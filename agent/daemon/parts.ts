/** The parts of an agent, complete; compose.ts makes them. */
import type { Bootstrap } from '../../proto/bootstrap.ts';
import type { Command } from '../../proto/command.ts';
import type { Clock, Timers } from '../clock/clock.ts';
import type { ExperimentClock } from '../clock/experiment-clock.ts';
import type { Conditions } from '../conditions/conditions.ts';
import type { Control } from '../control/control.ts';
import type { Applications } from '../endpoints/applications.ts';
import type { DataGuard } from '../endpoints/data-room.ts';
import type { Enforcer } from '../enforce/enforcer.ts';
import type { CurrentEpoch } from '../epoch/current-epoch.ts';
import type { Fidelity } from '../fidelity/fidelity.ts';
import type { Mesh } from '../mesh/exchange/mesh.ts';
import type { CommandGuard } from '../mesh/trust/command-guard.ts';
import type { KeyRing } from '../mesh/trust/key-ring.ts';
import type { MeshTransport } from '../mesh/wire/transport.ts';
import type { LagCount } from '../runlog/lag.ts';
import type { RunLog } from '../runlog/run-log.ts';
import type { Tick } from '../tick/tick.ts';
import type { ExperimentEnd } from '../timeline/experiment-end.ts';
import type { Player, TimelineChanges } from '../timeline/player.ts';
import type { TimelineRunner } from '../timeline/runner.ts';
import type { OwnTraffic } from '../traffic/own-traffic.ts';
import type { WideArea } from '../underlay/wide-area.ts';
import type { KnownEndpoints } from './known-endpoints.ts';
import type { LocalEndpoints } from './local-endpoints.ts';
import type { AgentLog, DoorsPort, Kernel, NamesPort } from './ports.ts';
import type { ShapeKeeper } from './shape-keeper.ts';

export interface AgentParts {
  readonly bootstrap: Bootstrap;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: AgentLog;
  readonly runLog: RunLog;
  readonly lag: LagCount;
  /** Since the experiment's start. */
  readonly time: ExperimentClock;
  readonly player: Player;
  /** The changes of the start: the network is in force before it, only applications wait for it. */
  readonly beginning: TimelineChanges;
  readonly timeline: TimelineRunner;
  readonly control: Control;
  /** Who may give which commands; absent: nobody signs. */
  readonly guard?: CommandGuard | undefined;
  /** The mesh's keys; absent: it has none. */
  readonly keys?: KeyRing | undefined;
  /** The name of who gave a command. */
  readonly giverOf: (command: Command) => string;
  readonly epoch: CurrentEpoch;
  readonly applications: Applications;
  readonly dataGuard: DataGuard;
  readonly kernel: Kernel;
  readonly enforcer: Enforcer;
  readonly local: LocalEndpoints;
  readonly known: KnownEndpoints;
  readonly keeper: ShapeKeeper;
  readonly mesh: Mesh;
  readonly transport: MeshTransport;
  readonly tick: Tick;
  /** Absent where names are the machine's own. */
  readonly names: NamesPort | undefined;
  readonly traffic: OwnTraffic;
  /** Where applications tell what sequences wait for; absent where there are none. */
  readonly doors: DoorsPort | undefined;
  /** Expectations that sequences wait for. */
  readonly conditions: Conditions;
  readonly wideArea: WideArea;
  /** The verdict. */
  readonly fidelity: Fidelity;
  readonly end: ExperimentEnd;
}
