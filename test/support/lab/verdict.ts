/** Causes of the verdict on a lab, which are awaited: how soon they are named is a matter of the machine. */
import type { Lab } from '../../../bench/lab.ts';
import { verdictOf } from '../../../bench/verdict/asked.ts';
import type { Experiment } from '../../../controller/experiment/experiment.ts';
import type { Cause } from '../../../proto/status.ts';
import { millisToSeconds } from '../../../proto/units.ts';
import { place, until } from './lab.ts';

/** On a crowded machine. */
const PATIENCE_MS = 20_000;

/** Until a cause is there; `path`: `null` where it is all of the host. How long that took is printed. */
export async function named(
  lab: Experiment,
  code: string,
  host: string,
  path: string | null,
  patienceMs = PATIENCE_MS,
): Promise<Cause> {
  const from = performance.now();
  let seen: readonly Cause[] = [];
  const found = (): Cause | undefined =>
    seen.find((one) => one.code === code && one.host === host && one.path === path);
  const look = async (): Promise<boolean> => {
    seen = (await verdictOf(lab)).causes;
    return found() !== undefined;
  };
  await until(look, `${code} is named at ${host} ${path}`, patienceMs).catch((error: Error) => {
    const told = seen.map((one) => `${one.code} ${one.host} ${one.path}`).join('; ');
    throw new Error(`${error.message}; named are: ${told}`);
  });
  console.log(`${code} is named after ${millisToSeconds(performance.now() - from).toFixed(1)} s`);
  return found()!;
}

/** As the bench's disturbances have it. */
export const disturbed = (experiment: Experiment): Lab => ({
  experiment,
  place: (name) => place(experiment, name),
});
