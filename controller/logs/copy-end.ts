/** Copies the end of a log file. */
import { closeSync, copyFileSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { count } from '../../proto/words.ts';

const CHUNK_BYTES = 2 ** 20;
const NEWLINE = 10;

/**
 * Copies a file; of one with more than `most` bytes, its last bytes, from the start of a line on, after a line that says how
 * much is missing. Throws system errors.
 */
export function copyEnd(from: string, to: string, most: number): void {
  const source = openSync(from, 'r');
  try {
    const { size } = fstatSync(source);
    if (size <= most) {
      copyFileSync(from, to);
      return;
    }
    const target = openSync(to, 'w');
    try {
      copyFrom(source, target, size - most);
    } finally {
      closeSync(target);
    }
  } finally {
    closeSync(source);
  }
}

function copyFrom(source: number, target: number, start: number): void {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let read = readSync(source, chunk, 0, CHUNK_BYTES, start);
  // A line without an end is cut anywhere.
  const skipped = chunk.subarray(0, read).indexOf(NEWLINE) + 1;
  writeSync(target, `[netfold: the first ${count(start + skipped, 'byte')} were not kept]\n`);
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
