/** Every network namespace of this machine that can be found: by name, or because a process is in it. */
import { readdirSync, statSync } from 'node:fs';
import { listNamespaces, namespacePath, OWN_NAMESPACE_FILE } from './namespace-files.ts';

export interface NamespaceFound {
  readonly path: string;
  /** For messages: its name, or the process that is in it. */
  readonly label: string;
  readonly device: number;
  readonly inode: number;
}

/** Each once, named ones first; without those whose name `skip` takes. What can't be looked at is left out. */
export function allNamespaces(
  skip: (name: string) => boolean,
  more: readonly string[] = [],
): NamespaceFound[] {
  const named = listNamespaces();
  const found = new Map<string, NamespaceFound>();
  const skipped = new Set<string>();
  const add = (path: string, label: string, into: Map<string, NamespaceFound> | Set<string>): void => {
    const numbers = statSync(path, { throwIfNoEntry: false });
    if (!numbers) return;
    const key = `${numbers.dev}-${numbers.ino}`;
    if (into instanceof Set) into.add(key);
    else if (!skipped.has(key) && !into.has(key))
      into.set(key, { path, label, device: numbers.dev, inode: numbers.ino });
  };
  for (const name of named.filter(skip)) attempt(() => add(namespacePath(name), name, skipped));
  attempt(() => add(OWN_NAMESPACE_FILE, 'this namespace', found));
  for (const name of named) attempt(() => add(namespacePath(name), name, found));
  for (const path of more) attempt(() => add(path, path, found));
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    attempt(() => add(`/proc/${pid}/ns/net`, `process ${pid}`, found));
  return [...found.values()];
}

/** Processes end while they are looked at, and some may not be looked at. */
function attempt(action: () => void): void {
  try {
    action();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
  }
}
