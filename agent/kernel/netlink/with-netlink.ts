/** Netlink in a namespace that the calling thread is not in. */
import { within } from '../netns/namespaces.ts';
import { NetlinkSocket } from './netlink-socket.ts';

/** Runs `action`, which must not be asynchronous, with a socket in the namespace at this path, and closes the socket. */
export function withNetlink<T>(namespace: string, protocol: number, action: (socket: NetlinkSocket) => T): T {
  const socket = within(namespace, () => new NetlinkSocket(protocol));
  try {
    return action(socket);
  } finally {
    socket.close();
  }
}
