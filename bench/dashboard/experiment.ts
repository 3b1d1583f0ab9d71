/** An experiment of played agents, as a server finds it on its machine: its folder below /run/netfold, with state file and sockets. */
import { type ExperimentState, reserveExperiment, writeState } from '../../controller/experiment/state.ts';
import { removeFolder, removeIfEmpty } from '../../controller/machine/folders.ts';
import { agentSocket, experimentFolder, RUN_FOLDER } from '../../controller/names.ts';
import type { PlayedNetwork } from './network.ts';
import { PlayedAgent, TICK_MS } from './played-agent.ts';

export interface PlayedExperiment {
  readonly name: string;
  stop(): void;
}

/** Throws what `reserveExperiment` throws, and system errors. */
export async function playExperiment(name: string, network: PlayedNetwork): Promise<PlayedExperiment> {
  await reserveExperiment(name);
  const agents = network.hosts.map((host) => new PlayedAgent(network, host));
  const stop = (): void => {
    for (const agent of agents) agent.stop();
    removeFolder(experimentFolder(name));
    removeIfEmpty(RUN_FOLDER);
  };
  try {
    for (const agent of agents) await agent.listen(agentSocket(name, agent.host));
    writeState(playedState(name, network));
  } catch (error) {
    stop();
    throw error;
  }
  const timer = setInterval(() => {
    for (const agent of agents) agent.tick();
  }, TICK_MS);
  return {
    name,
    stop: () => {
      clearInterval(timer);
      stop();
    },
  };
}

/** What its state file has. Pure but for the date. */
export function playedState(name: string, network: PlayedNetwork): ExperimentState {
  return {
    ...{ name, topologyFile: network.topology.file, startedAt: new Date().toISOString(), platform: 'lab' },
    hosts: network.hosts.map((host) => ({ name: host, namespace: `netfold.${name}+${host}` })),
    endpoints: network.endpoints.map((endpoint, number) => ({
      ...{ name: endpoint.name, namespace: `netfold.${name}.${endpoint.name}`, ifindex: number + 1 },
      ...{ address: endpoint.address, addresses: [endpoint.address], host: endpoint.host },
    })),
  };
}
