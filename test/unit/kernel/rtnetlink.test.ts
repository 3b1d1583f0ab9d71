/** Goldens are written from the layouts in linux/rtnetlink.h, if_link.h, if_addr.h and neighbour.h, little endian. */
import { expect, test } from 'vitest';
import type { Request } from '../../../agent/kernel/netlink/netlink-socket.ts';
import {
  addAddress,
  addRoute,
  addVeth,
  numberNamespace,
  setGsoMaxSegments,
  setNeighbour,
  setNoLinkLocal,
  setUp,
} from '../../../agent/kernel/netlink/rtnetlink.ts';
import { annotated, sent, words } from '../../support/kernel/annotated-bytes.ts';

function expectBytes(request: Request, golden: string): void {
  expect(words(sent(request))).toEqual(words(annotated(golden)));
}

test('ip link add e12 index 22 address 02:… type veth peer name eth0 index 2 address 02:… netns FD', () => {
  expectBytes(
    addVeth(
      { index: 22, name: 'e12', mac: Uint8Array.of(2, 0x20, 0, 0, 0, 12) },
      { index: 2, name: 'eth0', mac: Uint8Array.of(2, 0x10, 0, 0, 0, 12) },
      19,
    ),
    `7c000000 1000 0506 00000000 00000000  # RTM_NEWLINK, REQUEST | ACK | EXCL | CREATE
     00 00 0000 16000000 00000000 00000000 # struct ifinfomsg: index 22
     0800 0300 65313200                    # IFLA_IFNAME "e12"
     0a00 0100 02200000000c 0000           # IFLA_ADDRESS
     4800 1280                             # IFLA_LINKINFO, nested
       0900 0100 7665746800 000000         # IFLA_INFO_KIND "veth"
       3800 0280                           # IFLA_INFO_DATA, nested
         3400 0180                         # VETH_INFO_PEER, nested: ifinfomsg and attributes of the other end
           00 00 0000 02000000 00000000 00000000
           0900 0300 6574683000 000000     # "eth0"
           0a00 0100 02100000000c 0000
           0800 1c00 13000000              # IFLA_NET_NS_FD 19`,
  );
});

test('ip link set dev 22 up', () => {
  expectBytes(
    setUp(22),
    `20000000 1000 0500 00000000 00000000
     00 00 0000 16000000
     01000000 01000000                     # flags IFF_UP, of which IFF_UP is to change`,
  );
});

test('ip link set dev 2 gso_max_segs 41', () => {
  expectBytes(
    setGsoMaxSegments(2, 41),
    `28000000 1000 0500 00000000 00000000
     00 00 0000 02000000 00000000 00000000
     0800 2800 29000000                    # IFLA_GSO_MAX_SEGS`,
  );
});

test('ip link set dev 22 addrgenmode none', () => {
  expectBytes(
    setNoLinkLocal(22),
    `30000000 1000 0500 00000000 00000000
     00 00 0000 16000000 00000000 00000000
     1000 1a80                             # IFLA_AF_SPEC, nested
       0c00 0a80                           # AF_INET6, nested
         0500 0800 01 000000               # IFLA_INET6_ADDR_GEN_MODE: IN6_ADDR_GEN_MODE_NONE`,
  );
});

test('ip address add 10.1.2.3/32 dev 5', () => {
  expectBytes(
    addAddress(5, '10.1.2.3'),
    `28000000 1400 0506 00000000 00000000  # RTM_NEWADDR
     02 20 00 00 05000000                  # AF_INET, /32, interface 5
     0800 0200 0a010203                    # IFA_LOCAL
     0800 0100 0a010203                    # IFA_ADDRESS`,
  );
});

test('ip address add 10.1.2.3/32 broadcast 10.255.255.255 dev 5', () => {
  expectBytes(
    addAddress(5, '10.1.2.3', '10.255.255.255'),
    `30000000 1400 0506 00000000 00000000
     02 20 00 00 05000000
     0800 0200 0a010203
     0800 0100 0a010203
     0800 0400 0affffff                    # IFA_BROADCAST`,
  );
});

test('ip address add fd00::a:1/128 dev 5 nodad', () => {
  expectBytes(
    addAddress(5, 'fd00::a:1'),
    `40000000 1400 0506 00000000 00000000
     0a 80 02 00 05000000                  # AF_INET6, /128, IFA_F_NODAD
     1400 0200 fd00000000000000 00000000000a0001
     1400 0100 fd00000000000000 00000000000a0001`,
  );
});

