/** Who runs this, for the names of keys. */
import { userInfo } from 'node:os';

/** The name of this user, or his number if the machine has no entry of him. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `${process.getuid?.() ?? 'user'}`;
  }
}
