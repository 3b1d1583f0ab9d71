/**
 * The queue: a folder for each submitted experiment. Its files are written once, and whoever creates one first has decided: a runner that
 * starts it, or a user who cancels it. So neither needs a lock, and a killed one leaves nothing half.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, OPEN_FOLDER, PRIVATE_FILE, PRIVATE_FOLDER } from '../../../agent/files/own-files.ts';
import { type Holder, isAlive, readJson, writeNew } from '../../machine/holder.ts';
import type { Origin } from '../../record/description.ts';
import { QueueError } from './errors.ts';

/** Another one for those who must not disturb the user's: the tests. */
export const queueFolder = (): string => process.env.NETFOLD_QUEUE || '/var/lib/netfold/queue';

/** Submitted and not yet ended. */
const MOST_WAITING = 1000;
/** Of a name to which a number is added: an experiment's has 40 characters at most. */
const LONGEST = 28;
const FILES = {
  entry: 'entry.json',
  origin: 'origin.json',
  claim: 'claim.json',
  process: 'process.json',
  end: 'end.json',
  log: 'log.txt',
} as const;

/** What was submitted. */
export interface Submission {
  /** As the user named it. */
  readonly file: string;
  /** The topology, without variables; its name in the folder has the ending of the user's file. */
  readonly text: string;
  readonly ending: string;
  readonly name: string;
  /** Its number in the queue is a part of the name: two of one file may run at once. */
  readonly isNumbered: boolean;
  /** What the topology was made from: a template, variables. */
  readonly origin?: Origin;
  /** The user. */
  readonly by: string;
  /** Where commands start. */
  readonly cwd: string;
  readonly hosts: number;
  /** Higher ones first; of equal ones, the one that waits longest. */
  readonly priority: number;
  /** As `up --duration` has it; absent: the runner's limit. */
  readonly duration?: string;
  readonly endpoints: number;
  /** Endpoints that run a command. */
  readonly applications: number;
}

/** `by`: absent in what an earlier netfold has kept. */
type Kept = Omit<Submission, 'text' | 'isNumbered' | 'origin' | 'by'> & {
  readonly by?: string;
  readonly submittedAt: string;
};

interface Claim {
  readonly by: 'run' | 'cancel';
  readonly at: string;
}

export interface End {
  readonly at: string;
  /** Of `netfold up`; null: nobody knows. */
  readonly exitCode: number | null;
  readonly reason: string;
}

export interface Entry extends Kept {
  readonly id: number;
  readonly folder: string;
  readonly topology: string;
  /** A file with what the record of its run says of where it comes from. */
  readonly origin: string;
  readonly log: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';
  readonly startedAt: string | null;
  readonly end: End | null;
  /** Its `netfold up`, while it is known to run. */
  readonly process: Holder | null;
}

/** Throws `QueueError` (`QUEUE_FULL`) and system errors. */
export function submit({ text, isNumbered, origin, ...kept }: Submission, root = queueFolder()): Entry {
  makeFolder(root, OPEN_FOLDER);
  const open = entries(root).filter(({ state }) => state === 'waiting' || state === 'running');
  if (open.length >= MOST_WAITING)
    throw new QueueError(
      'QUEUE_FULL',
      `${open.length} experiments wait already`,
      'cancel some, or run them: netfold queue run',
    );
  for (let id = Math.max(0, ...numbers(root)) + 1; ; id++) {
    const folder = join(root, String(id));
    try {
      mkdirSync(folder, { mode: PRIVATE_FOLDER });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw error;
    }
    writeFileSync(join(folder, `topology${kept.ending}`), text, { mode: PRIVATE_FILE });
    const name = isNumbered ? `${kept.name.slice(0, LONGEST)}-q${id}` : kept.name;
    const { by, cwd } = kept;
    const submittedAt = new Date().toISOString();
    writeNew(join(folder, FILES.origin), {
      ...origin,
      queue: { number: id, by, submittedAt, cwd },
    } satisfies Origin);
    // The last one: an entry without it is none.
    writeNew(join(folder, FILES.entry), { ...kept, name, submittedAt } satisfies Kept);
    return read(root, id)!;
  }
}

/** In the order of their submission. */
export const entries = (root = queueFolder()): Entry[] => numbers(root).flatMap((id) => read(root, id) ?? []);

/** Throws `QueueError` (`QUEUE_UNKNOWN`). */
export function entryOf(id: number, root = queueFolder()): Entry {
  const found = read(root, id);
  if (found) return found;
  throw new QueueError(
    'QUEUE_UNKNOWN',
    `there is no ${id} in the queue`,
    'netfold queue ls lists what is there',
  );
}

/** Those that wait, the next one first. Pure. */
export function inOrder(all: readonly Entry[]): Entry[] {
  const waiting = all.filter(({ state }) => state === 'waiting');
  return waiting.sort((a, b) => b.priority - a.priority || a.id - b.id);
}

/** Returns false if somebody else was faster. */
export const claim = ({ folder }: Entry, by: Claim['by']): boolean =>
  writeNew(join(folder, FILES.claim), { by, at: new Date().toISOString() } satisfies Claim);

export function noteProcess({ folder }: Entry, process: Holder): void {
  writeNew(join(folder, FILES.process), process);
}

export function noteEnd({ folder }: Entry, end: Omit<End, 'at'>): void {
  writeNew(join(folder, FILES.end), { at: new Date().toISOString(), ...end } satisfies End);
}

function numbers(root: string): number[] {
  if (!existsSync(root)) return [];
  const names = readdirSync(root).filter((name) => /^\d{1,9}$/.test(name));
  return names.map(Number).sort((a, b) => a - b);
}

function read(root: string, id: number): Entry | undefined {
  const folder = join(root, String(id));
  const kept = readJson<Kept>(join(folder, FILES.entry));
  if (!kept) return undefined;
  const claimed = readJson<Claim>(join(folder, FILES.claim));
  const end = readJson<End>(join(folder, FILES.end)) ?? null;
  const process = readJson<Holder>(join(folder, FILES.process));
  return {
    ...{ ...kept, id, folder, end },
    topology: join(folder, `topology${kept.ending}`),
    origin: join(folder, FILES.origin),
    log: join(folder, FILES.log),
    state: stateOf(claimed, end),
    startedAt: claimed?.by === 'run' ? claimed.at : null,
    process: process && isAlive(process) ? process : null,
  };
}

function stateOf(claimed: Claim | undefined, end: End | null): Entry['state'] {
  if (!claimed) return 'waiting';
  if (claimed.by === 'cancel') return 'cancelled';
  if (!end) return 'running';
  return end.exitCode === 0 ? 'done' : 'failed';
}
