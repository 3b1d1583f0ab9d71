/** The interfaces of a network namespace, and what netfold has to know of them (linux/if_link.h). */
import { constants } from 'node:os';
import type { TreeDevice } from '../enforce/qdisc-tree.ts';
import { KernelError } from './errors.ts';
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

export interface Link extends TreeDevice {
  readonly ifindex: number;
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
      // What the driver can do is known since Linux 5.19; drivers that can do less than all are rare.
      gsoSegmentsByDefault: Math.min(number(IFLA.TSO_MAX_SEGS) ?? GSO_SEGMENTS_LIMIT, GSO_SEGMENTS_LIMIT),
    };
  });
}

/** Throws where there is no such interface (any more). */
export function readLink(socket: NetlinkSocket, ifindex: number): Link {
  const link = listLinks(socket).find((one) => one.ifindex === ifindex);
  if (link) return link;
  throw new KernelError({
    code: 'INTERFACE_GONE',
    message: `there is no interface with index ${ifindex} any more`,
    errno: constants.errno.ENODEV,
    remedy: 'it was removed from outside, and what was installed on it is gone with it',
  });
}
