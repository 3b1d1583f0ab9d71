/** `traffic.json` of a record: what netfold's own traffic had sent and received. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { OPEN_FILE, replaceFile } from '../../agent/files/own-files.ts';
import { ControllerError } from '../errors.ts';
import type { TrafficRow } from '../traffic-rows.ts';
import { hasFile, TRAFFIC } from './description.ts';

const counted = z.number().min(0);

const rowSchema: z.ZodType<TrafficRow> = z.object({
  ...{ name: z.string(), kind: z.string(), protocol: z.string(), from: z.string(), to: z.string() },
  ...{ sources: counted, sent: counted, sentBytes: counted, refused: counted, late: counted },
  ...{ received: counted, receivedBytes: counted },
  ...{ lost: counted.nullable(), meanDelayMs: z.number().nullable(), mostDelayMs: z.number().nullable() },
});

/** As a whole or not at all, also while the run goes on. Does nothing for none. Throws system errors. */
export function writeTraffic(folder: string, rows: readonly TrafficRow[]): void {
  if (rows.length === 0) return;
  replaceFile(join(folder, TRAFFIC), `${JSON.stringify(rows, null, 1)}\n`, { mode: OPEN_FILE });
}

/** Empty where there was none. Throws `ControllerError` (`RECORD_UNREADABLE`). */
export function readTraffic(folder: string): readonly TrafficRow[] {
  const path = join(folder, TRAFFIC);
  if (!hasFile(folder, TRAFFIC)) return [];
  try {
    return z.array(rowSchema).parse(JSON.parse(readFileSync(path, 'utf8')));
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
