/** The threads in which this process waits for what the kernel does not do at once. */
import { stat } from 'node:fs/promises';

const VARIABLE = 'UV_THREADPOOL_SIZE';
/**
 * An agent with 2,668 endpoints closes as many sockets at its end, each of which waits for 10 ms: it then takes 2.4 s to end,
 * with 16 threads more than 3, one after the other it would be half a minute.
 */
const THREADS = '64';

/**
 * Begins libuv's pool, with more threads than its own four. To be called before anything else uses the pool, which reads its
 * size then (libuv, threadpool.c, `init_threads`); applications that the agent starts don't see the variable. A size that the
 * user has set stays.
 */
export async function beginThreadPool(): Promise<void> {
  if (process.env[VARIABLE] !== undefined) return;
  process.env[VARIABLE] = THREADS;
  try {
    await stat('/');
  } finally {
    delete process.env[VARIABLE];
  }
}
