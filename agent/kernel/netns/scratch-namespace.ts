/** A network namespace without a name, which ends with the action: whatever is made in it is gone afterwards. */
import { close, open, setns, unshareNetwork } from '../sys/libc.ts';

/** Where the calling thread is. */
export const OWN_NAMESPACE = '/proc/thread-self/ns/net';
export const LOOPBACK = 1;

/** Runs `action`, which must not be asynchronous, in a new namespace of this thread, and comes back. */
export function inScratchNamespace<T>(action: () => T extends Promise<unknown> ? never : T): T {
  const home = open(OWN_NAMESPACE);
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
