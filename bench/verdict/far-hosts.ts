/**
 * A real latency between the hosts of a lab: all packets that one host sends to another are delayed on the way, those of
 * agents and of endpoints alike, or those of agents alone. They wait in the fabric, and arrive at the other host after that.
 */

import { namespacePath } from '../../agent/kernel/netns/namespace-files.ts';
import { DelayLine } from '../../agent/linux/delay-line/delay-line.ts';
import { loadPrograms } from '../../agent/linux/programs/programs.ts';
import { fabricNamespace } from '../../controller/platform/lab/lab-names.ts';
import { FIRST_PORT } from '../../controller/platform/lab/lab-plan.ts';
import type { Plan, PlannedHost } from '../../controller/platform/port/plan.ts';
import { packetImpairment } from '../../proto/impairment.ts';
import { micros } from '../../proto/units.ts';

export interface Distance {
  /** From now on. */
  set(oneWayMicros: number): Promise<void>;
  stop(): Promise<void>;
}

/** Gives all hosts a real latency of `oneWayMicros` to each other. The hosts must exist. `whose`: agents have the hosts' own addresses. */
export async function moveApart(
  { experiment, hosts, endpoints }: Plan,
  oneWayMicros: number,
  whose: 'all' | 'agents' = 'all',
): Promise<Distance> {
  const programs = loadPrograms(1);
  const line = new DelayLine({ seed: 1, arrivalFd: programs.arrivalFd });
  const of = (host: PlannedHost): string[] => [
    host.address,
    ...endpoints
      .filter((endpoint) => whose === 'all' && endpoint.host === host)
      .flatMap(({ addresses }) => addresses),
  ];
  const namespace = namespacePath(fabricNamespace(experiment));
  const ends = hosts.map((host) => {
    const destination = hosts.filter((other) => other !== host).flatMap(of);
    const port = { number: host.index, name: host.name, namespace, addresses: destination };
    return {
      ...{ source: of(host), destination },
      arrival: { ...port, ifname: host.name, ifindex: FIRST_PORT + host.index },
    };
  });
  for (const { arrival } of ends) await line.attach(arrival, false);
  const set = async (latency: number): Promise<void> => {
    const impairment = packetImpairment({ latency: micros(latency) });
    for (const { arrival, source, destination } of ends)
      await line.set(arrival, [{ source, destination, ...impairment }]);
  };
  await set(oneWayMicros);
  return {
    set,
    stop: async () => {
      await line.stop();
      await programs.close();
    },
  };
}
