/** Messengers that are ended before all know whom they wait for. */
import { type Messenger, type Place, places, removePlace } from '../../agent/messenger/places.ts';
import { endProcesses } from '../machine/processes.ts';

/**
 * Ends those of this experiment, or all, also of other versions, and removes what killed ones have left. Returns which there were. Throws
 * what `endProcesses` throws.
 */
export async function endMessengers(experiment?: string, root?: string): Promise<Place[]> {
  const fits = ({ message }: Place): boolean =>
    experiment === undefined || message?.bootstrap.experiment === experiment;
  const found = places(root).filter(fits);
  const folders = new Set(found.map(({ folder }) => folder));
  const left = (): number[] =>
    places(root).flatMap(({ folder, process: one }) => (one && folders.has(folder) ? [one.pid] : []));
  await endProcesses(left);
  for (const folder of folders) removePlace(folder);
  return found;
}

export function describeMessenger({ folder, message }: Place): string {
  if (!message) return `the messenger in ${folder}, of another version`;
  return `the messenger of ${message.bootstrap.experiment}, which was to tell ${namesOf(message.untold)} of its end`;
}

/** Lines for those that wait. */
export const messengerLines = (all: readonly Messenger[]): string[] =>
  all.filter((one) => one.process !== undefined).map(lineOf);

function lineOf({ message }: Messenger): string {
  const { bootstrap, untold, until } = message;
  const { experiment, host } = bootstrap;
  return `${experiment} has ended; a messenger for ${host} waits until ${new Date(until).toISOString()} to tell ${namesOf(untold)} (netfold down ${experiment} --everywhere ends it)`;
}

const namesOf = (hosts: readonly { readonly name: string }[]): string =>
  hosts.map(({ name }) => name).join(', ');
