/**
 * Packet sockets (packet(7)) for frames to all or to many. Frames have a struct virtio_net_hdr in front (linux/virtio_net.h), which
 * says what is still to be done to them: on a veth pair checksums are not computed.
 */
import { close } from './descriptors.ts';
import {
  AF_PACKET,
  attachClassicFilter,
  bind,
  type Instruction,
  SOCK_RAW,
  setSocketOption,
  socket,
} from './sockets.ts';

export const VNET_HEADER_BYTES = 10;
/** struct sockaddr_ll, with the offset of its interface. */
export const LINK_ADDRESS_BYTES = 20;
export const LINK_ADDRESS_INTERFACE = 4;

const ETH_P_ALL = 3;
const SOL_PACKET = 263;
const PACKET_VNET_HDR = 15;
const PACKET_IGNORE_OUTGOING = 23;

/** Passes what is sent to all (1) or to many (2). */
const TO_GROUPS: readonly Instruction[] = [
  // ldb [SKF_AD_OFF + SKF_AD_PKTTYPE]
  [0x30, 0, 0, 0xfffff004],
  [0x15, 1, 0, 1],
  [0x15, 0, 1, 2],
  // ret
  [0x06, 0, 0, 0x40000],
  [0x06, 0, 0, 0],
];

/** Receives what arrives for groups at any interface of the calling thread's namespace. Throws `KernelError`. */
export function openGroupReceiver(): number {
  return opened((fd) => {
    setSocketOption(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, new Uint32Array([1]), 'PACKET_IGNORE_OUTGOING');
    attachClassicFilter(fd, TO_GROUPS);
    bind(fd, linkAddress(ETH_P_ALL, 0));
  });
}

/** Sends frames out of any interface of the calling thread's namespace; receives nothing. Throws `KernelError`. */
export const openFrameSender = (): number => opened(() => {});

function opened(prepare: (fd: number) => void): number {
  const fd = socket(AF_PACKET, SOCK_RAW, 0);
  try {
    setSocketOption(fd, SOL_PACKET, PACKET_VNET_HDR, new Uint32Array([1]), 'PACKET_VNET_HDR');
    prepare(fd);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** struct sockaddr_ll of an interface; `protocol`: as in a frame, e.g. 0x0800. */
export function linkAddress(protocol: number, ifindex: number): Uint8Array {
  const address = Buffer.alloc(LINK_ADDRESS_BYTES);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16BE(protocol, 2);
  address.writeInt32LE(ifindex, LINK_ADDRESS_INTERFACE);
  return address;
}
