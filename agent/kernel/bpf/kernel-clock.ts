/** time_namespaces(7): in one, this process' monotonic clock is another than the one of BPF programs. */
import { readFileSync } from 'node:fs';
import { secondsToWholeNanos } from '../../../proto/units.ts';

/** By how many nanoseconds the monotonic clock of this table (/proc/self/timens_offsets) is ahead of the kernel's. Pure. */
export function monotonicAheadIn(table: string): bigint {
  const [, seconds, nanoseconds] = /^monotonic\s+(-?\d+)\s+(\d+)\s*$/m.exec(table) ?? [];
  return seconds === undefined ? 0n : secondsToWholeNanos(BigInt(seconds)) + BigInt(nanoseconds!);
}

/** `bpf_ktime_get_ns()` of now, in nanoseconds, also where this process is in a time namespace. */
export function kernelMonotonicNanos(): bigint {
  ahead ??= monotonicAheadIn(readOffsets());
  return process.hrtime.bigint() - ahead;
}

let ahead: bigint | undefined;

function readOffsets(): string {
  try {
    return readFileSync('/proc/self/timens_offsets', 'utf8');
  } catch {
    // A kernel without time namespaces.
    return '';
  }
}
