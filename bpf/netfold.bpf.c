// SPDX-License-Identifier: Apache-2.0
/*
 * The programs that netfold puts into the kernel:
 *
 *   count     socket filter on an AF_PACKET socket in an endpoint's namespace: adds up what leaves, per pair of
 *             addresses of endpoints. What goes elsewhere takes no row, so no application can fill the table with
 *             destinations. It keeps no packet (returns 0).
 *   detach    tc classifier at the endpoint's egress, before the HTB root: takes from a shaped packet the socket that sent
 *             it. The root stands for links that are far away from the sender, so what waits there must not be charged to
 *             the sender's socket, and what is lost there must not be reported to it: TCP would keep the queue all but
 *             empty (TCP small queues), and sendto() would wait instead of losing. It also takes what would lead a packet
 *             past `classify`: priorities that name a class, and tags that say nothing but a priority.
 *   classify  tc classifier at the endpoint's HTB root: pair of addresses -> class; drops what finds no room in the
 *             path's buffer. Where there is a lease, SSH, the mesh and what the user exempts pass unshaped, and everything
 *             once it has run out.
 *   arrive    tc classifier at the endpoint's ingress: notes for the delay line when a frame arrived, and makes the
 *             kernel forget it. What is held would otherwise keep the time of its arrival, and whoever asks the kernel
 *             for it (SO_TIMESTAMP: ping, NTP) would see half of a round trip. What arrives while nobody serves the queue
 *             passes by it.
 *   guard     tc classifier where the link of a lab's endpoint ends, in the namespace of its host: drops what has not passed
 *             `classify`. A packet socket with PACKET_QDISC_BYPASS, XDP and AF_XDP send without calling any qdisc or program
 *             at the endpoint.
 *
 * A pair that is no key of `classes` and whose addresses are not both in `parties` is not the topology's (control traffic,
 * other networks) and passes unshaped.
 */
#include "layout.h"
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Of a solicitation or an advertisement between two addresses: 24 bytes, and options of 8 each (link address, nonce). */
#define NEIGHBOUR_DISCOVERY_BYTES 40
/* Types of ICMPv6 messages, from here … to here (RFC 4861, section 4). */
#define ROUTER_SOLICITATION 133
#define REDIRECT 137

/* The loader sets max_entries of all but `rows`, the lease, `exemptions` and `attended`. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct pair);
	__type(value, struct usage);
} usage SEC(".maps");

/* Addresses of endpoints: only pairs of them are counted. The value says nothing. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct address);
	__type(value, __u32);
} members SEC(".maps");

/* How many rows `usage` has been given so far: where there are none, user space need not look. And how many frames were
 * not counted, since all rows were in use. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} rows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct pair);
	__type(value, struct target);
} classes SEC(".maps");

/* Empty where every pair has a target from the start. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct address);
	__type(value, struct party);
} parties SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct buffer);
} buffers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct backlog);
} backlogs SEC(".maps");

/* Until when the agent vouches for what it enforces, in ns of the monotonic clock; 0: for ever. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} lease SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct exemption_list);
} exemptions SEC(".maps");

/* Until when (CLOCK_MONOTONIC, ns) the threads of the delay line have promised to serve their queues, 0 for ever; and how many
 * packets have passed by since they did not. A process that is stopped keeps its queues, and would keep what is in them. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} attended SEC(".maps");

/* Interfaces at which `guard` drops, and how many frames it has dropped there. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} strays SEC(".maps");

/* Fills `key` from the frame's network header; 0 where it is not IP. */
static __always_inline int read_pair(struct __sk_buff *skb, struct pair *key)
{
	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		__builtin_memset(key, 0, sizeof(*key));
		key->source[10] = key->source[11] = 0xff;
		key->destination[10] = key->destination[11] = 0xff;
		return !bpf_skb_load_bytes(skb, ETH_HLEN + 12, &key->source[12], 4) &&
		       !bpf_skb_load_bytes(skb, ETH_HLEN + 16, &key->destination[12], 4);
	}
	if (skb->protocol == bpf_htons(ETH_P_IPV6))
		return !bpf_skb_load_bytes(skb, ETH_HLEN + 8, key, sizeof(*key));
	return 0;
}

