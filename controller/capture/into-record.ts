/** Puts files of a capture into the record of the run that goes on. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ControllerError } from '../errors.ts';
import { CAPTURES, readDescription } from '../record/description.ts';
import { recordOf } from '../record/writer.ts';

export interface RecordPlace {
  /** Where files are written until they are whole: in the record, under a name that is in no hash. */
  readonly draft: string;
  /** Moves them to where the record has captures, and returns where they are. */
  settle(files: readonly string[]): string[];
  isInside(file: string): boolean;
}

/** Throws `ControllerError` (`CAPTURE_RECORD`) if the run is not recorded, and system errors. */
export function placeInRecord(experiment: string): RecordPlace {
  const record = recordOf(experiment);
  if (record === undefined || readDescription(record).state !== 'recording')
    throw new ControllerError(
      'CAPTURE_RECORD',
      `${experiment} is not being recorded, so there is no record to put packets into`,
      'write them to a file: -w FILE',
    );
  const draft = mkdtempSync(join(record, '.capture-'));
  const inside = join(record, CAPTURES);
  return {
    draft,
    settle: (files) => settle(record, draft, files),
    isInside: (file) => dirname(file) === inside,
  };
}

/**
 * A record that is complete does not change any more: files that come after that stay outside, in this folder. The record may be
 * completed between a look and a move, so the look comes last.
 */
function settle(record: string, draft: string, files: readonly string[]): string[] {
  if (files.length === 0) {
    rmSync(draft, { recursive: true, force: true });
    return [];
  }
  const folder = join(record, CAPTURES);
  mkdirSync(folder, { recursive: true });
  const moved = files.map((file) => {
    const to = freeName(folder, basename(file));
    renameSync(file, to);
    return to;
  });
  rmSync(draft, { recursive: true, force: true });
  const { state, files: hashes } = readDescription(record);
  const isIn = (file: string): boolean => hashes[`${CAPTURES}/${basename(file)}`] !== undefined;
  if (state === 'recording' || moved.every(isIn)) return moved;
  const outside = moved.map((file) => (isIn(file) ? file : takenOut(file)));
  if (readdirSync(folder).length === 0) rmSync(folder, { recursive: true });
  return outside;
}

function takenOut(file: string): string {
  const to = freeName(process.cwd(), basename(file));
  // It may be another file system.
  copyFileSync(file, to);
  rmSync(file);
  return to;
}

function freeName(folder: string, name: string): string {
  for (let number = 1; ; number++) {
    const path = join(folder, number === 1 ? name : name.replace(/(\.[^.]*)?$/, `~${number}$1`));
    if (!existsSync(path)) return path;
  }
}
