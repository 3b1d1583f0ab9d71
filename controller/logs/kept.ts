/**
 * The logs of experiments that have ended: one folder for each run, NAME@START, with the log files and `run.json`. They are
 * outside of /run/netfold, which `netfold down` removes, and on the disk, since /run is memory.
 */
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readCut } from '../../agent/files/log-cut.ts';
import { makeFolder, OPEN_FOLDER } from '../../agent/files/own-files.ts';
import { copyEnd } from './copy-end.ts';

/** Another one for those who must not push out the user's runs: the tests. */
const keptLogsFolder = (): string => process.env.NETFOLD_LOGS || '/var/log/netfold';

/** What is kept at most. What is older, or longer, is dropped: the first part of a log, the oldest runs. */
export interface KeptLimits {
  readonly runs: number;
  readonly bytesOfRun: number;
  readonly bytes: number;
}

/** A day of work with some room; the disk of a small machine doesn't notice it. */
export const KEPT_LIMITS: KeptLimits = { runs: 20, bytesOfRun: 64 * 2 ** 20, bytes: 256 * 2 ** 20 };

const runSchema = z.object({
  name: z.string(),
  startedAt: z.string(),
  endedAt: z.string(),
  /** Endpoints, in the order of the topology. */
  nodes: z.array(z.string()),
});

/** A run that has ended. Instants are in ISO 8601. */
export interface KeptRun extends z.infer<typeof runSchema> {
  readonly folder: string;
}

export interface EndedRun {
  readonly name: string;
  /** Absent if the state file is damaged. */
  readonly state?: { readonly startedAt: string; readonly endpoints: readonly { readonly name: string }[] };
  readonly logFolder: string;
}

const LOG = '.log';
const RUN_FILE = 'run.json';
/** Before a draft is complete. A killed process leaves it, and a later run removes it. */
const DRAFT = '.draft-';
const DRAFT_LIFE_MS = 3_600_000;

/**
 * Keeps the logs of a run whose processes have ended, and drops older ones beyond the limits. Nothing is kept if all logs are
 * empty, or if they are kept already: the controller and `netfold down` may both remove a run. Throws system errors.
 */
export function keepLogs(
  { name, state, logFolder }: EndedRun,
  root = keptLogsFolder(),
  limits = KEPT_LIMITS,
): void {
  const files = logFiles(logFolder);
  if (files.every(({ size }) => size === 0)) return;
  const startedAt = state?.startedAt ?? statSync(logFolder).mtime.toISOString();
  const folder = join(root, `${name}@${startedAt.replaceAll(':', '-')}`);
  makeFolder(root, OPEN_FOLDER);
  if (!readdirSync(root).includes(folder.slice(root.length + 1))) {
    const nodes = state?.endpoints.map((one) => one.name) ?? files.map(({ node }) => node);
    const run = { name, startedAt, endedAt: new Date().toISOString(), nodes };
    const draft = mkdtempSync(join(root, DRAFT));
    try {
      copyFiles(files, draft, limits.bytesOfRun);
      writeFileSync(join(draft, RUN_FILE), JSON.stringify(run, null, 2));
      renameUnlessThere(draft, folder);
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
  }
  drop(root, limits);
}

/** Copies all logs in a folder, of long ones the ends, so that they have at most so many bytes together. Throws system errors. */
export function copyLogs(logFolder: string, to: string, mostBytes = KEPT_LIMITS.bytesOfRun): void {
  copyFiles(logFiles(logFolder), to, mostBytes);
}

function copyFiles(files: readonly LogFile[], to: string, mostBytes: number): void {
  const sizes = files.map(({ size }) => size);
  const most = fairSize(sizes, mostBytes);
  for (const { node, path } of files) copyEnd(path, join(to, `${node}${LOG}`), most);
}

/** Runs that have ended, the last one first; of one experiment if `name` is given. */
export function keptRuns(name?: string, root = keptLogsFolder()): KeptRun[] {
  return entries(root)
    .flatMap((entry) => readRun(join(root, entry)) ?? [])
    .filter((run) => name === undefined || run.name === name)
    .sort((a, b) => (a.endedAt < b.endedAt ? 1 : -1));
}

/** The log file of an endpoint in a folder of logs. */
export const logIn = (folder: string, node: string): string => join(folder, `${node}${LOG}`);

/** The size that files may have so that all together have `total` at most: small ones are whole, large ones share the rest. */
export function fairSize(sizes: readonly number[], total: number): number {
  let room = total;
  const ascending = [...sizes].sort((a, b) => a - b);
  for (const [index, size] of ascending.entries()) {
    const share = Math.floor(room / (ascending.length - index));
    if (size > share) return share;
    room -= size;
  }
  return total;
}

interface LogFile {
  readonly node: string;
  readonly path: string;
  readonly size: number;
}

function logFiles(folder: string): LogFile[] {
  return entries(folder)
    .filter((entry) => entry.endsWith(LOG))
    .flatMap((entry) => {
      const path = join(folder, entry);
      const found = lstatSync(path);
      // Whatever a link leads to is no log.
      if (!found.isFile()) return [];
      return [{ node: entry.slice(0, -LOG.length), path, size: found.size - readCut(path) }];
    });
}

function readRun(folder: string): KeptRun | undefined {
  try {
    return { ...runSchema.parse(JSON.parse(readFileSync(join(folder, RUN_FILE), 'utf8'))), folder };
  } catch {
    return undefined;
  }
}

function drop(root: string, limits: KeptLimits): void {
  let bytes = 0;
  for (const [index, { folder }] of keptRuns(undefined, root).entries()) {
    bytes += logFiles(folder).reduce((sum, { size }) => sum + size, 0);
    const isLast = index === 0;
    if (!isLast && (index >= limits.runs || bytes > limits.bytes))
      rmSync(folder, { recursive: true, force: true });
  }
  for (const entry of entries(root).filter((one) => one.startsWith(DRAFT))) {
    const draft = join(root, entry);
    const { mtimeMs = Date.now() } = statSync(draft, { throwIfNoEntry: false }) ?? {};
    if (Date.now() - mtimeMs > DRAFT_LIFE_MS) rmSync(draft, { recursive: true, force: true });
  }
}

/** Another process may have been faster; then its folder stays. */
function renameUnlessThere(draft: string, folder: string): void {
  try {
    renameSync(draft, folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
