/** The topology of a running experiment as it is now. */
import { callJson } from '../../proto/http-json.ts';
import type { LiveGraph } from '../../proto/view.ts';
import { ControllerError } from '../errors.ts';
import { agentSocket } from '../names.ts';
import { findExperiment, readState } from './state.ts';

/** Of the first agent that answers. Throws `ControllerError`. */
export async function liveGraph(
  name: string | undefined,
): Promise<LiveGraph & { readonly experiment: string }> {
  const experiment = await findExperiment(name);
  for (const host of readState(experiment)?.hosts ?? []) {
    try {
      const told = (await callJson(`unix:${agentSocket(experiment, host.name)}`, '/graph')) as LiveGraph;
      return { experiment, ...told };
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
