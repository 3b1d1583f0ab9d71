/** The real ports of an agent: this machine's clock, its kernel, processes, and libp2p. */
import { existsSync } from 'node:fs';
import type { Bootstrap } from '../../proto/bootstrap.ts';
import { SYSTEM_TIME } from '../clock/clock.ts';
import { Pings } from '../conditions/pings.ts';
import { ContainerProcesses } from '../containers/container-processes.ts';
import { startedFile } from '../endpoints/applications.ts';
import { EndpointGroups } from '../endpoints/endpoint-groups.ts';
import { lifeOf } from '../endpoints/environment.ts';
import { Probes } from '../endpoints/probes.ts';
import { Processes } from '../endpoints/processes.ts';
import { readLoad } from '../health/machine-load.ts';
import { tcpConnections } from '../kernel/netlink/tcp-connections.ts';
import { destroyTcpSockets } from '../kernel/netlink/tcp-sockets-of-namespace.ts';
import { chooseDelayBackend, createDelayBackend } from '../linux/delay/delay-backend.ts';
import { EchoProbes } from '../linux/probe/echo-probes.ts';
import { tryPaths } from '../linux/probe/path-trial.ts';
import { probeMachine } from '../linux/probe/probe.ts';
import { loadPrograms } from '../linux/programs/programs.ts';
import { Journal } from '../linux/take-over/journal.ts';
import { journalKeeper } from '../linux/take-over/take-over.ts';
import { watchChanges } from '../linux/watch/announced-changes.ts';
import { NameServers } from '../names/name-servers.ts';
import { NotifyDoors } from '../notify/doors.ts';
import { Generators } from '../traffic/generators.ts';
import { openMesh } from './open-mesh.ts';
import type { AgentLog, AgentPorts, Kernel, KernelNeeds } from './ports.ts';

/** Listing so many takes 2 ms on a crowded machine, in which no event can be played. */
const MOST_CONNECTIONS = 200;

export function systemPorts(bootstrap: Bootstrap, log: AgentLog): AgentPorts {
  const { clock, timers } = SYSTEM_TIME;
  return {
    ...SYSTEM_TIME,
    ...{ log, openKernel },
    load: readLoad,
    ...applicationPorts(bootstrap),
    openNames: (wanted, onProblem) => new NameServers(wanted, onProblem),
    openTraffic: (sources, onProblem) => new Generators(sources, onProblem),
    openDoors: (onNotify, onProblem) =>
      new NotifyDoors({ onNotify, onProblem, lifeOf: (endpoint) => lifeOf(bootstrap.experiment, endpoint) }),
    openEchoes: ({ namespace }, how) => new Pings({ namespace, timers, ...how }),
    openMesh: (surroundings) => openMesh(bootstrap, { ...surroundings, clock, timers }),
  };
}

/** The engine's own name server in each container: its sockets are no application's. */
const DOCKERS_RESOLVER = '127.0.0.11';

function applicationPorts(bootstrap: Bootstrap): Pick<AgentPorts, 'processes' | 'probes'> {
  const { experiment, containers, logFolder } = bootstrap;
  const { timers } = SYSTEM_TIME;
  if (containers) {
    const hasBegun = (name: string): boolean => existsSync(startedFile(logFolder, name));
    const destroySockets = (namespace: string): void => void destroyTcpSockets(namespace, DOCKERS_RESOLVER);
    const both = new ContainerProcesses({ ...SYSTEM_TIME, containers, logFolder, hasBegun, destroySockets });
    return { processes: both, probes: both };
  }
  const groups = new EndpointGroups(experiment);
  return {
    processes: new Processes(bootstrap, timers, groups),
    probes: new Probes(bootstrap, timers, groups),
  };
}

/** Throws `DELAY_BACKEND_MISSING`, or `KernelError` if the programs can't be loaded. */
function openKernel(needs: KernelNeeds): Kernel {
  const { pairs, addresses, experiment, delayBackend, seed, firstPort, spread } = needs;
  const backend = chooseDelayBackend(delayBackend, probeMachine());
  const programs = loadPrograms(pairs, addresses, firstPort, spread);
  const changes = watchChanges();
  return {
    usage: programs.usage,
    tc: programs.tc,
    delay: createDelayBackend(backend, programs, seed, spread?.seed),
    changes,
    keeper: journalKeeper(new Journal(), experiment),
    renewLease: (milliseconds) => programs.renewLease(milliseconds),
    exempt: (traffic) => programs.exempt(traffic),
    countTraffic: (endpoint) => programs.countTraffic(endpoint),
    resumeCounting: (endpoint) => programs.resumeCounting(endpoint),
    stopCounting: (endpoint) => programs.stopCounting(endpoint),
    strays: () => programs.strays(),
    rules: () => programs.tc.ruleCounts(),
    crowdedRules: () => programs.tc.crowdedRules,
    connections: ({ namespace }) => tcpConnections(namespace, MOST_CONNECTIONS),
    echoes: new EchoProbes(backend === 'netem'),
    tryPaths: (endpoints) => tryPaths(endpoints, SYSTEM_TIME.timers),
    close: () => {
      changes.close();
      return programs.close();
    },
  };
}
