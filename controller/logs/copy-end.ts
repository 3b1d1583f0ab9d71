/** Copies the end of a log file. */
import { closeSync, copyFileSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { missingAtStart, readCut } from '../../agent/files/log-cut.ts';
import { openToRead } from '../../agent/files/own-files.ts';

const CHUNK_BYTES = 2 ** 20;
const NEWLINE = 10;

/**
 * Copies a log; of one with more than `most` bytes, its last bytes, from the start of a line on, after a line that says how
 * much is missing, as of one that has lost its start already. Throws system errors.
 */
export function copyEnd(from: string, to: string, most: number): void {
  const source = openToRead(from);
  try {
    const { size } = fstatSync(source);
    const cut = readCut(from);
    if (cut === 0 && size <= most) {
      copyFileSync(from, to);
      return;
    }
    const target = openSync(to, 'w');
    try {
      copyFrom(source, target, Math.max(cut, size - most), cut);
    } finally {
      closeSync(target);
    }
  } finally {
    closeSync(source);
  }
}

function copyFrom(source: number, target: number, start: number, cut: number): void {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let read = readSync(source, chunk, 0, CHUNK_BYTES, start);
  // A line without an end is cut anywhere.
  const skipped = start === cut ? 0 : chunk.subarray(0, read).indexOf(NEWLINE) + 1;
  writeSync(target, missingAtStart(start + skipped));
  let at = start;
  let first = skipped;
  while (read > 0) {
    writeAll(target, chunk.subarray(first, read));
    at += read;
    first = 0;
    read = readSync(source, chunk, 0, CHUNK_BYTES, at);
  }
}

function writeAll(target: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(target, bytes, done);
}
