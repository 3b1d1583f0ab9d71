/**
 * Requests for interfaces, addresses, routes and neighbours (linux/rtnetlink.h, if_link.h, if_addr.h, neighbour.h).
 * Each function gives a request for `NetlinkSocket`; beside it stands the `ip` command that does the same.
 */
import { isIP } from 'node:net';
import { bitsOf } from '../../../proto/units.ts';
import { familyBytes } from './addresses.ts';
import { type MessageWriter, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from './netlink-message.ts';
import type { Request } from './netlink-socket.ts';

const RTM_NEWLINK = 16;
const RTM_NEWADDR = 20;
const RTM_NEWROUTE = 24;
const RTM_NEWNEIGH = 28;
const RTM_NEWNSID = 88;

const AF_INET = 2;
const AF_INET6 = 10;
const IFF_UP = 1;
const IFLA = { ADDRESS: 1, IFNAME: 3, LINKINFO: 18, AF_SPEC: 26, NET_NS_FD: 28, GSO_MAX_SEGS: 40 } as const;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const IN6_ADDR_GEN_MODE_NONE = 1;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const VETH_INFO_PEER = 1;
const IFA_LOCAL = 2;
const IFA_BROADCAST = 4;
const IFA_ADDRESS = 1;
const IFA_F_NODAD = 2;
const RTA = { DST: 1, OIF: 4, GATEWAY: 5 } as const;
const RT_TABLE_MAIN = 254;
const RTPROT_STATIC = 4;
const RT_SCOPE_LINK = 253;
const RTN_UNICAST = 1;
const RTNH_F_ONLINK = 4;
const NDA = { DST: 1, LLADDR: 2 } as const;
const NUD_PERMANENT = 0x80;
const CREATE = NLM_F_CREATE | NLM_F_EXCL;

/** One end of a veth pair. The caller chooses the index and need not look it up. */
export interface VethEnd {
  readonly index: number;
  readonly name: string;
  readonly mac: Uint8Array;
}

const family = (address: string): number => (isIP(address) === 6 ? AF_INET6 : AF_INET);

/** struct ifinfomsg */
function interfaceHeader(writer: MessageWriter, index: number, flags = 0): MessageWriter {
  return writer.u8(0).u8(0).u16(0).i32(index).u32(flags).u32(flags);
}

/** `ip link add NAME address MAC type veth peer name PEER netns FD` */
export function addVeth(end: VethEnd, peer: VethEnd, peerNamespaceFd: number): Request {
  return {
    type: RTM_NEWLINK,
    flags: CREATE,
    what: `add the veth pair ${end.name} – ${peer.name}`,
    body: (w) =>
      interfaceHeader(w, end.index)
        .attributeString(IFLA.IFNAME, end.name)
        .attributeBytes(IFLA.ADDRESS, end.mac)
        .nested(IFLA.LINKINFO, (info) =>
          info
            .attributeString(IFLA_INFO_KIND, 'veth')
            .nested(IFLA_INFO_DATA, (data) =>
              data.nested(VETH_INFO_PEER, (p) =>
                interfaceHeader(p, peer.index)
                  .attributeString(IFLA.IFNAME, peer.name)
                  .attributeBytes(IFLA.ADDRESS, peer.mac)
                  .attributeU32(IFLA.NET_NS_FD, peerNamespaceFd),
              ),
            ),
        ),
  };
}

/** `ip link set dev INDEX up` */
export function setUp(index: number): Request {
  return {
    type: RTM_NEWLINK,
    flags: 0,
    what: `set interface ${index} up`,
    body: (w) => interfaceHeader(w, index, IFF_UP),
  };
}

/** `ip link set dev INDEX gso_max_segs COUNT` */
export function setGsoMaxSegments(index: number, segments: number): Request {
  return {
    type: RTM_NEWLINK,
    flags: 0,
    what: `limit GSO packets of interface ${index} to ${segments} segments`,
    body: (w) => interfaceHeader(w, index).attributeU32(IFLA.GSO_MAX_SEGS, segments),
  };
}

/**
 * `ip link set dev INDEX addrgenmode none`: without a link-local address the interface sends no router solicitations.
 */
export function setNoLinkLocal(index: number): Request {
  return {
    type: RTM_NEWLINK,
    flags: 0,
    what: `give interface ${index} no link-local address`,
    body: (w) =>
      interfaceHeader(w, index).nested(IFLA.AF_SPEC, (families) =>
        families.nested(AF_INET6, (ipv6) =>
          ipv6.attribute(IFLA_INET6_ADDR_GEN_MODE, (mode) => mode.u8(IN6_ADDR_GEN_MODE_NONE)),
        ),
      ),
  };
}

/**
 * `ip address add ADDRESS/32 [broadcast BROADCAST] dev INDEX`; IPv6: `/128 nodad`, so that the address can be used at once.
 */
export function addAddress(index: number, address: string, broadcast?: string): Request {
  const bytes = familyBytes(address);
  return {
    type: RTM_NEWADDR,
    flags: CREATE,
    what: `add the address ${address} to interface ${index}`,
    body: (w) => {
      w.u8(family(address))
        .u8(bitsOf(bytes.length))
        .u8(isIP(address) === 6 ? IFA_F_NODAD : 0)
        .u8(0)
        .u32(index)
        .attributeBytes(IFA_LOCAL, bytes)
        .attributeBytes(IFA_ADDRESS, bytes);
      if (broadcast !== undefined) w.attributeBytes(IFA_BROADCAST, familyBytes(broadcast));
    },
  };
}

export interface Route {
  readonly destination: string;
  /** 0 with any destination of the family is the default route. */
  readonly prefixLength: number;
  readonly interfaceIndex: number;
  /** It need not be reachable by another route (`onlink`). */
  readonly gateway?: string;
}

/** `ip route add DESTINATION/LEN [via GATEWAY] dev INDEX onlink` */
export function addRoute({ destination, prefixLength, interfaceIndex, gateway }: Route): Request {
  return {
    type: RTM_NEWROUTE,
    flags: CREATE,
    what: `add the route to ${destination}/${prefixLength}`,
    body: (w) => {
      const scope = gateway === undefined ? RT_SCOPE_LINK : 0;
      w.u8(family(destination)).u8(prefixLength).u8(0).u8(0);
      w.u8(RT_TABLE_MAIN).u8(RTPROT_STATIC).u8(scope).u8(RTN_UNICAST);
      w.u32(gateway === undefined ? 0 : RTNH_F_ONLINK);
      if (prefixLength > 0) w.attributeBytes(RTA.DST, familyBytes(destination));
      if (gateway !== undefined) w.attributeBytes(RTA.GATEWAY, familyBytes(gateway));
      w.attributeU32(RTA.OIF, interfaceIndex);
    },
  };
}

/** `ip neighbour replace ADDRESS lladdr MAC dev INDEX nud permanent`: no ARP and no neighbour discovery, so no packet ever waits for them. */
export function setNeighbour(index: number, address: string, mac: Uint8Array): Request {
  return {
    type: RTM_NEWNEIGH,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    what: `set the neighbour ${address} of interface ${index}`,
    body: (w) =>
      w
        .u8(family(address))
        .u8(0)
        .u16(0)
        .i32(index)
        .u16(NUD_PERMANENT)
        .u8(0)
        .u8(RTN_UNICAST)
        .attributeBytes(NDA.DST, familyBytes(address))
        .attributeBytes(NDA.LLADDR, mac),
  };
}

const NETNSA = { NSID: 1, FD: 3 } as const;

/**
 * `ip netns set NAME NUMBER`, by a descriptor of the namespace: its number (0 … 2^31 - 1) in the namespace of the socket. Refused with
 * EEXIST if it has one there (net/core/net_namespace.c, `rtnl_net_newid`).
 */
export function numberNamespace(fd: number, number: number): Request {
  return {
    type: RTM_NEWNSID,
    flags: 0,
    what: `give a namespace the number ${number}`,
    body: (w) => w.u32(0).attributeU32(NETNSA.NSID, number).attributeU32(NETNSA.FD, fd),
  };
}
