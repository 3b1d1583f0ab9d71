/** `record.json`: what a record is of, how it ended, and the hash of every file in it. */
import { createHash, hash } from 'node:crypto';
import { createReadStream, existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { z } from 'zod';
import { OPEN_FILE, replaceFile } from '../../agent/files/own-files.ts';
import { ControllerError } from '../errors.ts';

export const DESCRIPTION = 'record.json';
export const DATABASE = 'run.sqlite';
export const EVENTS = 'events.ndjson';
export const TOPOLOGY = 'topology.yaml';
export const LOGS = 'logs';
/** Of netfold's own traffic; absent where there was none. */
export const TRAFFIC = 'traffic.json';
/** What endpoints have left in `$NETFOLD_OUT`: a folder for each. */
export const OUTPUTS = 'out';
/** What `netfold verify` has measured, beside what the topology asks for; absent: the run is of another command. */
export const FINDINGS = 'verify.json';
/** Packets that `netfold capture --record` has taken. */
export const CAPTURES = 'captures';
/** Of this layout; a reader refuses a later one. */
export const FORMAT = 1;

/** Of files in a record: whoever made it, they lead nowhere else. */
const FILE_NAME = /^\w[\w.-]{0,99}$/;

const machineSchema = z.object({
  cpu: z.string(),
  cores: z.number(),
  memoryGiB: z.number(),
  virtual: z.string().nullable(),
  distribution: z.string(),
  kernel: z.string(),
});

const versionsSchema = z.object({ netfold: z.string(), commit: z.string().nullable(), node: z.string() });

/** One machine's part of a record that was joined. */
const partSchema = z.object({
  id: z.string(),
  hosts: z.array(z.string()),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  state: z.enum(['recording', 'complete']),
  versions: versionsSchema,
  machine: machineSchema,
});

/** What a topology was made from, besides its file. */
const originSchema = z.object({
  /** `version`: the whole id. */
  template: z.object({ name: z.string(), version: z.string() }).optional(),
  /** Variables, as they were set: those of a template also where their default counts. */
  parameters: z.record(z.string(), z.string()).optional(),
  /** A run of a study: its place among the points (from 0), and which of its repetitions (from 1). */
  study: z.object({ name: z.string(), file: z.string(), point: z.int(), repetition: z.int() }).optional(),
  /** It has waited in the queue: its number there; who submitted it, when, and in which folder. */
  queue: z.object({ number: z.int(), by: z.string(), submittedAt: z.string(), cwd: z.string() }).optional(),
});

export type Origin = z.infer<typeof originSchema>;

/** Of a file of JSON that netfold has written for itself. Throws `ControllerError` (`FILE_UNREADABLE`). */
export function readOrigin(path: string): Origin {
  try {
    return originSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    const message = `${path} does not say where a topology comes from: ${(cause as Error).message}`;
    throw new ControllerError(
      'FILE_UNREADABLE',
      message,
      'netfold writes it itself: start without it',
      cause,
    );
  }
}

const descriptionSchema = z.object({
  format: z.int().min(1),
  /** `EXPERIMENT@START`, the name of the record's folder. */
  id: z.string(),
  experiment: z.string(),
  /** `recording`: a process writes it, or has been killed. `complete`: nothing changes any more. */
  state: z.enum(['recording', 'complete']),
  /** Who writes it; null when it is complete. `startTime`: in clock ticks since boot. */
  writer: z.object({ pid: z.int(), startTime: z.number() }).nullable(),
  /** ISO 8601. `beganAt`: of the timeline, time 0 of all samples; null: it did not begin. */
  startedAt: z.string(),
  beganAt: z.string().nullable(),
  endedAt: z.string().nullable(),
  versions: versionsSchema,
  machine: machineSchema,
  /** What of the kernel decides how it queues and sends: abilities as of `netfold doctor`, settings as of `sysctl`. */
  kernel: z.object({ queueing: z.array(z.string()), settings: z.record(z.string(), z.string()) }).optional(),
  platform: z.string(),
  delayBackend: z.string(),
  /** Of this machine; other machines of the same experiment write records of their own. */
  hosts: z.array(z.string()),
  endpoints: z.int(),
  /** Endpoint → host, of those of this record's hosts. */
  placement: z.record(z.string(), z.string()).optional(),
  /** How far the clock that all hosts follow was ahead of the host's own, in the last second; null: not known. */
  clocks: z
    .record(
      z.string(),
      z.object({
        reference: z.string().nullable(),
        offsetMs: z.number().nullable(),
        errorMs: z.number().nullable(),
      }),
    )
    .optional(),
  /** Of containers: what the endpoints run. `name`: as the topology has it; `id`: of the engine; `digests`: of registries. */
  images: z
    .record(z.string(), z.object({ name: z.string(), id: z.string(), digests: z.array(z.string()) }))
    .optional(),
  /** Endpoint → how its command has ended, or that it had not when the run did. */
  processes: z.record(z.string(), z.string()).optional(),
  /** Hosts of other machines that took part, as agents told. They keep their own parts; what is here, hosts here saw. Absent: none. */
  elsewhere: z.array(z.string()).optional(),
  /** Absent: it was not joined of several. */
  parts: z.array(partSchema).optional(),
  /** The same in all records of one run: the experiment's name among its agents, and the random name of this start. */
  run: z.object({ experiment: z.string(), start: z.string() }).optional(),
  topology: z.object({
    /** As the user named it. */
    file: z.string(),
    /** What agents compare among each other, of the texts that they read. */
    hash: z.string(),
    /** Files in the record that hold these texts. */
    texts: z.array(z.string().regex(FILE_NAME)).min(1),
  }),
  /** Absent: of the file alone. */
  origin: originSchema.optional(),
  /** Of the hosts' random numbers, by host. */
  seeds: z.record(z.string(), z.number()),
  /** What is missing, in words. */
  problems: z.array(z.string()),
  /** Path in the record → SHA-256, of every other file; empty until it is complete. */
  files: z.record(z.string(), z.string()),
});

export type Description = z.infer<typeof descriptionSchema>;

/** Throws system errors. */
export function writeDescription(folder: string, description: Description): void {
  const text = `${JSON.stringify(description, null, 2)}\n`;
  replaceFile(join(folder, DESCRIPTION), text, { mode: OPEN_FILE, isLasting: true });
}

/** Throws `ControllerError` (`RECORD_UNREADABLE`). */
export function readDescription(folder: string): Description {
  const path = join(folder, DESCRIPTION);
  let written: unknown;
  try {
    written = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw unreadable(folder, `${path}: ${(cause as Error).message}`, cause);
  }
  const { format } = (written ?? {}) as { format?: unknown };
  if (typeof format === 'number' && format > FORMAT)
    throw unreadable(folder, `it has format ${format}, and this netfold reads up to ${FORMAT}`);
  const parsed = descriptionSchema.safeParse(written);
  if (parsed.success) return parsed.data;
  throw unreadable(folder, `${path}: ${z.prettifyError(parsed.error)}`, parsed.error);
}

function unreadable(folder: string, reason: string, cause?: unknown): ControllerError {
  return new ControllerError(
    'RECORD_UNREADABLE',
    `${folder} is no record that can be read: ${reason}`,
    '`netfold records` lists those of this machine',
    cause,
  );
}

/** SHA-256 of every file in the folder but its description and `known` ones, by path. Links and devices are left out: nobody wrote them. */
export async function hashesOf(
  folder: string,
  known: Readonly<Record<string, string>> = {},
): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => path !== DESCRIPTION && !path.startsWith('.') && known[path] === undefined)
    .sort();
  for (const path of paths) hashes[path] = await hashOf(join(folder, path));
  return hashes;
}

