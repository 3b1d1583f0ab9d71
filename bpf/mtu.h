/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets that are larger than their path's MTU, at the sender's egress: what a router in front of the narrow link does.
 *
 * With DF, and in IPv6, the sender is told (RFC 1191, RFC 8201), so that its stack discovers the MTU: the packet itself becomes
 * the message, and goes back into the interface. It comes from the destination, since bridges have no addresses. Without DF, IPv4
 * is cut into fragments (RFC 791, section 3.2). What is cut nowhere passes whole: several segments without DF in one packet, and
 * packets with IP options.
 */
#ifndef NETFOLD_MTU_H
#define NETFOLD_MTU_H

#include "answer.h"
#include "layout.h"
#include "packet.h"
#include <linux/bpf.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define IP_DF 0x4000
#define IP_MF 0x2000
#define IP_OFFSET 0x1fff
#define IP_HEADER 20
/* The largest IPv4 packet, cut for the least MTU. */
#define MOST_FRAGMENTS 53
/* bpf_skb_adjust_room takes away no more than 4,095 bytes at once; so often it takes what the largest MTU has. */
#define ROOM 4088
#define MOST_ROOMS 3
#define CHUNK 128
#define MOST_CHUNKS 512
/* More than the offset of any checksum within a frame, but for those with IP options. */
#define PAST_CHECKSUM 64

/* RFC 792, with the MTU of RFC 1191. linux/icmp.h takes half of the C library with it. */
#define DESTINATION_UNREACHABLE 3
#define FRAGMENTATION_NEEDED 4

struct too_big4 {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be16 unused;
	__be16 mtu;
};

struct answer4 {
	struct iphdr ip;
	struct too_big4 icmp;
	__u8 quoted[NETFOLD_QUOTED];
};

struct answer6 {
	struct ipv6hdr ip;
	struct icmp6hdr icmp;
	__u8 quoted[NETFOLD_QUOTED];
};

/* Of the IP packet, or of each of those that a GSO packet becomes. */
static __always_inline __u32 packet_bytes(struct __sk_buff *skb)
{
	return skb->gso_size ? header_length(skb) - ETH_HLEN + skb->gso_size : skb->len - ETH_HLEN;
}

/* Sends the packet back into the interface from which it was to leave. */
static __always_inline int turn_back(struct __sk_buff *skb)
{
	return turn_around(skb) ? TC_ACT_SHOT : bpf_redirect(skb->ifindex, BPF_F_INGRESS);
}

/* Destination unreachable, fragmentation needed and DF set. */
static __noinline int answer4(struct __sk_buff *skb, __u32 mtu)
{
	struct answer4 answer = {};
	struct iphdr *asked = (struct iphdr *)answer.quoted;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, answer.quoted, sizeof(answer.quoted)))
		return TC_ACT_SHOT;
	answer.ip.version = 4;
	answer.ip.ihl = 5;
	answer.ip.tot_len = bpf_htons(sizeof(answer));
	answer.ip.ttl = ANSWER_HOPS;
	answer.ip.protocol = IPPROTO_ICMP;
	answer.ip.saddr = asked->daddr;
	answer.ip.daddr = asked->saddr;
	answer.ip.check = folded(bpf_csum_diff(0, 0, (__be32 *)&answer.ip, sizeof(answer.ip), 0));
	answer.icmp.type = DESTINATION_UNREACHABLE;
	answer.icmp.code = FRAGMENTATION_NEEDED;
	answer.icmp.mtu = bpf_htons(mtu);
	answer.icmp.checksum = folded(bpf_csum_diff(0, 0, (__be32 *)&answer.icmp,
						    sizeof(answer) - sizeof(answer.ip), 0));
	/* A checksum that is left to the card is within what stays: whoever receives it takes it as right. */
	if (bpf_skb_change_tail(skb, ETH_HLEN + sizeof(answer), 0) ||
	    bpf_skb_store_bytes(skb, ETH_HLEN, &answer, sizeof(answer), 0))
		return TC_ACT_SHOT;
	return turn_back(skb);
}

