/** What the agents of a lab take on the machine: memory, descriptors, files. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface Sample {
  readonly atMs: number;
  /** Of one agent: resident memory in bytes, and open descriptors. */
  readonly rssBytes: number;
  readonly descriptors: number;
}

const KIB = 1024;

/** Throws if there is no such process. */
export function sampleOf(pid: number, atMs: number): Sample {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  const descriptors = readdirSync(`/proc/${pid}/fd`).length;
  return { atMs, rssBytes: Number(kib) * KIB, descriptors };
}

/** Of all files below a folder whose name matches; what goes meanwhile counts as nothing. */
export function bytesBelow(folder: string, name: RegExp): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !name.test(entry.name)) continue;
    bytes += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}
