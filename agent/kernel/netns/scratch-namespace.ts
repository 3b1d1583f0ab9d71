/** A network namespace without a name, which ends with the action: whatever is made in it is gone afterwards. */
import { close, open } from '../sys/descriptors.ts';
import { setns, unshareNetwork } from '../sys/thread-namespace.ts';
import { THREAD_NAMESPACE_FILE } from './namespace-files.ts';

export const LOOPBACK = 1;

/** Runs `action`, which must not be asynchronous, in a new namespace of this thread, and comes back. */
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
