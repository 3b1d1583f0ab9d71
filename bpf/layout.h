/* What the programs of netfold.bpf.c share with user space. agent/linux/objects/bpf-layout.ts states the same sizes and
 * offsets; test/unit/kernel/bpf-layout.test.ts compares it with the BTF of the built object. */
#ifndef NETFOLD_LAYOUT_H
#define NETFOLD_LAYOUT_H

#include <linux/types.h>

/* As in `pair`. */
struct address {
	__u8 bytes[16];
};

/* An ordered pair of addresses, and which of its paths. IPv4 is written as ::ffff:a.b.c.d (RFC 4291, section 2.5.5.2), so that both
 * families are one key. */
struct pair {
	__u8 source[16];
	__u8 destination[16];
	__u32 lane;
};

/* Partitions at once whose sides the classifier knows. Where there are more, others lose what crosses. */
#define NETFOLD_PARTITIONS 8

/* What went from source to destination since user space took the row out last, in frames as the wire would carry them. */
struct usage {
	__u64 bytes;
	__u64 packets;
};

/* Entries of `rows`. */
#define NETFOLD_ROWS_MADE 0U
#define NETFOLD_ROWS_LACKED 1U

/* Entries of the map `attended`. */
#define NETFOLD_ATTENDED_UNTIL 0U
#define NETFOLD_ATTENDED_PASSED 1U

/* Value of the class map. */
struct target {
	/* Minor number of an HTB class, NETFOLD_CLASS_PASS or NETFOLD_CLASS_DROP. */
	__u32 minor;
	/* Row of `buffers` and `backlogs` + 1; 0: the class's own queue is the buffer. */
	__u32 buffer;
	/* The largest IP packet that the path carries; 0: any. */
	__u32 mtu;
	/* Row of `rules` + 1; 0: the path has none. */
	__u32 rules;
	/* Of the first path of a pair: how many it has, if there are several. Packets are spread over them. */
	__u32 lanes;
};

/* Major number of netfold's HTB root. */
#define NETFOLD_MAJOR 0x4e46U

/* The path limits nothing: pass unshaped. */
#define NETFOLD_CLASS_PASS 0U

/* No path: drop. */
#define NETFOLD_CLASS_DROP 0xffffffffU

/* An address of an endpoint, where classes are made once they are used: what becomes of a pair that has no target yet. */
struct party {
	/* Between different islands of the topology there is no path. */
	__u32 island;
	/* Of a local endpoint: minor number of the class for the first packets of a pair, or NETFOLD_CLASS_PASS. */
	__u32 first;
	/* Its side in each partition in force; 0: on none. Between different sides of one there is no path. */
	__u8 sides[NETFOLD_PARTITIONS];
};

/* A router's buffer in front of a path, where the class's queue can't be it: netem's holds what is under way, too, and
 * counts packets. Written by user space. */
struct buffer {
	/* Bytes that leave it in 2^30 ns; 0: it never fills. */
	__u64 drain;
	/* How many bytes find room in it. */
	__u64 limit;
	/* Bytes that a frame takes of them besides its own; and whether it leaves in cells of ATM, 53 bytes for 48 of it. */
	__u32 overhead;
	__u32 cells;
};

/* How full the buffer is. Written by `classify` only. */
struct backlog {
	/* Up to when it has been drained, in ns of the monotonic clock. */
	__u64 time;
	/* In 1/1024 bytes, so that small packets don't lose their fractions. */
	__u64 level;
	/* Frames that found no room. */
	__u64 dropped;
};

/* Kinds of managers, and whether they mark packets that say so (RFC 3168) instead of dropping them. */
#define NETFOLD_RED 1U
#define NETFOLD_CODEL 2U
#define NETFOLD_ECN 0x100U

/* How a buffer is managed before it is full. The first five are written by user space, with 0 for the others, which are
 * written by `classify` only. */
struct manager {
	__u32 kind;
	/* RED: a packet's weight in the average is 2 to the power of minus this. */
	__u32 shift;
	/* RED: bytes, below and from which nothing and everything is dropped. CoDel: target and interval, ns. */
	__u64 low;
	__u64 high;
	/* RED: the probability at `high`, in 2^-32. */
	__u64 slope;
	/* RED: the average level, in 1/1024 bytes. CoDel: from when on packets have waited longer for an interval, ns; 0: they don't. */
	__u64 average;
	/* CoDel: when the next one is dropped, ns. */
	__u64 next;
	/* Since the last drop; of CoDel, drops in this and in the last time of dropping. */
	__u32 count;
	__u32 last;
	/* RED: drawn; CoDel: 1/sqrt(count); in 2^-32. */
	__u32 chance;
	/* RED: the average is between the two; CoDel: it drops. */
	__u32 state;
	__u64 marked;
	__u64 dropped;
};

