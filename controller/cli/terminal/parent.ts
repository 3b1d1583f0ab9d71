/**
 * The command that started this process as a daemon, and shows what it reports. It goes once the experiment is up, so a daemon
 * outlives it: whatever is sent afterwards is nobody's.
 */

/** Whether this process was started as a daemon, by a command that is there or was. */
export const hasParent = process.send !== undefined;

/** A parent may go while something is sent to it. */
export function tellParent(message: object): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}
