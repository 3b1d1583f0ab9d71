/** How services are told to an agent whose endpoints are containers that netfold has made. Pure. */
import type { Service, Topology } from '../../topology/model/model.ts';

/** Stands for the container of a service where others have a command for a shell, none of which has this character. */
export const OWN_CONTAINER = '\0';

/** The same topology, in which a service with an image runs that, and nothing else. */
export function withContainers(topology: Topology): Topology {
  return { ...topology, services: topology.services.map(ofContainer) };
}

function ofContainer({ run: _, ...service }: Service): Service {
  return service.image === undefined ? service : { ...service, run: OWN_CONTAINER };
}