/* Length of Ethernet, IP and transport headers of a GSO packet: what each further segment repeats. IPv6 extension
 * headers don't occur in GSO packets that a host makes itself. */
static __always_inline __u32 header_length(struct __sk_buff *skb)
{
	__u32 offset = ETH_HLEN + sizeof(struct ipv6hdr);
	__u8 protocol = 0, byte = 0;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		bpf_skb_load_bytes(skb, ETH_HLEN, &byte, 1);
		bpf_skb_load_bytes(skb, ETH_HLEN + 9, &protocol, 1);
		offset = ETH_HLEN + (byte & 0x0f) * 4;
	} else {
		bpf_skb_load_bytes(skb, ETH_HLEN + 6, &protocol, 1);
	}
	if (protocol == IPPROTO_UDP)
		return offset + 8;
	if (bpf_skb_load_bytes(skb, offset + 12, &byte, 1))
		return offset;
	return offset + (byte >> 4) * 4;
}

static __always_inline void add_to_rows(__u32 which, __u64 amount)
{
	__u64 *number = bpf_map_lookup_elem(&rows, &which);

	if (number)
		__sync_fetch_and_add(number, amount);
}

/* Whether one of the addresses is in this network. */
static __always_inline int is_in(struct exempt_network *network, __u64 *words)
{
	return (((words[0] & network->mask[0]) == network->address[0] &&
		 (words[1] & network->mask[1]) == network->address[1]) ||
		((words[2] & network->mask[0]) == network->address[0] &&
		 (words[3] & network->mask[1]) == network->address[1]));
}

/* Protocol and ports of the first fragment, or of the only one; 0 where there are none. */
static __always_inline int read_ports(struct __sk_buff *skb, __u8 *protocol, __be16 *ports)
{
	__u32 offset = ETH_HLEN + sizeof(struct ipv6hdr);
	__be16 fragment = 0;
	__u8 length = 0;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		bpf_skb_load_bytes(skb, ETH_HLEN, &length, 1);
		bpf_skb_load_bytes(skb, ETH_HLEN + 6, &fragment, 2);
		bpf_skb_load_bytes(skb, ETH_HLEN + 9, protocol, 1);
		offset = ETH_HLEN + (length & 0x0f) * 4;
	} else {
		bpf_skb_load_bytes(skb, ETH_HLEN + 6, protocol, 1);
	}
	if ((fragment & bpf_htons(0x1fff)) || (*protocol != IPPROTO_TCP && *protocol != IPPROTO_UDP))
		return 0;
	return !bpf_skb_load_bytes(skb, offset, ports, 4);
}

/* What the user wants left alone. Not inlined: it is called from all programs. */
static __noinline int is_exempt(struct __sk_buff *skb)
{
	union {
		struct pair pair;
		__u64 words[4];
	} key;
	struct exemption_list *list;
	__be16 ports[2] = {};
	__u8 protocol = 0;
	__u32 i, first = 0;

	list = bpf_map_lookup_elem(&exemptions, &first);
	if (!list || !(list->ports | list->networks) || !read_pair(skb, &key.pair))
		return 0;
	for (i = 0; i < NETFOLD_EXEMPTIONS; i++) {
		if (i >= list->networks)
			break;
		if (is_in(&list->network[i], key.words))
			return 1;
	}
	if (!list->ports || !read_ports(skb, &protocol, ports))
		return 0;
	for (i = 0; i < NETFOLD_EXEMPTIONS; i++) {
		if (i >= list->ports)
			break;
		if (list->port[i].protocol == protocol &&
		    (list->port[i].port == ports[0] || list->port[i].port == ports[1]))
			return 1;
	}
	return 0;
}

