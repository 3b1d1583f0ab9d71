/** `netfold serve`, as users start it: a process of its own. */
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchError } from '../errors.ts';
import type { Interruption } from '../lab.ts';
import { startNetfold } from '../records/netfold.ts';

const PERIOD_MS = 20;
const PATIENCE_MS = 30_000;

export interface Server {
  readonly pid: number;
  /** Without a path. */
  readonly url: string;
  /** That a browser can open once. */
  readonly link: string;
  stop(): Promise<void>;
}

/** At a free port. Throws `COMMAND_FAILED`, `INTERRUPTED`. */
export async function startServer(interruption: Interruption): Promise<Server> {
  const words = ['serve', '--listen', '127.0.0.1:0', '--json'];
  const { child, said, ended } = startNetfold(words, process.env.NETFOLD_RECORDS ?? tmpdir());
  // It is awaited at the end.
  ended.catch(() => {});
  const stop = async (): Promise<void> => {
    child.kill('SIGINT');
    await ended;
  };
  try {
    for (const until = performance.now() + PATIENCE_MS; performance.now() < until; ) {
      const found = addressesIn(said());
      if (found && child.pid !== undefined) return { pid: child.pid, ...found, stop };
      if (child.exitCode !== null) break;
      await interruption.race(() => sleep(PERIOD_MS));
    }
    throw new BenchError('COMMAND_FAILED', `netfold serve does not listen: ${said().trim()}`);
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Of what `netfold serve --json` has printed so far. Pure. */
export function addressesIn(text: string): { readonly url: string; readonly link: string } | undefined {
  const [, url] = /"url":\s*"([^"]+)"/.exec(text) ?? [];
  const [, link] = /"link":\s*"([^"]+)"/.exec(text) ?? [];
  return url === undefined || link === undefined ? undefined : { url, link };
}
