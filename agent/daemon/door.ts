/** The implementation of the agent's API (api.ts) on the agent's parts. */
import type { Bootstrap, LocalEndpoint } from '../../proto/bootstrap.ts';
import type { Sample } from '../../proto/metrics/table.ts';
import { toMillis } from '../../proto/units.ts';
import { encodeGraph } from '../../topology/model/graph-json.ts';
import { pinnedPath, unpinnedPath } from '../kernel/netns/namespaces.ts';
import { agentSamples } from '../metrics/samples.ts';
import { trafficOf } from '../metrics/traffic.ts';
import type { AgentDoor } from './api.ts';
import type { Agent } from './compose.ts';
import { LogPages } from './log-pages.ts';
import { agentRecord } from './record.ts';
import { agentFlows, agentNews, agentStatus } from './status.ts';
import { agentView } from './view.ts';

/** `stop`: ends the agent. */
export function openDoor({ parts, reactions, lifecycle }: Agent, stop: () => void): AgentDoor {
  const { bootstrap, runLog, timers, clock, local, control, time, mesh } = parts;
  const pages = new LogPages({ host: bootstrap.host, incarnation: clock.wallNow(), runLog, timers });
  return {
    status: () => agentStatus({ state: lifecycle.state, ticks: reactions.ticks, parts }),
    flows: () => agentFlows(parts),
    view: () => agentView({ state: lifecycle.state, parts }),
    graph: () => ({
      now: time.now() ?? null,
      epoch: parts.player.epoch,
      graph: encodeGraph(parts.epoch.value.graph),
    }),
    record: () => agentRecord(parts),
    verdict: () => ({ ...parts.fidelity.verdict(true), ...parts.fidelity.proofs() }),
    news: async ({ measuredAfter, ...query }) => ({
      ...agentNews({ parts, ticks: reactions.ticks, measuredAfter }),
      log: await pages.read({ ...query, waitMs: 0 }),
    }),
    metrics,
    log: (query) => pages.read(query),
    bootstrap: () => ({
      ...bootstrap,
      mesh: {
        ...bootstrap.mesh,
        ...(parts.keys && { key: parts.keys.newest }),
        peers: [...new Set([...bootstrap.mesh.peers, ...addressesOfOthers()])],
      },
      endpoints: local.all.map(toldOf),
      ...startOf(),
    }),
    run: (startAt) => lifecycle.run(startAt),
    control: (request) => control.accept(request),
    place: (request) => control.place(request),
    signed: ({ command }) => control.give(command),
    commands: () => control.answer(),
    members: () => [
      ...mesh.view.hosts().map(({ name, peer }) => ({ name, peer, isPresent: true })),
      ...mesh.view.members.absent().map(({ name, peer }) => ({ name, peer, isPresent: false })),
    ],
    attach: (endpoint) => lifecycle.attach({ ...endpoint, namespace: pinnedPath(endpoint.namespace) }),
    detach: (number) => lifecycle.detach(number),
    connect: (addresses) => lifecycle.connect(addresses),
    setProblems: (problems) => parts.keeper.setPlaceProblems(problems),
    stop: () => {
      pages.stop();
      stop();
    },
  };

  function metrics(): Sample[] {
    const { epoch, fidelity, kernel, player, tick } = parts;
    const shares = tick.shares.map(({ source, destination, ceilingBps: shareBps }) => {
      return { source, destination, shareBps, rateBps: tick.meter.get(source, destination)?.rateBps ?? 0 };
    });
    return agentSamples({
      experiment: bootstrap.experiment,
      status: agentStatus({ state: lifecycle.state, ticks: reactions.ticks, parts }),
      verdict: fidelity.verdict(true),
      commands: player.history(),
      graph: epoch.value.graph,
      traffic: trafficOf({
        ...{ epoch: epoch.value, own: shares, self: bootstrap.host },
        forEachRemote: (tell) => mesh.view.forEachRemoteFlow(tell),
        local: local.all.map(({ number }) => number),
        hosts: mesh.view.hosts().map(({ name }) => name),
      }),
      probes: fidelity.probes,
      uncounted: kernel.usage.uncounted() + kernel.usage.unlisted,
      bypassed: [...kernel.strays().values()].reduce((sum, frames) => sum + frames, 0),
      tickMs: reactions.ticks.totalMs,
    });
  }

  /** In the form that another process can use. */
  function toldOf(one: LocalEndpoint): Bootstrap['endpoints'][number] {
    return { ...one, addresses: [...one.addresses], namespace: unpinnedPath(one.namespace) };
  }

  /** Where the agents are that are there now. */
  function addressesOfOthers(): string[] {
    const others = mesh.view.hosts().filter(({ self }) => !self);
    return others.flatMap(({ meshAddresses }) => meshAddresses);
  }

  /** As a date of this machine; empty before it is known. */
  function startOf(): Pick<Bootstrap, 'startAt'> {
    const now = time.exact();
    return now === undefined ? {} : { startAt: clock.wallNow() - toMillis(now) };
  }
}
