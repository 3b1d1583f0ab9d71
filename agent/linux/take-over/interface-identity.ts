/** The identity of an interface, which does not depend on names or paths. */
import { fstatSync, readFileSync } from 'node:fs';
import type { NetlinkSocket } from '../../kernel/netlink/netlink-socket.ts';
import { close, control } from '../../kernel/sys/descriptors.ts';
import { namespaceCookie } from '../../kernel/sys/sockets.ts';
import type { InterfaceIdentity } from './journal.ts';

const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';

/** SIOCGSKNS (linux/sockios.h) opens the namespace of a socket. It needs CAP_NET_ADMIN there. */
const OPEN_NAMESPACE = 0x894c;

/**
 * Of an interface in the socket's namespace. The socket is asked, not a path: whoever removes the experiment at the same time
 * takes the namespace's name away.
 */
export function identifyInterface(socket: NetlinkSocket, ifindex: number): InterfaceIdentity {
  const { dev, ino } = namespaceNumbers(socket.fd);
  return {
    namespaceDevice: dev,
    namespaceInode: ino,
    namespaceCookie: namespaceCookie(socket.fd),
    bootId: bootId(),
    ifindex,
  };
}

function namespaceNumbers(fd: number): { readonly dev: number; readonly ino: number } {
  const namespace = control(fd, OPEN_NAMESPACE, new Uint8Array());
  try {
    return fstatSync(namespace);
  } finally {
    close(namespace);
  }
}

/** Differs after each start of the machine. */
export function bootId(): string {
  return readFileSync(BOOT_ID_FILE, 'utf8').trim();
}
