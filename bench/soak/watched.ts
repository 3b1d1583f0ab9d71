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

/** How much a value grows over the time of its samples, by the straight line with the least squares. */
export function growth(samples: readonly { readonly atMs: number; readonly value: number }[]): number {
  const count = samples.length;
  if (count < 2) return Number.NaN;
  const middle = samples.reduce((sum, { atMs }) => sum + atMs, 0) / count;
  const mean = samples.reduce((sum, { value }) => sum + value, 0) / count;
  let [across, square] = [0, 0];
  for (const { atMs, value } of samples) {
    across += (atMs - middle) * (value - mean);
    square += (atMs - middle) ** 2;
  }
  return (across / square) * (samples.at(-1)!.atMs - samples[0]!.atMs);
}
