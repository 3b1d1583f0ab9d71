/** The files of named network namespaces, as iproute2 keeps them. No system calls, so commands that only look start at once. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export const NETNS_FOLDER = '/run/netns';
/** The namespace that the process was started in, while no thread of it is elsewhere. */
export const OWN_NAMESPACE_FILE = '/proc/self/ns/net';

export function namespacePath(name: string): string {
  return join(NETNS_FOLDER, name);
}

/** Names of all named namespaces on this machine, sorted. */
export function listNamespaces(): string[] {
  return existsSync(NETNS_FOLDER) ? readdirSync(NETNS_FOLDER).sort() : [];
}
