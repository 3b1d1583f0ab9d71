/** `netfold records gather`: the parts of a run that hosts of several machines have written, as one record. */
import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { count } from '../../../proto/words.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { ControllerError } from '../../errors.ts';
import { requireName } from '../../experiment/state.ts';
import { requireAll } from '../../inject/each-host.ts';
import { fetchRecords } from '../../inject/fetch-records.ts';
import { Connections } from '../../inject/ssh/connections.ts';
import { readInventory } from '../../inventory/read.ts';
import { removeFolder } from '../../machine/folders.ts';
import { DESCRIPTION } from '../../record/description.ts';
import { findRecord, nameOfRecord } from '../../record/folders.ts';
import { isSameRun, joinParts, type Part, readPart } from '../../record/parts/join.ts';
import { topologyOf } from '../../record/topology-of.ts';
import { readText } from '../options/files.ts';
import { print, step, warn } from '../terminal/output.ts';

export interface GatherOptions {
  readonly inventory?: string;
  readonly sshConfig?: string;
  readonly output?: string;
}

/** Throws `ControllerError`, `InjectError`. */
export async function gather(given: string, from: readonly string[], options: GatherOptions): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'netfold-gather-'));
  try {
    const own = ownPart(given, options);
    const named = from.flatMap((folder) => recordsIn(folder));
    const fetched = options.inventory === undefined ? [] : await fetchAll(given, own, options, scratch);
    const candidates = withoutCopies(
      [...named, ...fetched].flatMap((folder) => readable(folder)),
      own,
    );
    const base = own ?? newest(candidates);
    if (!base)
      throw new ControllerError(
        'RECORD_UNKNOWN',
        `there is no record of ${given}, here or there`,
        'hosts keep one with netfold inject … start --record, and with netfold agent --join',
      );
    const parts = [
      base,
      ...candidates.filter((one) => one !== base && isSameRun(one.description, base.description)),
    ];
    refuseNamed(from, candidates, base);
    const folder = await joinParts(parts, options.output && resolve(options.output));
    tell(folder);
  } finally {
    removeFolder(scratch);
  }
}

/** Without an inventory there must be one. */
function ownPart(given: string, { inventory }: GatherOptions): Part | undefined {
  try {
    return readPart(findRecord(given));
  } catch (error) {
    if (inventory !== undefined && (error as ControllerError).code === 'RECORD_UNKNOWN') return undefined;
    throw error;
  }
}

/** A record by its folder or its name, or those that a folder has. Throws `RECORD_UNKNOWN`. */
function recordsIn(folder: string): string[] {
  if (!existsSync(folder)) return [findRecord(folder)];
  if (existsSync(join(folder, DESCRIPTION))) return [folder];
  const below = readdirSync(folder).map((name) => join(folder, name));
  const found = below.filter((one) => existsSync(join(one, DESCRIPTION)));
  if (found.length > 0) return found;
  throw new ControllerError(
    'RECORD_UNKNOWN',
    `${folder} is no record, and has none`,
    'name a folder of records, such as a copy of /var/lib/netfold/records of another machine',
  );
}

async function fetchAll(
  given: string,
  own: Part | undefined,
  { inventory, sshConfig }: GatherOptions,
  to: string,
): Promise<string[]> {
  const file = inventory!;
  const { hosts } = readInventory(readText(file, 'an inventory of hosts'), file);
  const experiment = own?.description.run?.experiment ?? given;
  requireName(experiment);
  const connections = new Connections(sshConfig);
  try {
    const outcomes = await fetchRecords(connections, hosts, { experiment, to }, ({ host, value, error }) => {
      if (error) warn(`${error.message}${error.remedy === undefined ? '' : `; ${error.remedy}`}`);
      else step(`${host}: ${count(value!.length, 'record')} of ${experiment}`);
    });
    const all = outcomes.flatMap(({ value = [] }) => value);
    if (all.length === 0) requireAll(outcomes, 'gather', 'the same command can be repeated');
    return all;
  } finally {
    await connections.close();
  }
}

/** A folder of records has the part of this machine as well, and what is fetched may be there already. */
function withoutCopies(parts: readonly Part[], own: Part | undefined): Part[] {
  const keyOf = ({ description: { id, hosts }, lastMs }: Part): string => JSON.stringify([id, hosts, lastMs]);
  const known = new Set(own ? [keyOf(own)] : []);
  return parts.filter((part) => {
    const isNew = !known.has(keyOf(part));
    known.add(keyOf(part));
    return isNew;
  });
}

/** What can't be read is named, and the rest joined. */
function readable(folder: string): Part[] {
  try {
    return [readPart(folder)];
  } catch (error) {
    warn(`left out: ${(error as Error).message}`);
    return [];
  }
}

const newest = (parts: readonly Part[]): Part | undefined =>
  parts.toSorted((a, b) => (a.description.startedAt < b.description.startedAt ? 1 : -1))[0];

/** Of a folder with many records most are of other runs; a record that was named is meant. */
function refuseNamed(from: readonly string[], candidates: readonly Part[], base: Part): void {
  for (const folder of from) {
    const other = candidates.find((one) => one.folder === folder);
    if (!other || isSameRun(other.description, base.description)) continue;
    throw new ControllerError(
      'RECORD_OTHER_RUN',
      `${folder} is no part of the run ${nameOfRecord(base.folder)}`,
      'netfold records show FOLDER says what it is of',
    );
  }
}

function tell(folder: string): void {
  const { description } = readPart(folder);
  for (const problem of description.problems) warn(`missing: ${problem}`);
  const placed = new Set(Object.keys(description.placement ?? {}));
  const missing = endpointsOf(folder, description).filter((name) => !placed.has(name));
  if (missing.length > 0)
    warn(`there is no part of ${missing.slice(0, 8).join(', ')}${missing.length > 8 ? ' and others' : ''}`);
  print(
    `${nameOfRecord(folder)}: ${count(description.parts?.length ?? 1, 'part')}, of ${description.hosts.join(', ')}`,
  );
}

function endpointsOf(folder: string, description: Part['description']): readonly string[] {
  try {
    return expandGraph(topologyOf({ folder, description })).endpoints;
  } catch {
    return [];
  }
}
