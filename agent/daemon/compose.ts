/**
 * Wires an agent's parts, from the kernel up, and returns them complete. Nothing runs yet: the lifecycle starts them,
 * and stops them in reverse order.
 */
import type { Bootstrap, LocalEndpoint } from '../../proto/bootstrap.ts';
import { type Command, MAX_ALL_COMMANDS, shownText } from '../../proto/command.ts';
import { MAX_LIMITS, MAX_RULES } from '../../proto/rules.ts';
import { fromMillis, micros, toSeconds } from '../../proto/units.ts';
import { count } from '../../proto/words.ts';
import { loadTopology } from '../../topology/load.ts';
import type { Topology } from '../../topology/model/model.ts';
import { trafficSources } from '../../topology/model/traffic.ts';
import { addressesPerEndpoint } from '../bootstrap/address-bound.ts';
import { ExperimentClock } from '../clock/experiment-clock.ts';
import { Conditions } from '../conditions/conditions.ts';
import { withContainers } from '../containers/own-container.ts';
import { CommandJournal } from '../control/command-journal.ts';
import { Control } from '../control/control.ts';
import { Applications, logOf } from '../endpoints/applications.ts';
import { DataGuard, DataRoom, sizesBelow } from '../endpoints/data-room.ts';
import { Enforcer } from '../enforce/enforcer.ts';
import { CurrentEpoch } from '../epoch/current-epoch.ts';
import { AgentError } from '../errors.ts';
import { Fidelity } from '../fidelity/fidelity.ts';
import { requireChange, requireImpairments, UnsupportedNow } from '../linux/delay/delay-backend.ts';
import type { Mesh } from '../mesh/exchange/mesh.ts';
import { listen } from '../notify/listening.ts';
import { followLag } from '../runlog/lag.ts';
import { RunLog } from '../runlog/run-log.ts';
import { REHEARSAL, rehearse } from '../shape/rehearsal.ts';
import { Shaping } from '../shape/shaping.ts';
import { Tick } from '../tick/tick.ts';
import { refuseLives } from '../timeline/command-check.ts';
import { ExperimentEnd } from '../timeline/experiment-end.ts';
import { readCommand } from '../timeline/known-command.ts';
import { Player } from '../timeline/player.ts';
import { TimelineRunner } from '../timeline/runner.ts';
import { OwnTraffic } from '../traffic/own-traffic.ts';
import { WideArea } from '../underlay/wide-area.ts';
import { KnownEndpoints } from './known-endpoints.ts';
import { Lifecycle } from './lifecycle.ts';
import { LocalEndpoints } from './local-endpoints.ts';
import { keepKeys } from './open-mesh.ts';
import type { AgentParts } from './parts.ts';
import type { AgentPorts, Kernel } from './ports.ts';
import { Reactions } from './reactions.ts';
import { segmentsOf, sensesOf, trafficOf } from './senses.ts';
import { ShapeKeeper } from './shape-keeper.ts';

export interface Agent {
  readonly parts: AgentParts;
  readonly reactions: Reactions;
  readonly lifecycle: Lifecycle;
}

/** Throws what `openKernel` and `openMesh` throw, `TOO_MANY_PAIRS` and `IMPAIRMENT_UNSUPPORTED`; then nothing is left open. */
export async function composeAgent(bootstrap: Bootstrap, ports: AgentPorts): Promise<Agent> {
  const plan = readPlan(bootstrap, ports);
  const { clock, timers } = ports;
  const kernel = openKernel(bootstrap, plan.epoch, ports);
  try {
    requireImpairments(kernel.delay.name, plan.topology);
    const enforcer = new Enforcer({
      ...{ tc: kernel.tc, delay: kernel.delay, clock, timers },
      ...(kernel.keeper && { keeper: kernel.keeper }),
      takeOver: bootstrap.takeOver ?? false,
    });
    const shaping = new Shaping({
      ...{ enforcer, epoch: plan.epoch.value, clock, timers },
      expected: bootstrap.endpoints.length,
    });
    const rights = plan.player.rights(bootstrap.mesh.assignment);
    const opened = await ports.openMesh({
      endpointNames: plan.epoch.endpointNames,
      lanes: plan.epoch.value.lanes,
      ...{ log: ports.log, time: plan.time },
      lacking: (command, author) => rights.lacking(command, author),
      leftOut: plan.player.leftOut,
    });
    return wire(bootstrap, ports, { ...plan, ...opened, kernel, enforcer, shaping });
  } catch (error) {
    await kernel.close();
    throw error;
  }
}

type Plan = ReturnType<typeof readPlan>;