SEC("socket")
int count(struct __sk_buff *skb)
{
	struct usage first = {}, *sum;
	struct pair key;
	__u64 bytes = skb->len, packets = 1;

	if (skb->pkt_type != PACKET_OUTGOING || !read_pair(skb, &key) || is_exempt(skb))
		return 0;
	/* A GSO packet is one skb here and gso_segs frames on the wire. HTB counts the same way
	 * (net/core/dev.c, qdisc_pkt_len_init). */
	if (skb->gso_segs > 1) {
		packets = skb->gso_segs;
		bytes += (packets - 1) * header_length(skb);
	}
	sum = bpf_map_lookup_elem(&usage, &key);
	if (!sum) {
		if (!bpf_map_lookup_elem(&members, key.source) || !bpf_map_lookup_elem(&members, key.destination))
			return 0;
		/* After the row is there: whoever sees the same number as before missed none. */
		if (!bpf_map_update_elem(&usage, &key, &first, BPF_NOEXIST))
			add_to_rows(NETFOLD_ROWS_MADE, 1);
		sum = bpf_map_lookup_elem(&usage, &key);
		if (!sum) {
			add_to_rows(NETFOLD_ROWS_LACKED, packets);
			return 0;
		}
	}
	/* Per CPU; the filter runs with migration disabled. */
	sum->bytes += bytes;
	sum->packets += packets;
	return 0;
}

/* TCP of somebody's shell or of the agents themselves. IPv6 with extension headers is none. */
static __always_inline int is_control(struct __sk_buff *skb)
{
	__u32 offset = ETH_HLEN + sizeof(struct ipv6hdr);
	__u8 protocol = 0, length = 0;
	__be16 ports[2] = {};

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		bpf_skb_load_bytes(skb, ETH_HLEN, &length, 1);
		bpf_skb_load_bytes(skb, ETH_HLEN + 9, &protocol, 1);
		offset = ETH_HLEN + (length & 0x0f) * 4;
	} else {
		bpf_skb_load_bytes(skb, ETH_HLEN + 6, &protocol, 1);
	}
	if (protocol != IPPROTO_TCP || bpf_skb_load_bytes(skb, offset, ports, sizeof(ports)))
		return 0;
	return ports[0] == bpf_htons(NETFOLD_SSH_PORT) || ports[1] == bpf_htons(NETFOLD_SSH_PORT) ||
	       ports[0] == bpf_htons(NETFOLD_MESH_PORT) || ports[1] == bpf_htons(NETFOLD_MESH_PORT);
}

/* What IPv6 has in the place of ARP (RFC 4861): it is the link's, not a path's. Whoever calls something else so gets no
 * further than the link (the hop limit), and not far on it: there is room for an address and two options. */
static __always_inline int is_neighbour_discovery(struct __sk_buff *skb)
{
	__be16 length = 0;
	__u8 protocol = 0, hops = 0, type = 0;

	if (skb->protocol != bpf_htons(ETH_P_IPV6))
		return 0;
	bpf_skb_load_bytes(skb, ETH_HLEN + 4, &length, 2);
	bpf_skb_load_bytes(skb, ETH_HLEN + 6, &protocol, 1);
	bpf_skb_load_bytes(skb, ETH_HLEN + 7, &hops, 1);
	if (protocol != IPPROTO_ICMPV6 || hops != 255 || bpf_ntohs(length) > NEIGHBOUR_DISCOVERY_BYTES)
		return 0;
	bpf_skb_load_bytes(skb, ETH_HLEN + sizeof(struct ipv6hdr), &type, 1);
	return type >= ROUTER_SOLICITATION && type <= REDIRECT;
}

/* Not to be touched on interfaces that netfold has not made, where there is a lease: everything once it has run out, and
 * always the link's own and what keeps somebody's door open. In a lab nothing is: its neighbours are known from the start. */
