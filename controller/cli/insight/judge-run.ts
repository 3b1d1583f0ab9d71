/** `netfold up --strict`: the verdict at the end of a run. */
import { EXIT_CODE } from '../../../proto/errors.ts';
import { ControllerError } from '../../errors.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { askVerdict } from '../../fidelity/verdict.ts';
import { print, styled } from '../terminal/output.ts';
import { causeLines, verdictLine } from '../terminal/verdict-text.ts';

export const strictAlone = (): ControllerError =>
  new ControllerError(
    'UP_USAGE',
    '--strict judges a run at its end, and --detach returns before',
    'leave one of them out; `netfold verdict` judges a run that goes on',
  );

/** Prints the verdict on the run, and sets the exit code. Agents that have ended already can't say that it was faithful. */
export async function judgeRun({ name, plan }: Pick<Experiment, 'name' | 'plan'>): Promise<void> {
  const { verdict } = await askVerdict(
    name,
    plan.hosts.map((host) => host.name),
  );
  print(`${styled('bold', name)}: ${verdictLine(verdict)}`);
  for (const line of causeLines(verdict.causes)) print(`  ${line}`);
  if (verdict.verdict !== 'faithful') process.exitCode = EXIT_CODE.internal;
}
