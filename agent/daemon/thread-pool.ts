/** The threads in which this process waits for what the kernel does not do at once. */
import { stat } from 'node:fs/promises';

const VARIABLE = 'UV_THREADPOOL_SIZE';
/** libuv's own number. */
const FEWEST = 4;
const MOST = 64;
/**
 * At its end an agent closes a socket of each endpoint, each of which waits for 10 ms. So it takes 0.4 s for that, and with more
 * endpoints than this times the most as much longer: an agent with 2,668 ends within 2.4 s.
 */
const ENDPOINTS_PER_THREAD = 40;

/** How many threads an agent with so many endpoints has for that. Pure. */
export function poolThreads(endpoints: number): number {
  return Math.min(MOST, Math.max(FEWEST, Math.ceil(endpoints / ENDPOINTS_PER_THREAD)));
}

/**
 * Begins libuv's pool. To be called before anything else uses it, for the size is read then (libuv, threadpool.c,
 * `init_threads`); else it stays as it is. Applications that the agent starts don't see the variable. A size that the user
 * has set counts.
 */
export async function beginThreadPool(threads: number): Promise<void> {
  if (process.env[VARIABLE] !== undefined) return;
  process.env[VARIABLE] = `${threads}`;
  try {
    await stat('/');
  } finally {
    delete process.env[VARIABLE];
  }
}
