/** Texts of a request as the files and options that a command takes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FOLDER = 'netfold-start-';
const TEXT = 'text-';
const IN_FOLDER = new RegExp(`^\\w+/${TEXT}\\w+/`);

/** A folder for files that are read at the start alone. Node makes it for its owner alone. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), FOLDER));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A file with this text, in a folder of its own: whatever a request calls it, it is in no other's place. Gives its path. */
export function fileIn(folder: string, name: string, text: string): string {
  const path = join(mkdtempSync(join(folder, TEXT)), name);
  writeFileSync(path, text);
  return path;
}

/** What a command says of such files, by the names that the request gave them. */
export function withoutFolders(said: string): string {
  const [before, ...parts] = said.split(join(tmpdir(), FOLDER));
  return before + parts.map((part) => part.replace(IN_FOLDER, '')).join('');
}

export const settingWords = (set: Readonly<Record<string, string>> | undefined): string[] =>
  Object.entries(set ?? {}).flatMap(([variable, value]) => ['--set', `${variable}=${value}`]);

export const scriptWords = (script: string | undefined, folder: string): string[] =>
  script === undefined ? [] : ['--events', fileIn(folder, 'events', script)];