static __always_inline int passes_by(struct __sk_buff *skb)
{
	__u32 first = 0;
	__u64 *until = bpf_map_lookup_elem(&lease, &first);

	if (!until || !*until)
		return 0;
	return bpf_ktime_get_ns() > *until || is_control(skb) || is_neighbour_discovery(skb) || is_exempt(skb);
}

/* Whether nobody serves the queues of the delay line; counts the packet then. */
static __always_inline int is_unattended(void)
{
	__u32 promise = NETFOLD_ATTENDED_UNTIL, passed = NETFOLD_ATTENDED_PASSED;
	__u64 *until = bpf_map_lookup_elem(&attended, &promise);
	__u64 *count;

	if (!until || !*until || bpf_ktime_get_ns() <= *until)
		return 0;
	count = bpf_map_lookup_elem(&attended, &passed);
	if (count)
		__sync_fetch_and_add(count, 1);
	return 1;
}

/* Takes the packet into the buffer of this row; 0 where it finds no room. HTB calls under the lock of its qdisc, so no
 * two packets of one interface meet here. */
static __always_inline int fits_buffer(struct __sk_buff *skb, __u32 row)
{
	struct buffer *buffer = bpf_map_lookup_elem(&buffers, &row);
	struct backlog *backlog = bpf_map_lookup_elem(&backlogs, &row);
	__u64 now, elapsed, drained;

	if (!buffer || !backlog || !buffer->drain)
		return 1;
	now = bpf_ktime_get_ns();
	elapsed = now - backlog->time;
	/* Apart from each other, so that a long pause at 100 Gb/s doesn't overflow. */
	drained = ((elapsed >> 30) * buffer->drain << 10) + (((elapsed & 0x3fffffff) * buffer->drain) >> 20);
	backlog->time = now;
	backlog->level = drained < backlog->level ? backlog->level - drained : 0;
	/* As tc counts: with the headers of every frame that a GSO packet becomes. */
	if ((backlog->level >> 10) + skb->wire_len > buffer->limit) {
		backlog->dropped += skb->gso_segs > 1 ? skb->gso_segs : 1;
		return 0;
	}
	backlog->level += (__u64)skb->wire_len << 10;
	return 1;
}

static __always_inline int are_apart(struct party *a, struct party *b)
{
	int i;

	if (a->island != b->island)
		return 1;
#pragma unroll
	for (i = 0; i < NETFOLD_PARTITIONS; i++)
		if (a->sides[i] && b->sides[i] && a->sides[i] != b->sides[i])
			return 1;
	return 0;
}

/* A pair without a target: user space will see it in `usage`, and make one. */
static __always_inline int first_class(struct __sk_buff *skb, struct pair *key)
{
	struct party *from = bpf_map_lookup_elem(&parties, key->source);
	struct party *to = bpf_map_lookup_elem(&parties, key->destination);

	if (!from || !to || passes_by(skb))
		return TC_ACT_UNSPEC;
	if (are_apart(from, to))
		return TC_ACT_SHOT;
	if (from->first == NETFOLD_CLASS_PASS)
		return TC_ACT_UNSPEC;
	skb->tc_classid = from->first;
	return TC_ACT_OK;
}

SEC("tc")
int classify(struct __sk_buff *skb)
{
	struct target *target;
	struct pair key;

	skb->tc_index = NETFOLD_CLASSIFIED;
	if (!read_pair(skb, &key))
		return TC_ACT_UNSPEC;
	target = bpf_map_lookup_elem(&classes, &key);
	if (!target)
		return first_class(skb, &key);
	if (target->minor == NETFOLD_CLASS_PASS || passes_by(skb))
		return TC_ACT_UNSPEC;
	if (target->minor == NETFOLD_CLASS_DROP)
		return TC_ACT_SHOT;
	if (target->buffer && !fits_buffer(skb, target->buffer - 1))
		return TC_ACT_SHOT;
	skb->tc_classid = target->minor;
	return TC_ACT_OK;
}

