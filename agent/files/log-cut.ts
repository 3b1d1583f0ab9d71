/**
 * A log whose start was dropped while it is written: the bytes before the cut are a hole in the file, which takes no room. A
 * file beside the log says where the cut is; agents write it, and all that print or copy logs read it.
 */
import { readFileSync } from 'node:fs';
import { count } from '../../proto/words.ts';

/** `web.0.log` → `web.0.log.cut`. */
export const cutFileOf = (log: string): string => `${log}.cut`;

/**
 * How many bytes at the start of a log were dropped; 0 if none were. It grows while the log is written, and is written before
 * the bytes go: bytes are whole if this is not behind them after they were read.
 */
export function readCut(log: string): number {
  let text: string;
  try {
    text = readFileSync(cutFileOf(log), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
  return /^\d{1,15}\n$/.test(text) ? Number(text) : 0;
}

/** Stands in a log in place of what is missing. */
export const missingAtStart = (bytes: number): string =>
  `[netfold: the first ${count(bytes, 'byte')} were not kept]\n`;
export const missingWithin = (bytes: number): string => `[netfold: ${count(bytes, 'byte')} were not kept]\n`;