/* Packet too big. */
static __noinline int answer6(struct __sk_buff *skb, __u32 mtu)
{
	struct answer6 answer = {};
	struct ipv6hdr *asked = (struct ipv6hdr *)answer.quoted;
	struct pseudo6 pseudo = {
		.length = bpf_htonl(sizeof(answer) - sizeof(answer.ip)),
		.protocol = bpf_htonl(IPPROTO_ICMPV6),
	};
	__s64 sum;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, answer.quoted, sizeof(answer.quoted)))
		return TC_ACT_SHOT;
	answer.ip.version = 6;
	answer.ip.payload_len = bpf_htons(sizeof(answer) - sizeof(answer.ip));
	answer.ip.nexthdr = IPPROTO_ICMPV6;
	answer.ip.hop_limit = ANSWER_HOPS;
	answer.ip.saddr = asked->daddr;
	answer.ip.daddr = asked->saddr;
	answer.icmp.icmp6_type = ICMPV6_PKT_TOOBIG;
	answer.icmp.icmp6_mtu = bpf_htonl(mtu);
	sum = bpf_csum_diff(0, 0, (__be32 *)&answer.ip.saddr, 2 * sizeof(answer.ip.saddr), 0);
	sum = bpf_csum_diff(0, 0, (__be32 *)&pseudo, sizeof(pseudo), sum);
	sum = bpf_csum_diff(0, 0, (__be32 *)&answer.icmp, sizeof(answer) - sizeof(answer.ip), sum);
	answer.icmp.icmp6_cksum = folded(sum);
	if (bpf_skb_change_tail(skb, ETH_HLEN + sizeof(answer), 0) ||
	    bpf_skb_store_bytes(skb, ETH_HLEN, &answer, sizeof(answer), 0))
		return TC_ACT_SHOT;
	return turn_back(skb);
}

/* Bytes of payload of a fragment that is not the last: a multiple of 8. */
static __always_inline __u32 fragment_bytes(__u32 mtu)
{
	return (mtu - IP_HEADER) & ~7U;
}

/* Gives the packet the header of a fragment. */
static __always_inline int write_fragment(struct __sk_buff *skb, __u16 position)
{
	struct iphdr ip;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)))
		return -1;
	ip.frag_off = bpf_htons(position);
	ip.tot_len = bpf_htons(skb->len - ETH_HLEN);
	ip.check = 0;
	ip.check = folded(bpf_csum_diff(0, 0, (__be32 *)&ip, sizeof(ip), 0));
	return bpf_skb_store_bytes(skb, ETH_HLEN, &ip, sizeof(ip), 0);
}

/*
 * Writes the checksum of a whole datagram of UDP or TCP, which the sender leaves to the network card, and makes the kernel
 * forget that it is left to it: the card would take the fragment for the datagram. There is no call for that, but a packet of which
 * so much was taken away that the checksum has no place any more is to be summed by nobody (skb_postpull_rcsum, linux/skbuff.h;
 * kernels before 6.2 see it at the next time).
 */
