/** The texts of a record that agents read, for those who run it again. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { topologyHash } from '../../proto/bootstrap.ts';
import type { Description } from './description.ts';

export interface RecordedTexts {
  readonly text: string;
  readonly script?: { readonly file: string; readonly text: string };
}

export interface Recorded {
  readonly folder: string;
  readonly description: Description;
}

/** Throws system errors. */
export function textsOf({ folder, description }: Recorded): RecordedTexts {
  const [name, script] = description.topology.texts;
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
  return { text: read(name!), ...(script !== undefined && { script: { file: script, text: read(script) } }) };
}

/** Whether the texts are those that were run: a record that was edited runs something else. Throws system errors. */
export const isAsRun = (recorded: Recorded): boolean =>
  topologyHash(textsOf(recorded)) === recorded.description.topology.hash;
