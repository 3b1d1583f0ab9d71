/**
 * Records of a study's runs, which are in its own folder, so that those of the user's other runs stay. Their number and size are bounded
 * all the same: the oldest go first, pinned ones never.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { removeFolder } from '../../machine/folders.ts';
import { DESCRIPTION, sizeOf } from '../../record/description.ts';
import { isPinned, keptRecords, RECORD_LIMITS, type RecordLimits } from '../../record/folders.ts';

/** So many stay, unless they are too large. */
export const MOST_KEPT = RECORD_LIMITS.records;

interface Kept {
  readonly folder: string;
  readonly bytes: number;
}

export class KeptRecords {
  readonly #limits: RecordLimits;
  /** The oldest first. */
  #kept: readonly Kept[];

  /** `root`: the folder of all runs, which need not be there yet. */
  constructor(root: string, limits: RecordLimits = RECORD_LIMITS) {
    this.#limits = limits;
    this.#kept = keptRecords(root).reverse();
  }

  /** A run has ended: its record is the last one. Removes the oldest ones beyond the limits, never this one. Throws system errors. */
  add(folder: string): void {
    if (!isRecord(folder)) return;
    const others = this.#kept.filter((one) => one.folder !== folder && existsSync(one.folder));
    const own = { folder, bytes: sizeOf(folder) };
    let records = others.length + 1;
    let bytes = others.reduce((sum, one) => sum + one.bytes, own.bytes);
    const staying = others.filter((one) => {
      const isTooMuch = records > this.#limits.records || bytes > this.#limits.bytes;
      if (!isTooMuch || isPinned(one.folder)) return true;
      removeFolder(one.folder);
      records--;
      bytes -= one.bytes;
      return false;
    });
    this.#kept = [...staying, own];
  }
}

/** Whether there is one. */
export const isRecord = (folder: string): boolean => existsSync(join(folder, DESCRIPTION));
