/** A lab's endpoints on its hosts, so that as little traffic as possible crosses between them. */
import { expandGraph } from '../../../topology/fold/graph.ts';
import type { Topology } from '../../../topology/model/model.ts';
import { MAX_ENDPOINTS_PER_HOST } from '../../machine/capacity.ts';
import { hostName } from '../../names.ts';
import { DEFAULT_PLACEMENT } from '../../placement/model.ts';
import { noWishes, placeEndpoints } from '../../placement/place.ts';
import { MAX_HOSTS } from './lab-plan.ts';

/** Per endpoint its host, of the topology as it is in the file; `undefined` for a number of hosts that no lab has. */
export function byTraffic(topology: Topology, hosts: number): Int32Array | undefined {
  if (!Number.isInteger(hosts) || hosts < 1 || hosts > MAX_HOSTS) return undefined;
  const graph = expandGraph(topology);
  const rooms = Array.from({ length: hosts }, (_, index) => {
    return { name: hostName(index), endpoints: MAX_ENDPOINTS_PER_HOST };
  });
  return placeEndpoints(graph, rooms, noWishes(graph), DEFAULT_PLACEMENT).hostOf;
}
