/** How the scheduler treats the calling thread: when it wakes it, on which processor, and how long it has run. */
import { fromMillis, fromSeconds, type Micros, micros, nanosToMillis } from '../../../proto/units.ts';
import { check, ERRNO, fail, lastErrno, libc } from './libc.ts';

const raw = {
  prctl: libc.func('int prctl(int option, ulong a, ulong b, ulong c, ulong d)'),
  setpriority: libc.func('int setpriority(int which, uint32_t who, int priority)'),
  sched_setscheduler: libc.func('int sched_setscheduler(int pid, int policy, void *param)'),
  sched_getaffinity: libc.func('int sched_getaffinity(int pid, size_t size, _Out_ uint8_t *mask)'),
  sched_setaffinity: libc.func('int sched_setaffinity(int pid, size_t size, void *mask)'),
  sched_getcpu: libc.func('int sched_getcpu()'),
  gettid: libc.func('int gettid()'),
  clock_gettime: libc.func('int clock_gettime(int clock, void *time)'),
};

const PR_SET_TIMERSLACK = 29;
const PRIO_PROCESS = 0;
const CLOCK_THREAD_CPUTIME_ID = 3;
const SCHED_RR = 2;
const LOWEST_REAL_TIME_PRIORITY = 1;
/** For 8,192 processors, the most that Linux can be built for on x86-64. */
const MASK_BYTES = 1024;
const DENIED = [ERRNO.EPERM, ERRNO.EACCES];

/** What the scheduler has granted a thread. */
export interface Preference {
  /** Whether its sleeps end without the slack of 50 µs that others have. */
  readonly isPunctual: boolean;
  readonly scheduling: 'real-time' | 'best nice value' | 'ordinary';
}

/**
 * Asks the scheduler to wake this thread on time: no timer slack, and ahead of ordinary work. Where real-time
 * scheduling is not permitted it takes the best nice value. A missing permission is no error: the thread does the same work, only
 * later, and the result says what was granted. Throws `KernelError` for any other refusal.
 */
export function preferThisThread(): Preference {
  const parameters = new Int32Array([LOWEST_REAL_TIME_PRIORITY]);
  const isPunctual = isGranted('prctl', raw.prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0), 'PR_SET_TIMERSLACK');
  if (isGranted('sched_setscheduler', raw.sched_setscheduler(0, SCHED_RR, parameters), 'SCHED_RR'))
    return { isPunctual, scheduling: 'real-time' };
  const thread = check('gettid', raw.gettid(), 'this thread');
  const isFirst = isGranted('setpriority', raw.setpriority(PRIO_PROCESS, thread, -20), '-20');
  return { isPunctual, scheduling: isFirst ? 'best nice value' : 'ordinary' };
}

/** False where the call was not permitted. */
function isGranted(call: string, result: number, object: string): boolean {
  return isDone(call, result, object, DENIED);
}

/** False where the call failed with one of these errors. */
function isDone(call: string, result: number, object: string, expected: readonly number[]): boolean {
  if (result >= 0) return true;
  if (expected.includes(lastErrno())) return false;
  return fail(call, object);
}

/** The processor that the thread runs on, from 0. Throws `KernelError`. */
export function currentProcessor(): number {
  return check('sched_getcpu', raw.sched_getcpu(), 'this thread');
}

/**
 * Moves the thread to another of the processors that it may use; afterwards it may use all of them as before. The scheduler wakes
 * a real-time thread on the processor where it ran last (kernel/sched/rt.c, `select_task_rq_rt`), even while the kernel there works
 * for another process and can't be preempted. False where there is no other processor (EINVAL), or where it is not permitted.
 * Throws `KernelError`.
 */
export function changeProcessor(): boolean {
  const allowed = new Uint8Array(MASK_BYTES);
  check('sched_getaffinity', raw.sched_getaffinity(0, MASK_BYTES, allowed), 'this thread');
  const here = currentProcessor();
  const others = allowed.slice();
  others[here >> 3]! &= ~(1 << (here & 7));
  const moved = raw.sched_setaffinity(0, MASK_BYTES, others);
  if (!isDone('sched_setaffinity', moved, 'other processors', [...DENIED, ERRNO.EINVAL])) return false;
  // EINVAL: meanwhile the thread's cpuset has lost all of these processors; the kernel then allows all that are left in it.
  isDone('sched_setaffinity', raw.sched_setaffinity(0, MASK_BYTES, allowed), 'as before', [ERRNO.EINVAL]);
  return true;
}

/**
 * Processor time of the calling thread, µs. Exact at any instant; getrusage(2), and Node with it, knows it as of the kernel's last
 * tick. Throws `KernelError`.
 */
export function processorMicros(): Micros {
  // struct timespec
  const time = new BigInt64Array(2);
  check('clock_gettime', raw.clock_gettime(CLOCK_THREAD_CPUTIME_ID, time), 'this thread');
  return micros(fromSeconds(Number(time[0])) + fromMillis(nanosToMillis(Number(time[1]))));
}
