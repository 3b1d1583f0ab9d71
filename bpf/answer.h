/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that become their own answers, in the place of a router. */
#ifndef NETFOLD_ANSWER_H
#define NETFOLD_ANSWER_H

#include "layout.h"
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>

#define ANSWER_HOPS 64

/* RFC 768. */
struct pseudo4 {
	__be32 source;
	__be32 destination;
	__u8 zero;
	__u8 protocol;
	__be16 length;
};

/* The rest of the pseudo header: length and protocol (RFC 8200, section 8.1). */
struct pseudo6 {
	__be32 length;
	__be32 protocol;
};

static __always_inline __u16 folded(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* Towards its sender; 0: done. */
static __always_inline int turn_around(struct __sk_buff *skb)
{
	__u8 ends[2 * ETH_ALEN], turned[2 * ETH_ALEN];

	if (bpf_skb_load_bytes(skb, 0, ends, sizeof(ends)))
		return -1;
	__builtin_memcpy(turned, ends + ETH_ALEN, ETH_ALEN);
	__builtin_memcpy(turned + ETH_ALEN, ends, ETH_ALEN);
	if (bpf_skb_store_bytes(skb, 0, turned, sizeof(turned), 0))
		return -1;
	skb->tc_index = NETFOLD_ANSWER;
	return 0;
}

#endif