test('ip route add 10.3.0.0/16 via 100.64.0.3 dev 12 onlink proto static', () => {
  expectBytes(
    addRoute({ destination: '10.3.0.0', prefixLength: 16, interfaceIndex: 12, gateway: '100.64.0.3' }),
    `34000000 1800 0506 00000000 00000000  # RTM_NEWROUTE
     02 10 00 00                           # AF_INET, /16, source /0, tos 0
     fe 04 00 01                           # table main, RTPROT_STATIC, RT_SCOPE_UNIVERSE, RTN_UNICAST
     04000000                              # RTNH_F_ONLINK
     0800 0100 0a030000                    # RTA_DST
     0800 0500 64400003                    # RTA_GATEWAY
     0800 0400 0c000000                    # RTA_OIF`,
  );
});

test('ip route add 10.1.0.7/32 dev 17 scope link proto static', () => {
  expectBytes(
    addRoute({ destination: '10.1.0.7', prefixLength: 32, interfaceIndex: 17 }),
    `2c000000 1800 0506 00000000 00000000
     02 20 00 00
     fe 04 fd 01                           # RT_SCOPE_LINK
     00000000
     0800 0100 0a010007
     0800 0400 11000000`,
  );
});

test('ip route add default via 169.254.1.1 dev 2 onlink proto static', () => {
  expectBytes(
    addRoute({ destination: '0.0.0.0', prefixLength: 0, interfaceIndex: 2, gateway: '169.254.1.1' }),
    `2c000000 1800 0506 00000000 00000000
     02 00 00 00 fe 04 00 01 04000000
     0800 0500 a9fe0101                    # no RTA_DST
     0800 0400 02000000`,
  );
});

test('ip -6 route add fd00::7/128 via fe80::1 dev 2 onlink proto static', () => {
  expectBytes(
    addRoute({ destination: 'fd00::7', prefixLength: 128, interfaceIndex: 2, gateway: 'fe80::1' }),
    `4c000000 1800 0506 00000000 00000000
     0a 80 00 00 fe 04 00 01 04000000
     1400 0100 fd00000000000000 0000000000000007
     1400 0500 fe80000000000000 0000000000000001
     0800 0400 02000000`,
  );
});

test('ip -6 route add fd00::1:7/128 dev 17 proto static', () => {
  expectBytes(
    addRoute({ destination: 'fd00::1:7', prefixLength: 128, interfaceIndex: 17 }),
    `38000000 1800 0506 00000000 00000000
     0a 80 00 00
     fe 04 fd 01                           # the scope is IPv4's; for IPv6 the kernel ignores it
     00000000
     1400 0100 fd00000000000000 0000000000010007
     0800 0400 11000000`,
  );
});

test('ip neighbour replace fe80::1 lladdr 02:30:00:00:00:01 dev 2 nud permanent', () => {
  expectBytes(
    setNeighbour(2, 'fe80::1', Uint8Array.of(2, 0x30, 0, 0, 0, 1)),
    `3c000000 1c00 0505 00000000 00000000
     0a 00 0000 02000000                   # AF_INET6, interface 2
     8000 00 01
     1400 0100 fe80000000000000 0000000000000001
     0a00 0200 023000000001 0000`,
  );
});

test('ip neighbour replace 10.1.0.7 lladdr 02:10:00:00:00:06 dev 17 nud permanent', () => {
  expectBytes(
    setNeighbour(17, '10.1.0.7', Uint8Array.of(2, 0x10, 0, 0, 0, 6)),
    `30000000 1c00 0505 00000000 00000000  # RTM_NEWNEIGH, REPLACE | CREATE
     02 00 0000 11000000                   # AF_INET, interface 17
     8000 00 01                            # NUD_PERMANENT, flags, RTN_UNICAST
     0800 0100 0a010007                    # NDA_DST
     0a00 0200 021000000006 0000           # NDA_LLADDR`,
  );
});

test('ip netns set NAME 42', () => {
  expectBytes(
    numberNamespace(7, 42),
    `24000000 5800 0500 00000000 00000000  # RTM_NEWNSID
     00000000                              # struct rtgenmsg
     0800 0100 2a000000                    # NETNSA_NSID
     0800 0300 07000000                    # NETNSA_FD`,
  );
});
