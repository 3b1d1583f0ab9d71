/** What the calling thread asks of the scheduler: when it is woken, and on which processor. */
import { libc } from './libc.ts';

const raw = {
  prctl: libc.func('int prctl(int option, ulong a, ulong b, ulong c, ulong d)'),
  setpriority: libc.func('int setpriority(int which, uint32_t who, int priority)'),
  sched_setscheduler: libc.func('int sched_setscheduler(int pid, int policy, void *param)'),
  sched_getaffinity: libc.func('int sched_getaffinity(int pid, size_t size, _Out_ uint8_t *mask)'),
  sched_setaffinity: libc.func('int sched_setaffinity(int pid, size_t size, void *mask)'),
  sched_getcpu: libc.func('int sched_getcpu()'),
  gettid: libc.func('int gettid()'),
};

const PR_SET_TIMERSLACK = 29;
const SCHED_RR = 2;
const LOWEST_REAL_TIME_PRIORITY = 1;
/** For 8,192 processors, the most that Linux can be built for on x86-64. */
const MASK_BYTES = 1024;

/**
 * Asks the scheduler to wake this thread on time: no timer slack, and ahead of ordinary work. Where real-time
 * scheduling is not allowed it makes do with the best nice value.
 */
export function preferThisThread(): void {
  raw.prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
  if (raw.sched_setscheduler(0, SCHED_RR, new Int32Array([LOWEST_REAL_TIME_PRIORITY])) === 0) return;
  raw.setpriority(0, raw.gettid(), -20);
}

/** The processor that the thread runs on, from 0. */
export function currentProcessor(): number {
  return raw.sched_getcpu() as number;
}

/**
 * Goes to another of the processors that the thread may use, and may use them all as before. The scheduler wakes a
 * real-time thread where it ran last (kernel/sched/rt.c, `select_task_rq_rt`), also while there the kernel works for somebody
 * else and lets nobody in. False where there is no other, or the kernel doesn't let it.
 */
export function changeProcessor(): boolean {
  const allowed = new Uint8Array(MASK_BYTES);
  if (raw.sched_getaffinity(0, MASK_BYTES, allowed) !== 0) return false;
  const here = currentProcessor();
  const others = allowed.slice();
  others[here >> 3]! &= ~(1 << (here & 7));
  // Fails where nothing is left.
  if (raw.sched_setaffinity(0, MASK_BYTES, others) !== 0) return false;
  raw.sched_setaffinity(0, MASK_BYTES, allowed);
  return true;
}
