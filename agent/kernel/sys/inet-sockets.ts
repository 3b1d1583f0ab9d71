/** Sockets of IP that are bound in the network namespace of the calling thread, and stay there. */
import { endianness } from 'node:os';
import { close } from './descriptors.ts';
import { check, ERRNO, fail, lastErrno, libc } from './libc.ts';
import {
  attachClassicFilter,
  bind,
  boundAddress,
  getSocketOption,
  type Instruction,
  SOCK_RAW,
  setSocketOption,
  socket,
} from './sockets.ts';

const raw = {
  listen: libc.func('int listen(int fd, int backlog)'),
  connect: libc.func('int connect(int fd, void *address, uint32_t length)'),
};

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const IPPROTO_RAW = 255;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_ACCEPTCONN = 30;
const SO_PRIORITY = 12;
/** Connections that nobody has accepted yet. */
const BACKLOG = 16;

/** A UDP socket. `address`: 4 bytes of IPv4 or 16 of IPv6. Throws `KernelError`, e.g. with EADDRINUSE. */
export function boundUdp(address: Uint8Array, port: number): number {
  return bound(SOCK_DGRAM, address, port);
}

/**
 * A UDP socket for one peer: it has the source address that the routes of the namespace give. `address`: 4 bytes or 16. Throws
 * `KernelError`, e.g. with ENETUNREACH.
 */
export function connectedUdp(address: Uint8Array, port: number): number {
  const fd = socket(address.length === 4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
  try {
    const peer = socketAddress(address, port);
    check('connect', raw.connect(fd, peer, peer.length), String(fd));
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/**
 * A socket that sends whole packets of IPv4 or IPv6 as they are, whoever they say is their source (raw(7)). Throws `KernelError`,
 * e.g. with EAFNOSUPPORT.
 */
export function rawIp(isV4: boolean): number {
  return socket(isV4 ? AF_INET : AF_INET6, SOCK_RAW, IPPROTO_RAW);
}

const IPPROTO_ICMP = 1;

/** Passes answers to echo requests of one identifier. The packet begins with its IPv4 header. */
const answersTo = (identifier: number): readonly Instruction[] => [
  // ldxb 4*([0]&0xf), ldb [x + 0]: the type
  [0xb1, 0, 0, 0],
  [0x50, 0, 0, 0],
  [0x15, 0, 3, 0],
  // ldh [x + 4]
  [0x48, 0, 0, 4],
  [0x15, 0, 1, identifier],
  // ret
  [0x06, 0, 0, 0x40000],
  [0x06, 0, 0, 0],
];

/**
 * A raw socket of ICMP for IPv4 that receives nothing but answers to echo requests of this identifier, and whose packets have this
 * priority (socket(7)). `source`: 4 bytes; it sends from there, and receives what is sent to it. Throws `KernelError`, e.g. with
 * EADDRNOTAVAIL.
 */
export function echoSocket(identifier: number, priority: number, source?: Uint8Array): number {
  const fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
  try {
    setSocketOption(fd, SOL_SOCKET, SO_PRIORITY, new Uint32Array([priority]), 'SO_PRIORITY');
    attachClassicFilter(fd, answersTo(identifier));
    if (source) bind(fd, socketAddress(source, 0));
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** The own address of a socket of IP: 4 bytes or 16. */
export function ownAddress(fd: number): Uint8Array {
  const bytes = boundAddress(fd, 28);
  const family = endianness() === 'LE' ? bytes.readUInt16LE(0) : bytes.readUInt16BE(0);
  return family === AF_INET ? bytes.subarray(4, 8) : bytes.subarray(8, 24);
}

/** A TCP socket that listens; connections of an earlier one to the same port may still be there. Throws `KernelError`. */
export function listeningTcp(address: Uint8Array, port: number): number {
  const fd = bound(SOCK_STREAM, address, port);
  try {
    check('listen', raw.listen(fd, BACKLOG), String(fd));
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** Whether this TCP socket listens, and was not destroyed. Throws `KernelError`. */
export function isListening(fd: number): boolean {
  const value = Buffer.alloc(4);
  getSocketOption(fd, SOL_SOCKET, SO_ACCEPTCONN, value, 'SO_ACCEPTCONN');
  return value.some((byte) => byte !== 0);
}

/** A TCP socket that connects meanwhile; who writes to it learns how that ended. Throws `KernelError`, e.g. with ENETUNREACH. */
export function connectingTcp(address: Uint8Array, port: number): number {
  const fd = socket(address.length === 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
  try {
    const peer = socketAddress(address, port);
    if (raw.connect(fd, peer, peer.length) !== 0 && lastErrno() !== ERRNO.EINPROGRESS)
      fail('connect', String(fd));
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

function bound(type: number, address: Uint8Array, port: number): number {
  const fd = socket(address.length === 4 ? AF_INET : AF_INET6, type, 0);
  try {
    setSocketOption(fd, SOL_SOCKET, SO_REUSEADDR, new Uint32Array([1]), 'SO_REUSEADDR');
    bind(fd, socketAddress(address, port));
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** struct sockaddr_in (ip(7)), struct sockaddr_in6 (ipv6(7)). `address`: 4 bytes or 16. */
export function socketAddress(address: Uint8Array, port: number): Uint8Array {
  const isV4 = address.length === 4;
  const bytes = new Uint8Array(isV4 ? 16 : 28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, isV4 ? AF_INET : AF_INET6, endianness() === 'LE');
  view.setUint16(2, port);
  bytes.set(address, isV4 ? 4 : 8);
  return bytes;
}

/** The same for socket addresses of one host, whatever their port is. The memory may be longer than the address. */
export function hostKey(address: Uint8Array): string {
  const isV4 =
    new DataView(address.buffer, address.byteOffset).getUint16(0, endianness() === 'LE') === AF_INET;
  return Buffer.from(isV4 ? address.subarray(4, 8) : address.subarray(8, 24)).toString('latin1');
}
