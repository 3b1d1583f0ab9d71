/** The interfaces of a network namespace and their properties (linux/if_link.h). */
import { isIPv6 } from 'node:net';
import { constants } from 'node:os';
import { KernelError } from '../sys/errors.ts';
import { addressText } from './addresses.ts';
import { readAttributes, readString } from './netlink-message.ts';
import type { NetlinkSocket } from './netlink-socket.ts';

const RTM_GETLINK = 18;
/** struct ifinfomsg */
const IFINFOMSG_SIZE = 16;
const IFLA = {
  IFNAME: 3,
  MTU: 4,
  TXQLEN: 13,
  NUM_TX_QUEUES: 31,
  GSO_MAX_SEGS: 40,
  TSO_MAX_SEGS: 60,
} as const;
/** GSO_MAX_SEGS of linux/netdevice.h */
const GSO_SEGMENTS_LIMIT = 65_535;

export interface Link {
  readonly ifindex: number;
  readonly ifname: string;
  /** Bytes. */
  readonly mtu: number;
  /** Packets. */
  readonly txQueueLength: number;
  readonly txQueues: number;
  /** The number of frames that one packet may hold now … */
  readonly gsoMaxSegments: number;
  /** … and its value on an interface where it was never changed. */
  readonly gsoSegmentsByDefault: number;
}

/** `ip -details link show` */
export function listLinks(socket: NetlinkSocket): Link[] {
  const request = {
    type: RTM_GETLINK,
    flags: 0,
    what: 'list interfaces',
    body: (w: { u32(value: number): unknown }) => {
      for (let word = 0; word < IFINFOMSG_SIZE / 4; word++) w.u32(0);
    },
  };
  return socket.dump(request, (body) => {
    const attributes = readAttributes(body, IFINFOMSG_SIZE);
    const number = (type: number): number | undefined => attributes.get(type)?.readUInt32LE(0);
    return {
      ifindex: body.readInt32LE(4),
      ifname: readString(attributes.get(IFLA.IFNAME)),
      mtu: number(IFLA.MTU) ?? 0,
      txQueueLength: number(IFLA.TXQLEN) ?? 0,
      txQueues: number(IFLA.NUM_TX_QUEUES) ?? 1,
      gsoMaxSegments: number(IFLA.GSO_MAX_SEGS) ?? GSO_SEGMENTS_LIMIT,
      // The driver's limit is known since Linux 5.19. Drivers with a lower limit than the kernel's are rare.
      gsoSegmentsByDefault: Math.min(number(IFLA.TSO_MAX_SEGS) ?? GSO_SEGMENTS_LIMIT, GSO_SEGMENTS_LIMIT),
    };
  });
}

/** Throws `INTERFACE_GONE` where there is no such interface. `ifname`: for the message. */
export function readLink(socket: NetlinkSocket, ifindex: number, ifname?: string): Link {
  const link = listLinks(socket).find((one) => one.ifindex === ifindex);
  if (link) return link;
  throw new KernelError({
    code: 'INTERFACE_GONE',
    message: `there is no interface ${ifname === undefined ? `with index ${ifindex}` : `${ifname} (index ${ifindex})`} any more`,
    errno: constants.errno.ENODEV,
    remedy: 'it was removed from outside, and what was installed on it is gone with it',
  });
}

const RTM_GETADDR = 22;
/** struct ifaddrmsg: family, prefix length, flags, scope, index. */
const IFADDRMSG_SIZE = 8;
const IFA = { ADDRESS: 1, LOCAL: 2 } as const;
const RT_SCOPE_LINK = 253;

/** `ip address show dev IF`: its addresses as text, IPv4 first, without link-local ones. */
export function addressesOf(socket: NetlinkSocket, ifindex: number): string[] {
  const request = {
    type: RTM_GETADDR,
    flags: 0,
    what: 'list addresses',
    body: (w: { u32(value: number): unknown }) => {
      for (let word = 0; word < IFADDRMSG_SIZE / 4; word++) w.u32(0);
    },
  };
  const found = socket.dump(request, (body) => {
    if (body.readUInt32LE(4) !== ifindex || body.readUInt8(3) >= RT_SCOPE_LINK) return undefined;
    const attributes = readAttributes(body, IFADDRMSG_SIZE);
    const bytes = attributes.get(IFA.LOCAL) ?? attributes.get(IFA.ADDRESS);
    return bytes && addressText(bytes);
  });
  return found.sort((a, b) => Number(isIPv6(a)) - Number(isIPv6(b)));
}