/** The parts that follow from the topology alone. */
function readPlan({ topology: { text, file, script } }: Bootstrap, { clock, log }: AgentPorts) {
  const { topology } = loadTopology(text, file, script);
  const player = new Player(topology, ({ position }, { message }) =>
    log.warn({ line: position.line }, `an event changes nothing: ${message}`),
  );
  const beginning = player.advance(micros(0));
  const time = new ExperimentClock(clock);
  const runLog = new RunLog({ now: () => time.now() });
  return { topology, player, beginning, time, runLog, epoch: new CurrentEpoch(player.graph) };
}

/** The kernel's tables are made once: so many more endpoints than at the start may come to this host. */
const LATER_ENDPOINTS = 32;

function openKernel(bootstrap: Bootstrap, epoch: CurrentEpoch, ports: AgentPorts): Kernel {
  const { endpoints, experiment, seed, delayBackend, segments } = bootstrap;
  // A pair of endpoints has a pair of addresses in each family.
  const addresses = epoch.endpointNames.length * addressesPerEndpoint(bootstrap);
  const { lanes } = epoch.value;
  const pairs = (endpoints.length + LATER_ENDPOINTS) * addresses * lanes.most;
  const spread = { lanes, seed: Number.parseInt(bootstrap.topology.hash.slice(0, 8), 16) };
  return ports.openKernel({
    ...{ pairs, addresses, experiment, delayBackend, seed, ...segments },
    ...(lanes.areSeveral && { spread }),
  });
}

interface Opened {
  readonly kernel: Kernel;
  readonly enforcer: Enforcer;
  readonly shaping: Shaping;
  readonly mesh: Mesh;
  readonly transport: AgentParts['transport'];
  readonly guard?: AgentParts['guard'];
  readonly keys?: AgentParts['keys'];
}

