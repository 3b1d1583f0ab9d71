/** What holds for all threads of this process: when it ends, and how they share its heap. */
import { libc } from './libc.ts';

const raw = {
  alarm: libc.func('unsigned int alarm(unsigned int seconds)'),
  mallopt: libc.func('int mallopt(int parameter, int value)'),
};

/** malloc.h of glibc. */
const M_ARENA_MAX = -8;

/**
 * The kernel ends the process (SIGALRM) after so many seconds, unless it has ended by itself. For its very end: Node waits
 * there for its worker threads, and a thread that is in a system call does not hear it.
 */
export function endWithin(seconds: number): void {
  raw.alarm(seconds);
}

/**
 * Lets all threads that begin from now on share so many arenas of the C library's heap (mallopt(3)). By itself, glibc makes eight per processor, and each
 * keeps what was freed in it. Other C libraries have no arenas, and ignore it.
 */
export function limitArenas(count: number): void {
  raw.mallopt(M_ARENA_MAX, count);
}
