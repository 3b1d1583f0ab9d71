/** A packet socket that only feeds a socket filter: the filter sees every frame of one interface and keeps none. */
import { constants } from 'node:os';
import { close } from './descriptors.ts';
import { KernelError } from './errors.ts';
import { AF_PACKET, attachSocketFilter, bind, boundAddress, SOCK_RAW, socket } from './sockets.ts';

const ETH_P_ALL = 3;
/** struct sockaddr_ll: family, protocol (network order), ifindex, the rest zero. */
const ADDRESS = { bytes: 20, protocol: 2, ifindex: 4 } as const;

/**
 * Opens the socket in the namespace of the calling thread and returns its descriptor; closing it detaches the filter.
 * It is opened with protocol 0 and bound after the filter is attached, so that no frame is queued before. Throws
 * `INTERFACE_GONE` where there is no such interface.
 */
export function openFilteredSocket(ifindex: number, programFd: number): number {
  const fd = socket(AF_PACKET, SOCK_RAW, 0);
  try {
    attachSocketFilter(fd, programFd);
    bindPacketSocket(fd, ifindex);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** From then on the socket receives all frames of the interface. Throws `KernelError`, `INTERFACE_GONE` where there is none. */
export function bindPacketSocket(fd: number, ifindex: number): void {
  const address = Buffer.alloc(ADDRESS.bytes);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16BE(ETH_P_ALL, ADDRESS.protocol);
  address.writeInt32LE(ifindex, ADDRESS.ifindex);
  try {
    bind(fd, address);
  } catch (error) {
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

/**
 * Whether the socket is still bound to this interface. It stays so while the interface is down or gets another name, and never is
 * again once the interface was removed, or moved to another namespace (`packet_notifier`, net/packet/af_packet.c).
 */
export const isFiltering = (fd: number, ifindex: number): boolean =>
  boundAddress(fd, ADDRESS.bytes).readInt32LE(ADDRESS.ifindex) === ifindex;
