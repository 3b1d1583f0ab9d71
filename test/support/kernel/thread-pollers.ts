/** The delay line's threads, by what they wait with. */
import { readdirSync, readFileSync } from 'node:fs';

/** Descriptors of this process that are epolls with an entry for messages to a thread (`CONTROL` in worker.ts). */
export function pollersOfThreads(): number[] {
  return readdirSync('/proc/self/fdinfo')
    .map(Number)
    .filter((fd) => /^tfd:.* data: +ffffffff /m.test(read(fd)));
}

function read(fd: number): string {
  try {
    return readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
  } catch {
    // It was closed after the folder was listed.
    return '';
  }
}
