/**
 * A real latency between the hosts of a lab: all packets that one host receives from another are delayed, those of
 * agents and of endpoints alike, or those of agents alone.
 */

import { namespacePath } from '../../agent/kernel/netns/namespace-files.ts';
import { DelayLine } from '../../agent/linux/delay-line/delay-line.ts';
import { loadPrograms } from '../../agent/linux/programs/programs.ts';
import { FABRIC_INTERFACE } from '../../controller/platform/lab/lab-plan.ts';
import type { Plan, PlannedHost } from '../../controller/platform/port/plan.ts';
import { packetImpairment } from '../../proto/impairment.ts';
import { micros } from '../../proto/units.ts';

export interface Distance {
  stop(): Promise<void>;
}

/** Gives all hosts a real latency of `oneWayMicros` to each other. The hosts must exist. `whose`: agents have the hosts' own addresses. */
export async function moveApart(
  { hosts, endpoints }: Plan,
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
  for (const host of hosts) {
    const arrival = {
      number: host.index,
      name: host.name,
      namespace: namespacePath(host.namespace),
      ifname: FABRIC_INTERFACE.name,
      ifindex: FABRIC_INTERFACE.index,
      addresses: of(host),
    };
    await line.attach(arrival, false);
    const paths = hosts
      .filter((other) => other !== host)
      .map((other) => ({
        source: of(other),
        destination: of(host),
        ...packetImpairment({ latency: micros(oneWayMicros) }),
      }));
    await line.set(arrival, paths);
  }
  return {
    stop: async () => {
      await line.stop();
      await programs.close();
    },
  };
}