/* Rules of a path, and selectors of a rule. */
#define NETFOLD_RULES 8
#define NETFOLD_SELECTORS 4

/* What a rule does with a packet: drops it, always, by chance, the one with a number, or one of so many; resets its connection; or it
 * counts what the delay line delays. */
#define NETFOLD_RULE_DROP 1U
#define NETFOLD_RULE_CHANCE 2U
#define NETFOLD_RULE_NTH 3U
#define NETFOLD_RULE_EVERY 4U
#define NETFOLD_RULE_RESET 5U
#define NETFOLD_RULE_DELAY 6U
#define NETFOLD_RULE_LIMIT 7U

/* In `traits` of a selector. */
#define NETFOLD_TRAIT_SYN 1U
#define NETFOLD_TRAIT_ICMP 2U
/* No packet has it: of a selector that is not there. */
#define NETFOLD_TRAIT_NONE 0x80U

/* What a packet has: protocol and DSCP under their masks, all these traits, and the port at one end; 0: any. */
struct selector {
	__u8 protocol;
	__u8 protocol_mask;
	__u8 dscp;
	__u8 dscp_mask;
	__u8 traits;
	__u8 unused;
	__be16 port;
};

struct rule {
	__u32 action;
	/* 0: about packets that match one selector; 1: about those that match none. */
	__u32 except;
	/* A chance in 2^-32; the number of a packet; of how many one is dropped; or the class of what is limited, the greater
	 * the slower, 0 without one. */
	__u64 number;
	struct selector selector[NETFOLD_SELECTORS];
	/* Packets that it was about, and those with which it did what it does. Written by `classify`; the rest by user space. */
	__u64 matched;
	__u64 applied;
};

/* Of a path, in their order. */
struct rules {
	__u32 count;
	__u32 unused;
	struct rule rule[NETFOLD_RULES];
};

/* The delay line's program leaves in a packet's mark when it arrived: this bit, and the microseconds of the monotonic
 * clock modulo 2^31. The thread that holds the packet reads it and gives the mark back as it was. */
#define NETFOLD_ARRIVAL_MARK 0x80000000U

/* Never shaped on interfaces that netfold has not made. */
#define NETFOLD_SSH_PORT 22
#define NETFOLD_MESH_PORT 4646

/* What the user wants left alone there, too: so many ports and networks. */
#define NETFOLD_EXEMPTIONS 16

/* At either end. In network order, as in the packet. */
struct exempt_port {
	__be16 port;
	__u8 protocol;
	__u8 unused;
};

/* An address at either end is in it if it is the same under the mask. IPv4 as in `pair`. */
struct exempt_network {
	__u64 address[2];
	__u64 mask[2];
};

/* Written by user space. */
struct exemption_list {
	/* How many of each count. */
	__u32 ports;
	__u32 networks;
	struct exempt_port port[NETFOLD_EXEMPTIONS];
	struct exempt_network network[NETFOLD_EXEMPTIONS];
};

/* The priority that `arrive` gives to what must not be held ("NFUG"). */
#define NETFOLD_UNGUARDED_PRIORITY 0x4e465547U

/* The priority of the sockets that send netfold's probes (SO_PRIORITY): nobody without CAP_NET_ADMIN has one above 6, and queues take
 * it for 0, by its lowest bits. */
#define NETFOLD_PROBE_PRIORITY 0x6e660000U

/* A probe that has left: IPv4 addresses of who asks and of who is asked, and what only this question has. As in the packet. */
struct probe {
	__u8 asking[4];
	__u8 asked[4];
	__u8 token[4];
};

/* In `tc_index` of what has passed `classify`: it stays with a packet to the other end of a veth pair, also in another
 * namespace (skb_scrub_packet, net/core/skbuff.c, takes the mark, and leaves this). */
#define NETFOLD_CLASSIFIED 0x4e06
/* In its place, of what `detach` sends by the egress once more: a clone without a socket, and one that is to become the first
 * fragment; and of what netfold answers in the place of a router. */
#define NETFOLD_DETACHED 0x4e47
#define NETFOLD_FIRST_FRAGMENT 0x4e48
#define NETFOLD_ANSWER 0x4e49
/* Beside NETFOLD_CLASSIFIED, which of its pair's paths a packet has. */
#define NETFOLD_LANE_SHIFT 4
#define NETFOLD_LANE_MASK 0x00f0

/* The beginning of a packet that an answer quotes: headers and 8 bytes are the least (RFC 792), and 576 bytes the most (RFC 1812). */
#define NETFOLD_QUOTED 128

#endif
