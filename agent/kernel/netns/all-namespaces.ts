/** Every network namespace of this machine that has a name or a process in it. */
import { readdirSync, statSync } from 'node:fs';
import { listNamespaces, namespacePath, OWN_NAMESPACE_FILE } from './namespace-files.ts';

export interface NamespaceFound {
  readonly path: string;
  /** For messages: its name, or a process that is in it. */
  readonly label: string;
  readonly device: number;
  readonly inode: number;
}

/** Each namespace once, named ones first, without those whose name `skip` accepts. Namespaces that can't be read are left out. */
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

/** A process may end while it is read, or belong to another user. */
function attempt(action: () => void): void {
  try {
    action();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
  }
}
