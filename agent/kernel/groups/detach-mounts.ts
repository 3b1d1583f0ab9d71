import { readFileSync } from 'node:fs';
import { unmount } from '../sys/mounts.ts';
import { parseMounts } from './mount-table.ts';

/**
 * Detaches what is mounted on the folder or below it, so that no file of another file system is removed with it. Returns where something
 * was mounted. Throws system errors.
 */
export function detachMounts(folder: string): string[] {
  const mounts = parseMounts(readFileSync('/proc/self/mountinfo', 'utf8')).map((mount) => mount.folder);
  // The last is the innermost, or hides those before it.
  const mine = mounts.filter((at) => at === folder || at.startsWith(`${folder}/`)).reverse();
  return mine.filter((at) => unmount(at));
}
