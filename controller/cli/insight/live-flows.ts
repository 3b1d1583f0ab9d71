/** The flows of a running experiment, as an agent sees them. */
import type { Flow } from '../../../agent/share/model.ts';
import { callJson } from '../../../proto/http-json.ts';
import type { AgentView } from '../../../proto/view.ts';
import { ControllerError } from '../../errors.ts';
import { readState } from '../../experiment/state.ts';
import { flowsSeen } from '../../explain/running.ts';
import { agentSocket } from '../../names.ts';

/** Those that are announced; `names`: of all endpoints, by number. Throws `AGENT_FAILED` if no agent answers. */
export async function liveFlows(experiment: string, names: readonly string[]): Promise<Flow[]> {
  for (const { name: host } of readState(experiment)?.hosts ?? []) {
    try {
      const view = (await callJson(`unix:${agentSocket(experiment, host)}`, '/view')) as AgentView;
      return flowsSeen(view, names);
    } catch {
      // The next one may answer.
    }
  }
  throw new ControllerError(
    'AGENT_FAILED',
    `no agent of ${experiment} answers`,
    `see netfold status ${experiment}`,
  );
}
