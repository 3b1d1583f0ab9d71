/** What an explanation is about: endpoints by their names, and the flows of a running experiment. Pure. */
import type { Flow } from '../../agent/share/model.ts';
import type { AgentView } from '../../proto/view.ts';
import type { Graph } from '../../topology/model/model.ts';
import { endpointName, suggest } from '../../topology/model/names.ts';
import { ControllerError } from '../errors.ts';

/** The number of `server.1`, or of `server` if there is only one replica. Throws `NODE_UNKNOWN`. */
export function endpointNumber({ endpoints }: Pick<Graph, 'endpoints'>, name: string): number {
  const found = endpoints.indexOf(name);
  const isOne = found < 0 && !endpoints.includes(endpointName(name, 1));
  const number = isOne ? endpoints.indexOf(endpointName(name, 0)) : found;
  if (number >= 0) return number;
  if (!isOne)
    throw new ControllerError(
      'NODE_UNKNOWN',
      `"${name}" has several replicas`,
      `say which one, e.g. ${endpointName(name, 0)}`,
    );
  throw new ControllerError(
    'NODE_UNKNOWN',
    `there is no endpoint "${name}"`,
    suggest(name, [...endpoints], `endpoints are ${endpoints.slice(0, 10).join(' ')}`),
  );
}

/** Flows that are announced, by the numbers of their endpoints; `names`: of all endpoints. */
export function flowsSeen({ flows }: AgentView, names: readonly string[]): Flow[] {
  const numbers = new Map(names.map((name, number) => [name, number]));
  return flows.flatMap(({ from, to, rateBps, greedy }) => {
    const [source, destination] = [numbers.get(from), numbers.get(to)];
    if (source === undefined || destination === undefined) return [];
    return [{ source, destination, demandBps: greedy ? Number.POSITIVE_INFINITY : rateBps }];
  });
}
