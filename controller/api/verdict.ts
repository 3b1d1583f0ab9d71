/** The verdict on an experiment, as `netfold verdict` has it. */
import type { AnswerOf } from '../../proto/api/v1/routes.ts';
import type { AgentVerdict } from '../../proto/status.ts';
import type { AgentProofs } from '../../proto/view.ts';
import type { ExperimentState } from '../experiment/state.ts';
import { pathRows } from '../fidelity/path-proofs.ts';
import { type Answer, combined, type HostProofs } from '../fidelity/verdict.ts';
import type { Experiments } from './ports.ts';
import { askSoon } from './view.ts';

/** Who does not answer is a cause. */
export async function verdictOf(
  experiments: Experiments,
  { name, hosts }: ExperimentState,
): Promise<AnswerOf<'getVerdict'>> {
  const found: HostProofs[] = [];
  const answers = hosts.map(async ({ name: host }): Promise<Answer> => {
    const sinceMs = Date.now();
    try {
      const asked = experiments.ask(name, host, '/verdict');
      const { endpoints, paths, ...said } = await askSoon<AgentVerdict & AgentProofs>(asked);
      found.push({ host, endpoints, paths });
      return { host, said };
    } catch (error) {
      return { host, reason: (error as Error).message, sinceMs };
    }
  });
  return { ...combined(await Promise.all(answers)), paths: pathRows(found) };
}
