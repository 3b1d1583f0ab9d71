/** alarm(2): a signal that ends the process, whatever its threads do. */
import { libc } from './libc.ts';

const alarm = libc.func('unsigned int alarm(unsigned int seconds)');

/**
 * The kernel ends the process (SIGALRM) after so many seconds, unless it has ended by itself. For its very end: Node waits
 * there for its worker threads, and a thread that is in a system call does not hear it.
 */
export function endWithin(seconds: number): void {
  alarm(seconds);
}
