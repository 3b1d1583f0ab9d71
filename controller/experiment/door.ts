/** The way by which a platform reports endpoints that come, move or leave while an experiment runs. */
import { callJson } from '../../proto/http-json.ts';
import type { AgentView } from '../../proto/view.ts';
import { agentSocket } from '../names.ts';
import type { Plan, PlannedEndpoint } from '../platform/port/plan.ts';
import type { EndpointDoor } from '../platform/port/platform.ts';
import { toldEndpoint } from './bootstraps.ts';
import type { CurrentPlacement } from './current-placement.ts';

/**
 * The client of an agent's `/attach`, `/detach`, `/view` and `/problems` (agent/daemon/api.ts). Throws the agent's refusal of the endpoint,
 * and `HttpError` `UNREACHABLE` if there is no agent.
 */
export function agentDoor(
  experiment: string,
  host: string,
  plan: Pick<Plan, 'outlivesAgent'>,
): Omit<EndpointDoor, 'endpoints'> {
  const address = `unix:${agentSocket(experiment, host)}`;
  return {
    attach: async (endpoint: PlannedEndpoint) => {
      await callJson(address, '/attach', toldEndpoint(endpoint, plan));
    },
    detach: async (number: number) => {
      await callJson(address, '/detach', { number });
    },
    elsewhere: async () => {
      const { endpoints } = (await callJson(address, '/view')) as AgentView;
      return new Set(endpoints.filter((one) => one.host !== host).map(({ name }) => name));
    },
    tell: async (problems) => {
      await callJson(address, '/problems', { problems });
    },
  };
}

/**
 * The same, but the experiment records the change before the agent receives it: an agent that starts meanwhile has
 * the present endpoints.
 */
export function accountedDoor(current: CurrentPlacement, host: string): EndpointDoor {
  const door = agentDoor(current.plan.experiment, host, current.plan);
  return {
    ...door,
    endpoints: () => current.plan.endpoints.filter((one) => one.host.name === host),
    attach: async (endpoint) => {
      current.put(endpoint);
      await door.attach(endpoint);
    },
    detach: async (number) => {
      current.take(host, number);
      await door.detach(number);
    },
  };
}
