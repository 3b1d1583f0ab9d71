/**
 * The command that started this process as a daemon, and shows what it reports. It ends once the experiment is up,
 * and the daemon outlives it: later messages are dropped.
 */

/** Whether this process was started as a daemon by a command. */
export const hasParent = process.send !== undefined;

/** The parent may end while a message is sent to it. */
export function tellParent(message: object): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}
