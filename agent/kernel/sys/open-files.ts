/** How many descriptors this process may have open (prlimit(2)). */
import { check, libc } from './libc.ts';

const raw = { prlimit: libc.func('int prlimit(int pid, int resource, void *limit, void *old)') };

const RLIMIT_NOFILE = 7;

/** Descriptors that this process may have open: now, and the most that it may allow itself without CAP_SYS_RESOURCE. */
export function openFilesLimit(): { soft: number; hard: number } {
  const limit = new BigUint64Array(2);
  check('prlimit', raw.prlimit(0, RLIMIT_NOFILE, null, limit), 'RLIMIT_NOFILE');
  return { soft: Number(limit[0]), hard: Number(limit[1]) };
}

/** Sets both for this process and what it starts from now on. */
export function setOpenFilesLimit(descriptors: number): void {
  const limit = new BigUint64Array(2).fill(BigInt(descriptors));
  check('prlimit', raw.prlimit(0, RLIMIT_NOFILE, limit, null), `RLIMIT_NOFILE ${descriptors}`);
}
