/** Which actions begin or end what runs in endpoints, besides changing the network. */
import type { EventAction, Target } from './events.ts';
import type { Topology } from './model.ts';

/** `disconnect`, `flap` and the like only cut the network; bridges and links join and leave without any application. */
export function changesLives(action: EventAction, { services }: Pick<Topology, 'services'>): boolean {
  switch (action.verb) {
    case 'crash':
    case 'churn':
    case 'scatter':
    case 'run':
    case 'signal':
      return true;
    case 'join':
    case 'leave':
      return action.targets.some((target) => mayBeEndpoint(target, services));
    default:
      return false;
  }
}

function mayBeEndpoint(target: Target, services: Topology['services']): boolean {
  if (target.kind === 'all') return true;
  if (target.kind === 'tag') return services.some(({ tags }) => tags.includes(target.tag));
  return target.kind === 'node' && services.some(({ name }) => name === target.node.name);
}
