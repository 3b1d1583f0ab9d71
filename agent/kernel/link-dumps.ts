/** What the kernel says of an interface (linux/if_link.h); rtnetlink.ts makes and changes them. */
import { KernelError } from './errors.ts';
import { readAttributes } from './netlink-message.ts';
import type { NetlinkSocket, Request } from './netlink-socket.ts';

const RTM_GETLINK = 18;
/** struct ifinfomsg: family, padding, type, index, flags, change. */
const IFINFOMSG_SIZE = 16;
const IFLA = { GSO_MAX_SEGS: 40, TSO_MAX_SEGS: 60 } as const;
/** What every interface takes (GSO_MAX_SEGS, linux/netdevice.h, before 5.19). */
const COMMON_MOST_SEGMENTS = 65_535;

export interface GsoSize {
  /** How many frames TCP may hand down as one packet now. */
  readonly segments: number;
  /** How many the device can take. */
  readonly most: number;
}

/** `ip -d link show dev INDEX`. Throws `INTERFACE_GONE` where there is none. */
export function readGsoSize(socket: NetlinkSocket, ifindex: number, ifname: string): GsoSize {
  const request: Request = {
    type: RTM_GETLINK,
    flags: 0,
    what: 'list interfaces',
    body: (w) => w.u8(0).u8(0).u16(0).i32(0).u32(0).u32(0),
  };
  const [found] = socket.dump(request, (body): GsoSize | undefined => {
    if (body.readInt32LE(4) !== ifindex) return undefined;
    const attributes = readAttributes(body, IFINFOMSG_SIZE);
    return {
      segments: attributes.get(IFLA.GSO_MAX_SEGS)?.readUInt32LE(0) ?? COMMON_MOST_SEGMENTS,
      most: attributes.get(IFLA.TSO_MAX_SEGS)?.readUInt32LE(0) ?? COMMON_MOST_SEGMENTS,
    };
  });
  if (found) return found;
  throw new KernelError({
    code: 'INTERFACE_GONE',
    message: `there is no interface ${ifname} (index ${ifindex}) any more`,
    remedy: 'bring it back and restart the agent, or end the experiment with `netfold down`',
  });
}
