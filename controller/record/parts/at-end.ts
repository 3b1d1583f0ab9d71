/**
 * Parts of a run that are on one machine are joined by whoever ends last: each, once its own part is complete, looks whether all others
 * are. Two that end at once both see that, and one alone gets the folder.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { count } from '../../../proto/words.ts';
import { type Description, readDescription } from '../description.ts';
import { nameOfRecord, recordsFolder } from '../folders.ts';
import { hasWriter } from '../writer.ts';
import { covers, isSameRun, joinParts, type Part, readPart } from './join.ts';

interface Found {
  readonly folder: string;
  readonly description: Description;
}

/**
 * Joins the record with the parts of the same run among the records of this machine, if none of them is being written any more. Returns
 * the folder of the joined one; `undefined`: there is nothing to join, or somebody else does it. Never rejects: a run ends whether its
 * parts can be joined or not; `tell` says why.
 */
export async function joinAtEnd(record: string, tell: (line: string) => void): Promise<string | undefined> {
  const own = foundAt(record);
  // A run of one machine's hosts has no other part: its end costs nothing more.
  if (own?.description.state !== 'complete' || own.description.elsewhere === undefined) return undefined;
  if (own.description.parts !== undefined) return undefined;
  try {
    return await joinWith(own, tell);
  } catch (error) {
    // Who ended at the same time has the folder.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    const name = nameOfRecord(record);
    const reason = (error as Error).message;
    tell(`the parts of its record are not joined: ${reason}; netfold records gather ${name} does it later`);
    return undefined;
  }
}

async function joinWith(own: Found, tell: (line: string) => void): Promise<string | undefined> {
  const others = recordsOfRun(own);
  const parts = others.filter(({ description }) => description.parts === undefined);
  if (parts.length === 0 || parts.some(({ description }) => hasWriter(description))) return undefined;
  const readable = [own, ...parts].flatMap(({ folder }) => partAt(folder, tell));
  const joined = others.filter(({ description }) => description.parts !== undefined);
  if (readable.length < 2 || joined.some(({ description }) => covers(description, readable)))
    return undefined;
  const folder = await joinParts(readable, undefined, joined.length + 1);
  tell(
    `${count(readable.length, 'part')} of its record joined: netfold records show ${nameOfRecord(folder)}`,
  );
  return folder;
}

/** All others of this machine, also joined ones. */
function recordsOfRun(own: Found): Found[] {
  const root = recordsFolder();
  return readdirSync(root)
    .map((name) => join(root, name))
    .filter((folder) => folder !== own.folder)
    .flatMap((folder) => foundAt(folder) ?? [])
    .filter(({ description }) => isSameRun(own.description, description));
}

/** `undefined`: it was removed, or can't be read. */
function foundAt(folder: string): Found | undefined {
  try {
    return { folder, description: readDescription(folder) };
  } catch {
    return undefined;
  }
}

/** A damaged one is left out, and told; the joined record names its host. */
function partAt(folder: string, tell: (line: string) => void): Part[] {
  try {
    return [readPart(folder)];
  } catch (error) {
    tell(`left out of the joined record: ${(error as Error).message}`);
    return [];
  }
}
