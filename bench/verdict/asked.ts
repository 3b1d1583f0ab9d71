/** What the parts of the verdict bench share. */
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import type { Experiment } from '../../controller/experiment/experiment.ts';
import { askVerdict, type ExperimentVerdict } from '../../controller/fidelity/verdict.ts';
import type { Interruption } from '../lab.ts';

export interface VerdictOptions {
  readonly quick: boolean;
  /** Only how soon these are named; absent: all, and what else the bench measures. */
  readonly causes?: readonly string[] | undefined;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

export interface VerdictBench extends VerdictOptions {
  readonly backend: DelayBackendName;
}

export const verdictOf = async ({ name, plan }: Experiment): Promise<ExperimentVerdict> =>
  (
    await askVerdict(
      name,
      plan.hosts.map((host) => host.name),
    )
  ).verdict;
