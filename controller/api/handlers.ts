/** What each route does. */
import type { AgentView } from '../../proto/view.ts';
import { suggest } from '../../topology/model/names.ts';
import { ControllerError } from '../errors.ts';
import type { ExperimentState } from '../experiment/state.ts';
import { checked } from './answers/check.ts';
import { commandHandlers } from './command-handlers.ts';
import type { Handlers } from './handler-types.ts';
import { insightHandlers } from './insight-handlers.ts';
import { networkHandlers } from './network-handlers.ts';
import type { Experiments, Inside } from './ports.ts';
import { Starts } from './starting/starts.ts';
import { together } from './starting/together.ts';
import { verdictOf } from './verdict.ts';
import { endpointsOf, firstOf, flowsOf, reportsOf } from './view.ts';

/** `link`: makes a path that a browser can open once. */
export function handlersOf(experiments: Experiments, inside: Inside, link: () => string): Handlers {
  const starts = new Starts((request, tell) => experiments.start(request, tell));
  return {
    ...networkHandlers(experiments),
    ...insightHandlers(experiments),
    ...commandHandlers(experiments),
    listExperiments: () => experiments.list(),
    startExperiment: ({ body }) => experiments.start(together(body)),
    checkTopology: async ({ body }) => checked(body),
    runTool: ({ params, body, signal }) => experiments.tool(params.tool, body, signal),
    beginStart: async ({ body }) => starts.begin(together(body)),
    getStart: async ({ params }) => starts.state(params.id),
    askHosts: ({ params, body }) => experiments.askHosts(params.action, body),
    hostLogs: ({ body }) => experiments.hostLogs(body),
    hostExec: ({ body, signal }) => experiments.hostExec(body, signal),
    hostNetwork: ({ body }) => experiments.hostNetwork(body),
    getExperiment: async ({ params }) => {
      const state = await experiments.state(params.experiment);
      const { name, topologyFile, startedAt, platform, hosts, endpoints } = state;
      const agents = await reportsOf(experiments, state);
      return {
        ...{ name, topologyFile, startedAt, platform, agents },
        ...{ hosts: hosts.length, endpoints: endpoints.length },
      };
    },
    makeLink: async () => ({ path: link() }),
    removeExperiment: ({ params }) => experiments.remove(params.experiment),
    getFlows: async ({ params }) => {
      const [, reports, view] = await lookAt(experiments, params.experiment);
      return flowsOf(reports, view);
    },
    getEndpoints: async ({ params }) => endpointsOf(...(await lookAt(experiments, params.experiment))),
    getVerdict: async ({ params }) => verdictOf(experiments, await experiments.state(params.experiment)),
    getRecord: async ({ params }) => {
      const { name } = await experiments.state(params.experiment);
      return experiments.record(name);
    },
    getLogs: async ({ params, query }) => {
      const state = await experiments.state(params.experiment);
      return inside.logs(state, endpointOf(state, params.endpoint), query);
    },
    exec: async ({ params, body, signal }) => {
      const state = await experiments.state(params.experiment);
      return inside.exec(state, endpointOf(state, params.endpoint), body, signal);
    },
  };
}

async function lookAt(experiments: Experiments, name: string) {
  const state = await experiments.state(name);
  const [reports, view] = await Promise.all([
    reportsOf(experiments, state),
    firstOf<AgentView>(experiments, state, '/view'),
  ]);
  return [state, reports, view] as const;
}

/** The endpoint itself, or the only replica of a service. Throws `NODE_UNKNOWN`. */
export function endpointOf(
  { name, endpoints }: ExperimentState,
  node: string,
): ExperimentState['endpoints'][number] {
  const meant = endpoints.filter((one) => one.name === node || one.name.startsWith(`${node}.`));
  const exact = meant.find((one) => one.name === node) ?? (meant.length === 1 ? meant[0] : undefined);
  if (exact) return exact;
  const names = endpoints.map((one) => one.name);
  const message =
    meant.length > 1
      ? `"${node}" has ${meant.length} replicas`
      : `there is no endpoint "${node}" of ${name} on this machine`;
  const remedy =
    meant.length > 1
      ? `name one of ${meant[0]!.name} to ${meant.at(-1)!.name}`
      : suggest(node, names, `there are: ${names.slice(0, 10).join(' ')}`);
  throw new ControllerError('NODE_UNKNOWN', message, remedy);
}
