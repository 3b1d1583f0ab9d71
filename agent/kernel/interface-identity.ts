/** Tells the interfaces of a machine apart, whatever they and their namespaces are called. */
import { readFileSync, statSync } from 'node:fs';
import type { InterfaceIdentity } from '../enforce/journal.ts';
import { namespaceCookie } from './libc.ts';
import type { NetlinkSocket } from './netlink-socket.ts';

const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';

/** `socket` was opened in the namespace at `namespace`. */
export function identifyInterface(
  socket: NetlinkSocket,
  namespace: string,
  ifindex: number,
): InterfaceIdentity {
  const { dev, ino } = statSync(namespace);
  return {
    namespaceDevice: dev,
    namespaceInode: ino,
    namespaceCookie: namespaceCookie(socket.fd),
    bootId: bootId(),
    ifindex,
  };
}

/** Changes with each start of the machine. */
export function bootId(): string {
  return readFileSync(BOOT_ID_FILE, 'utf8').trim();
}
