/** Routes that explain and draw: `netfold explain`, `graph` and `traffic` of a running experiment. */
import type { AgentView, LiveGraph } from '../../proto/view.ts';
import { decodeGraph } from '../../topology/model/graph-json.ts';
import { pictureOf } from '../../topology/report/picture.ts';
import { explain } from '../explain/explain.ts';
import { endpointNumber, flowsSeen } from '../explain/running.ts';
import { trafficTable } from '../traffic-rows.ts';
import type { Handlers } from './handler-types.ts';
import type { Experiments } from './ports.ts';
import { firstOf, reportsOf } from './view.ts';

export function insightHandlers(
  experiments: Experiments,
): Handlers<'getExplanation' | 'getPicture' | 'getTraffic'> {
  return {
    getExplanation: async ({ params, query: { from, to } }) => {
      const state = await experiments.state(params.experiment);
      const [{ graph: encoded }, view] = await Promise.all([
        firstOf<LiveGraph>(experiments, state, '/graph'),
        firstOf<AgentView>(experiments, state, '/view'),
      ]);
      const graph = decodeGraph(encoded);
      const [source, destination] = [endpointNumber(graph, from), endpointNumber(graph, to)];
      return explain(graph, source, destination, flowsSeen(view, graph.endpoints));
    },
    getPicture: async ({ params, query: { format } }) => {
      const state = await experiments.state(params.experiment);
      const { graph } = await firstOf<LiveGraph>(experiments, state, '/graph');
      return { format, text: pictureOf(decodeGraph(graph), state.name, format) };
    },
    getTraffic: async ({ params }) => {
      const state = await experiments.state(params.experiment);
      return trafficTable(await reportsOf(experiments, state));
    },
  };
}
