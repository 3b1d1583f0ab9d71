/** The flows of a running experiment, as an agent sees them. */
import type { Flow } from '../../../agent/share/model.ts';
import { callJson } from '../../../proto/http-json.ts';
import type { AgentView } from '../../../proto/view.ts';
import { ControllerError } from '../../errors.ts';
import { readState } from '../../experiment/state.ts';
import { agentSocket } from '../../names.ts';

/** Those that are announced; `names`: of all endpoints, by number. Throws `AGENT_FAILED` if no agent answers. */
export async function liveFlows(experiment: string, names: readonly string[]): Promise<Flow[]> {
  const numbers = new Map(names.map((name, number) => [name, number]));
  for (const { name: host } of readState(experiment)?.hosts ?? []) {
    try {
      const view = (await callJson(`unix:${agentSocket(experiment, host)}`, '/view')) as AgentView;
      return view.flows.map(({ from, to, rateBps, greedy }) => ({
        source: numbers.get(from)!,
        destination: numbers.get(to)!,
        demandBps: greedy ? Number.POSITIVE_INFINITY : rateBps,
      }));
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
