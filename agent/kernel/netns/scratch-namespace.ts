/** A temporary network namespace without a name: what an action makes in it is gone afterwards. */
import { close, open } from '../sys/descriptors.ts';
import { setns, unshareNetwork } from '../sys/thread-namespace.ts';
import { THREAD_NAMESPACE_FILE } from './namespace-files.ts';

export const LOOPBACK = 1;

/**
 * Runs `action`, which must not be asynchronous, with this thread in a new namespace. The namespace ends with the action, or with
 * the last descriptor that is open in it.
 */
export function inScratchNamespace<T>(action: () => T extends Promise<unknown> ? never : T): T {
  const home = open(THREAD_NAMESPACE_FILE);
  try {
    unshareNetwork();
    try {
      return action() as T;
    } finally {
      setns(home);
    }
  } finally {
    close(home);
  }
}