static __noinline int complete_checksum(struct __sk_buff *skb)
{
	__u32 place, end = skb->len, at = ETH_HLEN + IP_HEADER, bytes, i;
	struct pseudo4 pseudo = {};
	__u8 chunk[CHUNK];
	struct iphdr ip;
	__u16 field = 0;
	__s64 sum;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)))
		return -1;
	place = at + (ip.protocol == IPPROTO_UDP ? 6 : 16);
	if (bpf_skb_store_bytes(skb, place, &field, sizeof(field), 0))
		return -1;
	pseudo.source = ip.saddr;
	pseudo.destination = ip.daddr;
	pseudo.protocol = ip.protocol;
	pseudo.length = bpf_htons(end - at);
	sum = bpf_csum_diff(0, 0, (__be32 *)&pseudo, sizeof(pseudo), 0);
	for (i = 0; i < MOST_CHUNKS && at < end; i++) {
		bytes = end - at;
		__builtin_memset(chunk, 0, sizeof(chunk));
		if (bytes > CHUNK)
			bytes = CHUNK;
		/* It is 1 to 128, which the verifier sees so. */
		asm volatile("" : "+r"(bytes));
		if (bpf_skb_load_bytes(skb, at, chunk, ((bytes - 1) & (CHUNK - 1)) + 1))
			return -1;
		sum = bpf_csum_diff(0, 0, (__be32 *)chunk, sizeof(chunk), sum);
		at += CHUNK;
	}
	field = folded(sum);
	if (!field && ip.protocol == IPPROTO_UDP)
		field = 0xffff;
	if (bpf_skb_store_bytes(skb, place, &field, sizeof(field), 0) ||
	    bpf_skb_load_bytes(skb, ETH_HLEN + IP_HEADER, chunk, PAST_CHECKSUM) ||
	    bpf_skb_adjust_room(skb, 8 - PAST_CHECKSUM, BPF_ADJ_ROOM_NET, 0) ||
	    bpf_skb_adjust_room(skb, -8, BPF_ADJ_ROOM_NET, 0) ||
	    bpf_skb_adjust_room(skb, PAST_CHECKSUM, BPF_ADJ_ROOM_NET, 0))
		return -1;
	return bpf_skb_store_bytes(skb, ETH_HLEN + IP_HEADER, chunk, PAST_CHECKSUM, 0);
}

/* A clone of a packet that is too large, when it comes by: its first fragment. */
static __noinline int cut_first_fragment(struct __sk_buff *skb, __u32 mtu)
{
	struct iphdr ip;

	skb->tc_index = NETFOLD_DETACHED;
	if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) ||
	    bpf_skb_change_tail(skb, ETH_HLEN + IP_HEADER + fragment_bytes(mtu), 0) ||
	    write_fragment(skb, (bpf_ntohs(ip.frag_off) & IP_OFFSET) | IP_MF))
		return TC_ACT_SHOT;
	return TC_ACT_UNSPEC;
}

/* Takes away so many bytes behind the header. */
static __always_inline int take_payload(struct __sk_buff *skb, __u32 bytes)
{
	__s32 step;
	int i;

	for (i = 0; i < MOST_ROOMS && bytes; i++) {
		step = bytes > ROOM ? ROOM : bytes;
		if (bpf_skb_adjust_room(skb, -step, BPF_ADJ_ROOM_NET, 0))
			return -1;
		bytes -= step;
	}
	return bytes;
}

/* Sends all fragments but the last; the packet becomes that one. TC_ACT_UNSPEC: it goes on. */
static __noinline int fragment(struct __sk_buff *skb, __u32 mtu)
{
	__u32 bytes = fragment_bytes(mtu), i;
	struct iphdr ip;
	__u16 position;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)))
		return TC_ACT_SHOT;
	position = bpf_ntohs(ip.frag_off);
	/* Options would have to be copied, or not, one by one. */
	if (ip.ihl != 5 || skb->gso_size)
		return TC_ACT_UNSPEC;
	if (!(position & (IP_OFFSET | IP_MF)) && (ip.protocol == IPPROTO_UDP || ip.protocol == IPPROTO_TCP) &&
	    complete_checksum(skb))
		return TC_ACT_SHOT;
	for (i = 0; i < MOST_FRAGMENTS; i++) {
		if (skb->len - ETH_HLEN <= mtu)
			return TC_ACT_UNSPEC;
		skb->tc_index = NETFOLD_FIRST_FRAGMENT;
		bpf_clone_redirect(skb, skb->ifindex, 0);
		skb->tc_index = 0;
		position += bytes / 8;
		if (take_payload(skb, bytes) || write_fragment(skb, position))
			return TC_ACT_SHOT;
	}
	return TC_ACT_SHOT;
}

/* TC_ACT_UNSPEC: the packet goes on. */
static __always_inline int exceed_mtu(struct __sk_buff *skb, __u32 mtu)
{
	__be16 position = 0;

	if (skb->protocol == bpf_htons(ETH_P_IPV6))
		return answer6(skb, mtu);
	bpf_skb_load_bytes(skb, ETH_HLEN + 6, &position, sizeof(position));
	return position & bpf_htons(IP_DF) ? answer4(skb, mtu) : fragment(skb, mtu);
}

#endif
