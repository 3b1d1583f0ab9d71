/** `netfold inject … stop`: the parts of the record that hosts keep, fetched and joined while the hosts can be reached. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { count } from '../../../proto/words.ts';
import { fetchParts } from '../../inject/fetch-records.ts';
import { removeFolder } from '../../machine/folders.ts';
import { nameOfRecord } from '../../record/folders.ts';
import { isSameRun, joinParts, type Part, readPart } from '../../record/parts/join.ts';
import { step, warn } from '../terminal/output.ts';
import type { Standing } from './injection.ts';

/**
 * `folders`: host → where its part is there. Parts stay on their hosts. What can't be fetched is told, and named in the joined record; the
 * injection has ended whether or not this succeeds.
 */
export async function gatherAtStop(
  { connections, inventory, experiment, flags }: Standing,
  folders: ReadonlyMap<string, string>,
): Promise<void> {
  if (folders.size === 0) return;
  const later = `netfold records gather ${experiment} --inventory ${flags.inventory ?? 'HOSTS'}`;
  const scratch = mkdtempSync(join(tmpdir(), 'netfold-gather-'));
  try {
    const outcomes = await fetchParts(connections, inventory.hosts, { folders, to: scratch });
    for (const { error } of outcomes) if (error) warn(`${error.message}; later: ${later}`);
    const parts = outcomes.flatMap(({ value }) => (value === undefined ? [] : readable(value)));
    const [first] = parts;
    if (!first) return;
    const joined = parts.filter(({ description }) => isSameRun(description, first.description));
    const folder = await joinParts(joined);
    for (const problem of readPart(folder).description.problems) warn(`missing: ${problem}`);
    step(`its record, of ${count(joined.length, 'host')}: netfold records show ${nameOfRecord(folder)}`);
  } catch (error) {
    warn(`the parts of its record are not joined: ${(error as Error).message}; later: ${later}`);
  } finally {
    removeFolder(scratch);
  }
}

function readable(folder: string): Part[] {
  try {
    return [readPart(folder)];
  } catch (error) {
    warn(`left out: ${(error as Error).message}`);
    return [];
  }
}
