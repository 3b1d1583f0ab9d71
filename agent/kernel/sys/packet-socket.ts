/** A packet socket that only feeds a socket filter: the filter sees every frame of one interface and keeps none. */
import { constants } from 'node:os';
import { close } from './descriptors.ts';
import { KernelError } from './errors.ts';
import { AF_PACKET, attachSocketFilter, bind, SOCK_RAW, socket } from './sockets.ts';

const ETH_P_ALL = 3;

/**
 * Opens the socket in the namespace of the calling thread and returns its descriptor; closing it detaches the filter.
 * It is opened with protocol 0 and bound after the filter is attached, so that no frame is queued before. Throws
 * `INTERFACE_GONE` where there is no such interface.
 */
export function openFilteredSocket(ifindex: number, programFd: number): number {
  const fd = socket(AF_PACKET, SOCK_RAW, 0);
  try {
    attachSocketFilter(fd, programFd);
    // struct sockaddr_ll: family, protocol (network order), ifindex, the rest zero.
    const address = Buffer.alloc(20);
    address.writeUInt16LE(AF_PACKET, 0);
    address.writeUInt16BE(ETH_P_ALL, 2);
    address.writeInt32LE(ifindex, 4);
    bind(fd, address);
    return fd;
  } catch (error) {
    close(fd);
    if (!(error instanceof KernelError && error.errno === constants.errno.ENODEV)) throw error;
    throw new KernelError({
      code: 'INTERFACE_GONE',
      message: `there is no interface with index ${ifindex} in the namespace`,
      errno: error.errno,
      remedy: 'see which there are: ip link',
      cause: error,
    });
  }
}
