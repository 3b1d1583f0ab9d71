/** Ends an experiment on all of its hosts: a signed `quit`, upon which each host ends its own part. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SigningKey } from '../../agent/mesh/trust/peer-id.ts';
import type { ControlStanding } from '../../proto/control.ts';
import { agentsToEnd } from '../machine/processes.ts';
import type { OnProgress } from '../progress.ts';
import { type Accepted, controlAgents } from './control.ts';
import { type Removed, removeExperiment } from './teardown.ts';

const POLL_MS = 50;
/** Agents end two seconds after the quit (agent/timeline/experiment-end.ts); until then they can be asked who knows of it. */
const TOLD_WITHIN_MS = 1500;
/** Applications may take their time to end. Then the rest is done here. */
const ENDED_WITHIN_MS = 10_000;

export interface EndedEverywhere extends Removed {
  /** Hosts that end. */
  readonly told: readonly string[];
  /** Hosts that have not received it, and go on. */
  readonly untold: readonly string[];
}

/**
 * Ends all hosts, and returns when nothing is left on this machine. `key`: the user's; absent: the command is that of this
 * machine's agent. Throws the agent's refusal; then nothing has ended.
 */
export async function endEverywhere(
  experiment: string,
  key: SigningKey | undefined,
  onProgress?: OnProgress,
): Promise<EndedEverywhere> {
  const agents = agentsToEnd(experiment);
  const accepted = await controlAgents(experiment, undefined, { text: 'quit' }, key);
  const { inStep, behind } = await whoKnows(accepted);
  const deadline = performance.now() + ENDED_WITHIN_MS;
  while (agents().length > 0 && performance.now() < deadline) await sleep(POLL_MS);
  return { ...(await removeExperiment(experiment, onProgress)), told: inStep, untold: behind };
}

/** As soon as all do, or what is known when agents are about to end. */
async function whoKnows({ answer, ask }: Accepted): Promise<ControlStanding> {
  const deadline = performance.now() + TOLD_WITHIN_MS;
  let latest: ControlStanding = answer;
  while (latest.behind.length > 0 && performance.now() < deadline) {
    await sleep(POLL_MS);
    // The agent may have ended for another reason.
    latest = await ask().catch(() => latest);
  }
  return latest;
}