function wire(bootstrap: Bootstrap, ports: AgentPorts, built: Plan & Opened): Agent {
  const { clock, timers, log, processes, probes } = ports;
  const { topology, player, beginning, time, runLog, epoch, kernel, enforcer, shaping } = built;
  const { mesh, transport, guard, keys } = built;
  const giverOf = (command: Command): string => guard?.nameOf(command) ?? `agent ${command.origin}`;
  const traffic = new OwnTraffic(
    trafficSources(topology.traffic ?? [], epoch.value.graph),
    player.trafficWindows,
    ports.openTraffic && ((real) => ports.openTraffic!(real, (problem) => keeper.note(problem))),
  );
  const tick = new Tick(
    {
      ...{ clock, usage: kernel.usage, mesh, shaping },
      onFailure: (error) => log.error(error),
      onAnnounced: (changes) => reactions.flowsAnnounced(changes),
      onEnforced: (shares) => reactions.sharesEnforced(shares),
      simulated: () => traffic.simulated.at(timeline.nowMicros),
    },
    epoch.value,
  );
  const timeline = new TimelineRunner({
    ...{ player, time, timers, log: runLog, giverOf },
    apply: (changes) => reactions.applyChanges(changes),
    changedAt: () => kernel.delay.changedAt,
    onPlan: () => traffic.setWindows(player.trafficWindows),
  });
  const local = new LocalEndpoints({
    ...{ kernel, shaping, names: epoch.endpointNames },
    onChange: (endpoints) => reactions.localChanged(endpoints),
  });
  const room = new DataRoom(bootstrap.dataFolder);
  const keeper = new ShapeKeeper({
    ...{ clock, timers, log, runLog, epoch, shaping, room },
    ...{ delay: kernel.delay, usage: kernel.usage, changes: kernel.changes },
    strays: () => kernel.strays(),
    resumeCounting: (number) => {
      const endpoint = local.get(number);
      return endpoint !== undefined && kernel.resumeCounting(endpoint);
    },
    awaited: () => (bootstrap.partial ? local.all.length : epoch.endpointNames.length),
    mayAudit: () => lifecycle.state === 'ready' || lifecycle.state === 'running',
    rehearse: async () => {
      if (bootstrap.triesPaths) await requireEffect(kernel, local.all);
      return rehearseChanges(ports, { epoch, local, shaping, enforcer });
    },
    onShaped: () => lifecycle.shaped(),
    onRead: (endpoint, corrected) => parts.fidelity.readBack(endpoint, corrected),
  });
  const known = new KnownEndpoints(runLog);
  const wideArea = createWideArea(bootstrap, ports, { mesh, transport, tick, keeper, epoch });
  const seen = trafficOf({ kernel, mesh, tick, epoch, known, wideArea });
  const parts: AgentParts = {
    ...{ bootstrap, clock, timers, log, runLog, time, player, beginning, epoch, timeline },
    ...{ kernel, enforcer, local, keeper, mesh, transport, tick, guard, keys, giverOf },
    lag: followLag(runLog),
    ...{ known, traffic },
    applications: new Applications({
      ...{ processes, probes, clock, timers, logFolder: bootstrap.logFolder },
      topology: bootstrap.containers ? withContainers(topology) : topology,
      endpointNames: epoch.endpointNames,
      isPresent: (endpoint) => player.isPresent(endpoint),
      isReadyElsewhere: (endpoint) => mesh.view.isReady(endpoint),
      onReady: () => reactions.readyChanged(),
      onEnded: () => reactions.lifeEnded(),
      onProgramEnd: (endpoint, { sequence, step }, code) =>
        parts.control.tell(
          ['ended', sequence, step, endpoint, ...(code === undefined ? [] : [code])].join(' '),
        ),
      onProblem: (problem) => keeper.note(problem),
      attempt: (what, work) => keeper.attempt(what, work),
    }),
    control: createControl(bootstrap, topology, { player, time, mesh, clock, guard, giverOf, kernel }),
    dataGuard: new DataGuard({
      ...{ timers, room, sizes: sizesBelow },
      stop: (endpoint, why) => parts.applications.endFor(endpoint, why),
    }),
    doors: openDoors(
      bootstrap,
      ports,
      player,
      (text) => parts.control.tell(text),
      (problem) => keeper.note(problem),
    ),
    conditions: new Conditions(
      {
        ...{ timers, senses: sensesOf(ports, seen, () => parts) },
        now: () => timeline.nowMicros,
        sequences: () => player.sequences,
        local: () => local.all,
        tell: (text) => parts.control.tell(text),
        onProblem: (problem) => keeper.note(problem),
      },
      player.awaited.conditions,
    ),
    names: openNames(bootstrap, ports, (problem) => keeper.note(problem)),
    wideArea,
    fidelity: new Fidelity({
      ...{ clock, timers, runLog, mesh, host: bootstrap.host, tickMs: bootstrap.tickMs, kept: keeper },
      ...{ delay: kernel.delay, usage: kernel.usage, names: epoch.endpointNames, load: ports.load },
      onFailure: (error) => log.error(error),
      failing: () => [...keeper.failing, ...tick.problems, ...reactions.problems],
      isWhole: !bootstrap.partial,
      state: () => lifecycle.state,
      sinceStart: () => time.now(),
      ticks: () => reactions.ticks.count,
      strays: () => kernel.strays(),
      local: () => local.all,
      slowPaths: (longer) => {
        wideArea.setLonger(longer);
        const here = local.all.map(({ number }) => number);
        return wideArea.underlay(epoch.value, here).tooSlow;
      },
      traffic: seen,
      // On interfaces that others use, netfold sends nothing of its own.
      ...(bootstrap.leaseMs === undefined && { echoes: kernel.echoes }),
      segments: () => segmentsOf(mesh, transport),
    }),
    end: new ExperimentEnd({ timers, time, quitAt: () => player.quitAt }),
  };
  const reactions = new Reactions(parts);
  keeper.watch(() => [...tick.problems, ...reactions.problems, ...(processes.problems?.() ?? [])]);
  const unsupported = new UnsupportedNow(kernel.delay.name);
  keeper.watch(() => unsupported.of(epoch.value.graph.links));
  keeper.watch(() => crowdedRules(kernel.crowdedRules?.() ?? 0));
  const lifecycle = new Lifecycle(parts, reactions);
  keeper.watch(() => lifecycle.problems);
  keepKeys(parts);
  followCommands(bootstrap, parts);
  return { parts, reactions, lifecycle };
}

function crowdedRules(paths: number): string[] {
  if (paths === 0) return [];
  return [
    `of ${count(paths, 'path')}, rules beyond the first ${MAX_RULES}, or limits beyond ${MAX_LIMITS}, are without effect: leave some out`,
  ];
}

/** `undefined` where no sequence waits for anything. */
function openDoors(
  { logFolder }: Bootstrap,
  ports: AgentPorts,
  { awaited }: Player,
  tell: (text: string) => void,
  onProblem: (problem: string) => void,
): AgentParts['doors'] {
  if (awaited.isEmpty) return undefined;
  return listen<LocalEndpoint>({
    ...{ timers: ports.timers, logs: awaited.logs, tell },
    isAwaited: (name) => awaited.isAwaited(name),
    openDoors: (take) => ports.openDoors(take, onProblem),
    fileOf: (endpoint) => logOf(logFolder, endpoint),
  });
}

