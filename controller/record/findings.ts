/** `verify.json` of a record: what `netfold verify` has measured, beside what the topology asks for. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { OPEN_FILE, replaceFile } from '../../agent/files/own-files.ts';
import { ControllerError } from '../errors.ts';
import { FINDINGS, hasFile } from './description.ts';

const findingSchema = z.object({
  ...{ what: z.string(), path: z.string(), unit: z.enum(['ms', 'ratio', 'bit/s']), ok: z.boolean() },
  target: z.number(),
  /** null: nothing came back that could be measured. */
  measured: z.number().nullable(),
  tolerance: z.string(),
  tries: z.number(),
});

const findingsSchema = z.object({ faithful: z.boolean(), findings: z.array(findingSchema) });

export type RecordedFinding = z.infer<typeof findingSchema>;
export type Findings = z.infer<typeof findingsSchema>;

/** Throws system errors. */
export function writeFindings(folder: string, findings: Findings): void {
  const text = `${JSON.stringify(findings, null, 1)}\n`;
  replaceFile(join(folder, FINDINGS), text, { mode: OPEN_FILE });
}

/** `undefined`: the record is of another command. Throws `ControllerError` (`RECORD_UNREADABLE`). */
export function readFindings(folder: string): Findings | undefined {
  const path = join(folder, FINDINGS);
  if (!hasFile(folder, FINDINGS)) return undefined;
  try {
    return findingsSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message;
    throw new ControllerError(
      'RECORD_UNREADABLE',
      `${path} can't be read: ${reason}`,
      '`netfold records verify` says which files were changed',
      cause,
    );
  }
}