/* Whether the pair's packets have something before them: a class, or nothing that they could reach. */
static __always_inline int is_shaped(struct pair *key)
{
	struct target *target = bpf_map_lookup_elem(&classes, key);
	struct party *from, *to;

	if (target)
		return target->minor != NETFOLD_CLASS_PASS;
	from = bpf_map_lookup_elem(&parties, key->source);
	to = bpf_map_lookup_elem(&parties, key->destination);
	return from && to && (from->first != NETFOLD_CLASS_PASS || are_apart(from, to));
}

/* A tag with the number 0 says a priority only, and receivers take the packet as one without a tag, up to two of them. */
static __always_inline void take_tags(struct __sk_buff *skb)
{
	__be16 tag = 0;
	int i;

#pragma unroll
	for (i = 0; i < 2; i++) {
		if (skb->protocol != bpf_htons(ETH_P_8021Q) && skb->protocol != bpf_htons(ETH_P_8021AD))
			return;
		if (bpf_skb_load_bytes(skb, ETH_HLEN, &tag, 2) || (tag & bpf_htons(0x0fff)) || bpf_skb_vlan_pop(skb))
			return;
	}
}

SEC("tc")
int detach(struct __sk_buff *skb)
{
	struct pair key;

	/* HTB takes a priority that names it, or one of its classes, for the class, before it asks any filter (htb_classify,
	 * net/sched/sch_htb.c). */
	if (skb->priority >> 16 == NETFOLD_MAJOR)
		skb->priority = 0;
	take_tags(skb);
	/* What is passed on, and every clone when it comes by here, has none. */
	if (!skb->sk || !read_pair(skb, &key) || !is_shaped(&key) || passes_by(skb))
		return TC_ACT_UNSPEC;
	/* There is no call that takes the socket from a packet; a clone has none. */
	if (bpf_clone_redirect(skb, skb->ifindex, 0) < 0)
		return TC_ACT_UNSPEC;
	/* To the sender it is sent, whatever has become of the clone. */
	return TC_ACT_STOLEN;
}

/* Whether it answers an echo request of netfold's own, by its identifier (agent/linux/probe/echo-probes.ts). */
static __always_inline int is_probe_answer(struct __sk_buff *skb)
{
	__u8 header[10], message[6];

	if (skb->protocol != bpf_htons(ETH_P_IP) || bpf_skb_load_bytes(skb, ETH_HLEN, header, sizeof(header)))
		return 0;
	/* IPv4 without options, and an echo reply of ICMP. */
	if (header[0] != 0x45 || header[9] != IPPROTO_ICMP ||
	    bpf_skb_load_bytes(skb, ETH_HLEN + 20, message, sizeof(message)))
		return 0;
	return message[0] == 0 && message[4] == 0x6e && message[5] == 0x66;
}

SEC("tc")
int arrive(struct __sk_buff *skb)
{
	/* The rule that queues passes these by. */
	if (passes_by(skb) || is_unattended()) {
		skb->priority = NETFOLD_UNGUARDED_PRIORITY;
		return TC_ACT_UNSPEC;
	}
	/* With no time set, the kernel takes the time at which the frame is read. Of an answer to a probe, its arrival is asked for. */
	if (!is_probe_answer(skb))
		skb->tstamp = 0;
	/* Somebody else's mark stays; such a packet is held from when the thread gets to see it. */
	if (!skb->mark)
		skb->mark = (__u32)(bpf_ktime_get_ns() / 1000) | NETFOLD_ARRIVAL_MARK;
	return TC_ACT_UNSPEC;
}

SEC("tc")
int guard(struct __sk_buff *skb)
{
	__u32 ifindex = skb->ifindex;
	__u64 *dropped = bpf_map_lookup_elem(&strays, &ifindex);

	if (!dropped || skb->tc_index == NETFOLD_CLASSIFIED)
		return TC_ACT_UNSPEC;
	__sync_fetch_and_add(dropped, skb->gso_segs > 1 ? skb->gso_segs : 1);
	return TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "Apache-2.0";
