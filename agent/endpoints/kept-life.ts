/** What the next agent has to know of a service's command, in a file beside the command's output. */
import { readFileSync, rmSync } from 'node:fs';
import { z } from 'zod';
import { PRIVATE_FILE, replaceFile } from '../files/own-files.ts';

const keptSchema = z.strictObject({
  /** Of the process that was started last; with its start it identifies the process. Absent: it could not be started. */
  pid: z.int().positive().optional(),
  startTime: z.number().optional(),
  restarts: z.int().nonnegative(),
  /** How the command ended the last time. */
  last: z.string().optional(),
  /** It has ended, and is not started again. */
  isDone: z.boolean(),
  /** It waits for other services, and has not been started yet. */
  isWaiting: z.boolean(),
  isReady: z.boolean(),
  /** Where its output begins in the log, in bytes. */
  logFrom: z.int().nonnegative(),
});

export type KeptLife = Readonly<z.infer<typeof keptSchema>>;

/** Replaces the file at once, so that a killed agent leaves a whole one. Throws system errors. */
export function keepLife(file: string, life: KeptLife): void {
  replaceFile(file, JSON.stringify(life), { mode: PRIVATE_FILE });
}

/** `undefined` if there is none, or none that can be read. */
export function readLife(file: string): KeptLife | undefined {
  try {
    return keptSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

export function forgetLife(file: string): void {
  rmSync(file, { force: true });
}
