/** The records of a lab's agents. */
import type { Experiment } from '../../controller/experiment/experiment.ts';
import { agentSocket } from '../../controller/names.ts';
import { callJson } from '../../proto/http-json.ts';
import type { AgentRecord } from '../../proto/view.ts';

/** One per host, in their order. Throws `HttpError`. */
export function agentRecords({ name, plan }: Experiment): Promise<AgentRecord[]> {
  return Promise.all(
    plan.hosts.map(
      async ({ name: host }) => (await callJson(`unix:${agentSocket(name, host)}`, '/record')) as AgentRecord,
    ),
  );
}
