/* SPDX-License-Identifier: Apache-2.0 */
/* Which of several paths of equal cost a packet takes: agent/enforce/lanes.ts chooses in the same way where it arrives. */
#ifndef NETFOLD_LANES_H
#define NETFOLD_LANES_H

#include "maps.h"
#include "packet.h"
#include <linux/in.h>

#ifndef IPPROTO_UDPLITE
#define IPPROTO_UDPLITE 136
#endif

/* Any part of a datagram: more fragments, or an offset. */
#define ANY_FRAGMENT 0x3fff

/* What all packets of a flow have in common. Fragments of one datagram have no ports here, since only the first of them says them. */
struct flow {
	__u32 protocol;
	__be16 ports[2];
};

static __always_inline int has_ports(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
	       protocol == IPPROTO_DCCP || protocol == IPPROTO_UDPLITE;
}

/* Of extension headers of IPv6, that of fragments is read. */
static __always_inline void read_flow(struct __sk_buff *skb, struct flow *of)
{
	__u32 offset = ETH_HLEN + sizeof(struct ipv6hdr);
	__be16 fragment = 0;
	__u8 protocol = 0, length = 0;
	int is_part;

	__builtin_memset(of, 0, sizeof(*of));
	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		bpf_skb_load_bytes(skb, ETH_HLEN, &length, 1);
		bpf_skb_load_bytes(skb, ETH_HLEN + 6, &fragment, 2);
		bpf_skb_load_bytes(skb, ETH_HLEN + 9, &protocol, 1);
		offset = ETH_HLEN + (length & 0x0f) * 4;
		is_part = (fragment & bpf_htons(ANY_FRAGMENT)) != 0;
	} else {
		bpf_skb_load_bytes(skb, ETH_HLEN + 6, &protocol, 1);
		is_part = protocol == IPPROTO_FRAGMENT;
		if (is_part)
			bpf_skb_load_bytes(skb, offset, &protocol, 1);
	}
	of->protocol = protocol;
	if (!is_part && has_ports(protocol))
		bpf_skb_load_bytes(skb, offset, of->ports, sizeof(of->ports));
}

/* Spreads the bits of a word (the last step of MurmurHash3, by Austin Appleby, in the public domain). */
static __always_inline __u32 spread_bits(__u32 word)
{
	word ^= word >> 16;
	word *= 0x85ebca6b;
	word ^= word >> 13;
	word *= 0xc2b2ae35;
	return word ^ word >> 16;
}

static __always_inline __u32 hash_end(__u32 seed, __u8 *address, __be16 port)
{
	__be32 words[4];
	__u32 hash = seed;
	int i;

	__builtin_memcpy(words, address, sizeof(words));
#pragma unroll
	for (i = 0; i < 4; i++)
		hash = spread_bits(hash ^ bpf_ntohl(words[i]));
	return spread_bits(hash ^ bpf_ntohs(port));
}

/* The place of the packet's flow among so many paths. Both directions of a connection have the same, as with Linux' own multipath
 * routing (flow_hash_from_keys, net/core/flow_dissector.c). */
static __noinline __u32 lane_of(struct __sk_buff *skb, struct pair *key, __u32 lanes)
{
	__u32 first = 0, one, other, hash;
	__u32 *seed = bpf_map_lookup_elem(&seeds, &first);
	struct flow flow;

	if (!seed)
		return 0;
	read_flow(skb, &flow);
	one = hash_end(*seed, key->source, flow.ports[0]);
	other = hash_end(*seed, key->destination, flow.ports[1]);
	hash = spread_bits(spread_bits(one + other) ^ (one ^ other) ^ flow.protocol);
	return (__u64)hash * lanes >> 32;
}

/* The target of a packet, and in `key` which of the paths it takes. */
static __always_inline struct target *find_target(struct __sk_buff *skb, struct pair *key)
{
	struct target *target = bpf_map_lookup_elem(&classes, key), *other;

	if (!target || target->lanes < 2)
		return target;
	key->lane = lane_of(skb, key, target->lanes);
	if (!key->lane)
		return target;
	other = bpf_map_lookup_elem(&classes, key);
	/* While paths change, one may be gone that is still counted. */
	if (other)
		return other;
	key->lane = 0;
	return target;
}

#endif
