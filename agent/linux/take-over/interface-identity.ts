/** The identity of an interface, which does not depend on names or paths. */
import { readFileSync, statSync } from 'node:fs';
import type { NetlinkSocket } from '../../kernel/netlink/netlink-socket.ts';
import { namespaceCookie } from '../../kernel/sys/sockets.ts';
import type { InterfaceIdentity } from './journal.ts';

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

/** Differs after each start of the machine. */
export function bootId(): string {
  return readFileSync(BOOT_ID_FILE, 'utf8').trim();
}
