/** The files of named network namespaces, as iproute2 keeps them. No system calls, so commands that only look start at once. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

export const NETNS_FOLDER = '/run/netns';
/** Stands for the name of the namespace that this process was started in, which need not have one. */
export const OWN_NAMESPACE = '';
/** Its file, except while the main thread is inside of another namespace (`within`); see `pinnedPath`. */
export const OWN_NAMESPACE_FILE = '/proc/self/ns/net';
/** The file of the namespace that the calling thread is in now. */
export const THREAD_NAMESPACE_FILE = '/proc/thread-self/ns/net';

/** The file of a namespace. */
export function namespacePath(name: string): string {
  return name === OWN_NAMESPACE ? OWN_NAMESPACE_FILE : join(NETNS_FOLDER, name);
}

/** The inverse of `namespacePath`. */
export function namespaceName(path: string): string {
  return path === OWN_NAMESPACE_FILE ? OWN_NAMESPACE : basename(path);
}

/** Names of all named namespaces on this machine, sorted. */
export function listNamespaces(): string[] {
  return existsSync(NETNS_FOLDER) ? readdirSync(NETNS_FOLDER).sort() : [];
}
