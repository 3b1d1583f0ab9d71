/**
 * Named network namespaces, as iproute2 keeps them: a file under /run/netns onto which the namespace is mounted.
 *
 * A namespace is a property of the thread. `within` therefore runs a synchronous function only: an `await` inside
 * would let other work of this thread run in the wrong namespace.
 */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { close, open } from '../sys/descriptors.ts';
import { KernelError } from '../sys/errors.ts';
import { ERRNO } from '../sys/libc.ts';
import { bindMount, makeSharedMount, unmount, unmountLater } from '../sys/mounts.ts';
import { setns, unshareNetwork } from '../sys/thread-namespace.ts';
import { NETNS_FOLDER, namespacePath, OWN_NAMESPACE_FILE, THREAD_NAMESPACE_FILE } from './namespace-files.ts';

export { listNamespaces, NETNS_FOLDER, namespacePath } from './namespace-files.ts';

/** ESRCH: the process whose namespace it is has ended. */
const NOT_THERE: ReadonlySet<number> = new Set([ERRNO.ENOENT, ERRNO.ENOTDIR, ERRNO.ESRCH]);

let pinned: string | undefined;

/**
 * A path to the same namespace that is valid in every thread. For a thread that is inside of an endpoint's namespace,
 * `OWN_NAMESPACE_FILE` would name that one; a path of a descriptor does not change. The descriptor is open until the process
 * ends.
 */
export function pinnedPath(path: string): string {
  if (path !== OWN_NAMESPACE_FILE) return path;
  pinned ??= `/proc/self/fd/${open(OWN_NAMESPACE_FILE)}`;
  return pinned;
}

/** The inverse of `pinnedPath`, for those to whom this process' descriptors say nothing. */
export const unpinnedPath = (path: string): string => (path === pinned ? OWN_NAMESPACE_FILE : path);

/** Runs `action` with this thread inside the namespace at `path`. The thread returns to its own namespace also when `action` throws. */
export function within<T>(path: string, action: () => T extends Promise<unknown> ? never : T): T {
  const home = open(THREAD_NAMESPACE_FILE);
  try {
    const target = openNamespace(path);
    try {
      setns(target);
    } finally {
      close(target);
    }
    try {
      return action() as T;
    } finally {
      setns(home);
    }
  } finally {
    close(home);
  }
}

function openNamespace(path: string): number {
  try {
    return open(path);
  } catch (cause) {
    // Other errors, such as a lack of descriptors, don't mean that the namespace is missing.
    if (!(cause instanceof KernelError && NOT_THERE.has(cause.errno))) throw cause;
    throw new KernelError({
      code: 'NAMESPACE_MISSING',
      message: `there is no network namespace at ${path}`,
      remedy: 'it was removed from outside; start the experiment again',
      cause,
    });
  }
}

/** Creates named namespaces: all of them or, when one fails, none. */
export function createNamespaces(names: readonly string[]): void {
  prepareFolder();
  const created: string[] = [];
  const home = open(THREAD_NAMESPACE_FILE);
  try {
    for (const name of names) {
      createFile(name);
      created.push(name);
      unshareNetwork();
      bindMount(THREAD_NAMESPACE_FILE, namespacePath(name));
    }
  } catch (error) {
    setns(home);
    for (const name of created) removeNamespace(name);
    throw error;
  } finally {
    setns(home);
    close(home);
  }
}

/** As `ip netns add` makes it, whatever the umask is. */
function prepareFolder(): void {
  if (mkdirSync(NETNS_FOLDER, { recursive: true, mode: 0o755 })) chmodSync(NETNS_FOLDER, 0o755);
  makeSharedMount(NETNS_FOLDER);
}

/**
 * Names the namespace at `path`, e.g. that of a process: `ip netns attach NAME PID`. It lasts as long as the name. Throws
 * `NAMESPACE_EXISTS`, and `NAMESPACE_MISSING` if there is none at `path`; then nothing is left.
 */
export function nameNamespace(name: string, path: string): void {
  const source = openNamespace(path);
  try {
    prepareFolder();
    createFile(name);
    try {
      bindMount(`/proc/self/fd/${source}`, namespacePath(name));
    } catch (error) {
      removeNamespace(name);
      throw error;
    }
  } finally {
    close(source);
  }
}

function createFile(name: string): void {
  try {
    closeSync(openSync(namespacePath(name), 'wx', 0o444));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new KernelError({
      code: 'NAMESPACE_EXISTS',
      message: `the network namespace ${name} exists already`,
      remedy: 'run `netfold cleanup` if an earlier run left it',
      cause,
    });
  }
}

/** Removes a named namespace; interfaces in it go with it. True when there was one. */
export function removeNamespace(name: string): boolean {
  const path = namespacePath(name);
  if (!existsSync(path)) return false;
  while (unmount(path));
  rmSync(path, { force: true });
  return true;
}

/** Removes named namespaces, as many at a time as libuv has threads. */
export async function removeNamespaces(names: readonly string[]): Promise<void> {
  await Promise.all(
    names.map(async (name) => {
      const path = namespacePath(name);
      if (!existsSync(path)) return;
      await unmountLater(path);
      while (unmount(path));
      rmSync(path, { force: true });
    }),
  );
}