/** `undefined` where endpoints have the machine's names. */
function openNames(
  { names, segments }: Bootstrap,
  ports: AgentPorts,
  onProblem: (problem: string) => void,
): AgentParts['names'] {
  return names && ports.openNames({ names, ...(segments && { segments }) }, onProblem);
}

/** What is in force must have an effect: packets may pass tc by. Throws `AgentError`. */
async function requireEffect(kernel: Kernel, endpoints: readonly LocalEndpoint[]): Promise<void> {
  const [first] = (await kernel.tryPaths?.(endpoints)) ?? [];
  if (!first) return;
  const [name, why] = first;
  throw new AgentError('PATH_BYPASSED', `${name} would not be shaped: ${why}`);
}

/** Runs the code of a change. Returns whether a change is quick. */
async function rehearseChanges(
  { clock, timers, processor }: AgentPorts,
  {
    epoch,
    local,
    enforcer,
    shaping,
  }: Pick<AgentParts, 'epoch' | 'local' | 'enforcer'> & { shaping: Shaping },
): Promise<boolean> {
  const rehearsed = { epoch: epoch.value, local: local.all, delay: enforcer.delay };
  const changeMs = await rehearse({ ...rehearsed, clock, timers, processor }, REHEARSAL.changesMs);
  await shaping.reassert(REHEARSAL.reassertMs);
  return changeMs <= REHEARSAL.quickMs;
}

/** Plays the known commands, and keeps them for the next agent. */
function followCommands({ logFolder, host }: Bootstrap, parts: AgentParts): void {
  const { mesh, timeline, log, keeper, giverOf, end } = parts;
  mesh.commands.onChange((added) => {
    for (const command of added) {
      const { origin, at, text } = command;
      const facts = { origin, by: giverOf(command), at: toSeconds(micros(at)), text: shownText(text) };
      log.info(facts, 'command');
    }
    timeline.addCommands(added);
    end.look();
  });
  const journal = new CommandJournal(logFolder, host);
  const refused = mesh.view.door.take(journal.read());
  if (refused) log.warn({ code: refused.rejected }, `commands that were kept: ${refused.reason}`);
  let unkept: Command[] = [];
  // They are in force whether or not there is room for the file: a full disk must not keep them from the other hosts.
  mesh.commands.onChange((added) => {
    unkept = [...unkept, ...added].slice(-MAX_ALL_COMMANDS);
    keeper.attempt('keeping commands for the next agent', () => {
      journal.append(unkept, () => mesh.commands.all());
      unkept = [];
    });
  });
}

function createControl(
  { host, lives }: Bootstrap,
  topology: Topology,
  parts: Pick<AgentParts, 'player' | 'time' | 'mesh' | 'clock' | 'guard' | 'giverOf' | 'kernel'>,
): Control {
  const { player, time, mesh, clock, guard, giverOf, kernel } = parts;
  return new Control({
    host,
    now: () => time.now(),
    check: (command, now) => {
      if (lives) refuseLives(command, topology, lives);
      requireChange(kernel.delay.name, readCommand(command).event?.action);
      player.check(command, micros(now));
    },
    revision: () => player.revision,
    ...{ scope: guard?.scope, self: guard?.self, giverOf },
    lacking: (command) => guard?.refuseRights(command)?.reason,
    place: (what, author) => mesh.own.place(what, author),
    issue: (what) => mesh.command(what),
    give: (command) => mesh.own.give(command),
    ...{ history: () => player.history(), folded: () => player.folded },
    hosts: () => mesh.view.hosts(),
    silent: () => mesh.view.silentHosts(clock.now()),
    longestRoundTrip: () => {
      const { peers } = mesh.clocks.status();
      return Math.max(0, ...peers.map(({ rttMs }) => fromMillis(rttMs ?? 0)));
    },
  });
}

function createWideArea(
  { metadataBudgetBps, changeThreshold, partial }: Bootstrap,
  { clock, timers }: AgentPorts,
  parts: Pick<AgentParts, 'mesh' | 'transport' | 'tick' | 'keeper' | 'epoch'>,
): WideArea {
  const { mesh, transport, tick, keeper, epoch } = parts;
  return new WideArea(
    {
      ...{ mesh, transport, clock, timers },
      onRealLatency: (realLatency) =>
        void tick.setRealLatency(realLatency).catch((error: Error) => keeper.fail(error)),
      onCoarseness: (coarseness) => tick.setCoarseness(coarseness),
    },
    {
      endpoints: epoch.endpointNames.length,
      isOneMachine: !partial,
      budgetBps: metadataBudgetBps,
      threshold: changeThreshold,
    },
  );
}
