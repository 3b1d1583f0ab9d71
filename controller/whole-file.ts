/** Files that users name: they are whole, or as they were before. */
import { chmodSync, lstatSync, renameSync, rmSync } from 'node:fs';

/** Not of the user's own names; in the same folder, since a name changes within one file system alone. */
const draftOf = (path: string): string => `${path}.part`;

/**
 * Has `write` write the file under another name, which it keeps until it is whole. What is no regular file (a device, a pipe, a link) is
 * written as it is. Throws what `write` throws, and system errors; nothing half written is left then.
 */
export function wholeFile<T>(path: string, write: (path: string) => T): T {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found && !found.isFile()) return write(path);
  const draft = draftOf(path);
  rmSync(draft, { force: true });
  try {
    const result = write(draft);
    if (found) chmodSync(draft, found.mode & 0o7777);
    renameSync(draft, path);
    return result;
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}