/**
 * Of longer files, pieces are read while others wait for this thread. A stream takes half a millisecond of the processor for each file
 * (2026-11-30), and waits for other threads four times: with a log of each of 1,000 endpoints, most of the end of a run.
 */
const READ_AT_ONCE_BYTES = 1 << 18;

async function hashOf(path: string): Promise<string> {
  if (statSync(path).size <= READ_AT_ONCE_BYTES) {
    await turn();
    return hash('sha256', readFileSync(path));
  }
  const whole = createHash('sha256');
  await pipeline(createReadStream(path), whole);
  return whole.digest('hex');
}

/** What differs from the hashes of a complete record, one sentence each. */
export async function changesSince(folder: string, { files }: Description): Promise<string[]> {
  const now = await hashesOf(folder);
  const changed = Object.entries(files).flatMap(([path, hash]) => {
    if (now[path] === undefined) return [`${path} is missing`];
    return now[path] === hash ? [] : [`${path} was changed`];
  });
  const added = Object.keys(now).filter((path) => files[path] === undefined);
  return [...changed, ...added.map((path) => `${path} was added`)];
}

/** Names of the files in `captures/`, in their order. What is no regular file nobody wrote: a link leads elsewhere, a pipe never ends. */
export function capturesIn(folder: string): string[] {
  const captures = join(folder, CAPTURES);
  if (!existsSync(captures)) return [];
  const entries = readdirSync(captures, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort();
}

/** Whether there is a file of this name that may be read. */
export const hasFile = (folder: string, name: string): boolean =>
  lstatSync(join(folder, name), { throwIfNoEntry: false })?.isFile() === true;

/** Bytes of all files in it. */
export function sizeOf(folder: string): number {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => {
    return sum + (lstatSync(join(parentPath, name), { throwIfNoEntry: false })?.size ?? 0);
  }, 0);
}
