/** The threads in which this process waits for blocking system calls. */
import { stat } from 'node:fs/promises';

const VARIABLE = 'UV_THREADPOOL_SIZE';
/** libuv's default. */
const FEWEST = 4;
const MOST = 64;
/**
 * At its end an agent closes one socket per endpoint, each of which takes 10 ms. With up to this times the greatest
 * number of threads it takes 0.4 s, with more endpoints proportionally longer: an agent with 2,668 ends within 2.4 s.
 */
const ENDPOINTS_PER_THREAD = 40;

/** How many threads an agent with so many endpoints has. Pure. */
export function poolThreads(endpoints: number): number {
  return Math.min(MOST, Math.max(FEWEST, Math.ceil(endpoints / ENDPOINTS_PER_THREAD)));
}

/**
 * Starts libuv's pool. It must be called before any other use of the pool, because libuv reads the size then
 * (threadpool.c, `init_threads`); otherwise the size stays. Applications that the agent starts don't get the
 * variable. A size that the user has set has precedence.
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
