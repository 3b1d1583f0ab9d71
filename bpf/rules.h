/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of a path: what happens to a part of its traffic. proto/rules.ts selects packets in the same way. */
#ifndef NETFOLD_RULES_H
#define NETFOLD_RULES_H

#include "answer.h"
#include "maps.h"
#include "packet.h"
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define OBEYED_PASS 0
#define OBEYED_DROP 1
#define OBEYED_RESET 2
/* Greater: the class that the packet has. */

#define FRAGMENT_OFFSET 0x1fff
#define FLAGS_AT 13
#define FLAG_SYN 0x02
#define FLAG_ACK 0x10

/* What selectors look at. */
struct traits {
	__u8 protocol;
	__u8 dscp;
	__u8 flags;
	/* Where the transport's header is, and whether it is there: it is in no fragment but the first. */
	__u8 has_header;
	__u32 offset;
	__be16 ports[2];
};

struct reset4 {
	struct iphdr ip;
	struct tcphdr tcp;
};

struct reset6 {
	struct ipv6hdr ip;
	struct tcphdr tcp;
};

/* Of extension headers of IPv6, that of fragments is read: with others, the protocol is the first of them. */
static __always_inline int read_traits(struct __sk_buff *skb, struct traits *of)
{
	__u8 header[10], part[4], flags = 0;

	__builtin_memset(of, 0, sizeof(*of));
	if (bpf_skb_load_bytes(skb, ETH_HLEN, header, sizeof(header)))
		return -1;
	of->has_header = 1;
	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		of->protocol = header[9];
		of->dscp = header[1] >> 2;
		of->offset = ETH_HLEN + (header[0] & 0x0f) * 4;
		if (((header[6] << 8 | header[7]) & FRAGMENT_OFFSET))
			of->has_header = 0;
		if (of->protocol == IPPROTO_ICMP)
			of->flags = NETFOLD_TRAIT_ICMP;
	} else {
		of->protocol = header[6];
		of->dscp = (header[0] & 0x0f) << 2 | header[1] >> 6;
		of->offset = ETH_HLEN + sizeof(struct ipv6hdr);
		if (of->protocol == IPPROTO_FRAGMENT && !bpf_skb_load_bytes(skb, of->offset, part, sizeof(part))) {
			of->protocol = part[0];
			of->offset += 8;
			if ((part[2] << 8 | part[3]) >> 3)
				of->has_header = 0;
		}
		if (of->protocol == IPPROTO_ICMPV6)
			of->flags = NETFOLD_TRAIT_ICMP;
	}
	if (!of->has_header || (of->protocol != IPPROTO_TCP && of->protocol != IPPROTO_UDP))
		return 0;
	if (bpf_skb_load_bytes(skb, of->offset, of->ports, sizeof(of->ports)))
		return 0;
	if (of->protocol == IPPROTO_TCP && !bpf_skb_load_bytes(skb, of->offset + FLAGS_AT, &flags, 1) &&
	    (flags & (FLAG_SYN | FLAG_ACK)) == FLAG_SYN)
		of->flags = NETFOLD_TRAIT_SYN;
	return 0;
}

/* 0 where it matches. By arithmetic, since each branch here is one more for the verifier in each of the rules: the product is 0
 * where a port is either end's, or any. */
static __always_inline __u64 misses(struct selector *of, struct traits *seen)
{
	__u64 port = of->port;

	return ((of->protocol ^ seen->protocol) & of->protocol_mask) | ((of->dscp ^ seen->dscp) & of->dscp_mask) |
	       (of->traits & (__u8)~seen->flags) | port * (port ^ seen->ports[0]) * (port ^ seen->ports[1]);
}

/* Whether the rule does what it does with this packet. */
static __always_inline int applies(struct rule *rule, struct traits *seen)
{
	__u32 i, matches = 0;

#pragma unroll
	for (i = 0; i < NETFOLD_SELECTORS; i++)
		if (!misses(&rule->selector[i], seen))
			matches = 1;
	if (matches == rule->except)
		return 0;
	rule->matched++;
	if (rule->action == NETFOLD_RULE_CHANCE)
		return bpf_get_prandom_u32() < rule->number;
	if (rule->action == NETFOLD_RULE_NTH)
		return rule->matched == rule->number;
	if (rule->action == NETFOLD_RULE_EVERY)
		return rule->matched % rule->number == 0;
	return rule->action != NETFOLD_RULE_RESET || seen->protocol == IPPROTO_TCP;
}

/* What the rules of this row make of the packet: OBEYED_…. HTB calls under the lock of its qdisc, so no two packets of one path
 * meet here. */
static __noinline int obey(struct __sk_buff *skb, __u32 row)
{
	struct rules *all = bpf_map_lookup_elem(&rules, &row);
	struct traits seen;
	struct rule *rule;
	__u32 i, class = OBEYED_PASS;

	if (!all || read_traits(skb, &seen))
		return OBEYED_PASS;
	for (i = 0; i < NETFOLD_RULES; i++) {
		if (i >= all->count)
			break;
		rule = &all->rule[i];
		if (!applies(rule, &seen))
			continue;
		rule->applied++;
		if (rule->action == NETFOLD_RULE_LIMIT) {
			if (rule->number > class)
				class = rule->number;
		} else if (rule->action != NETFOLD_RULE_DELAY) {
			return rule->action == NETFOLD_RULE_RESET ? OBEYED_RESET : OBEYED_DROP;
		}
	}
	return class;
}

/* The answer of somebody who has no such connection (RFC 9293, section 3.10.7.1). `bytes`: of what was sent. */
static __always_inline void refuse(struct tcphdr *answer, struct tcphdr *asked, __u32 bytes)
{
	answer->source = asked->dest;
	answer->dest = asked->source;
	answer->doff = sizeof(*answer) / 4;
	answer->rst = 1;
	if (asked->ack) {
		answer->seq = asked->ack_seq;
		return;
	}
	answer->ack = 1;
	answer->ack_seq = bpf_htonl(bpf_ntohl(asked->seq) + bytes + asked->syn + asked->fin);
}

/* Reads the header of a segment; 0: it is one that may be answered. `bytes`: of what it carries. */
static __always_inline int read_segment(struct __sk_buff *skb, __u32 offset, struct tcphdr *asked, __u32 *bytes)
{
	if (bpf_skb_load_bytes(skb, offset, asked, sizeof(*asked)) || asked->rst)
		return -1;
	*bytes = skb->len - offset - asked->doff * 4;
	return 0;
}

/* A checksum that is left to the card is within what stays, as with other answers (mtu.h). */
static __noinline int make_reset4(struct __sk_buff *skb)
{
	struct reset4 answer = {};
	struct pseudo4 pseudo = {};
	struct tcphdr asked;
	struct iphdr ip;
	__u32 bytes;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) ||
	    read_segment(skb, ETH_HLEN + ip.ihl * 4, &asked, &bytes))
		return -1;
	answer.ip.version = 4;
	answer.ip.ihl = 5;
	answer.ip.tot_len = bpf_htons(sizeof(answer));
	answer.ip.ttl = ANSWER_HOPS;
	answer.ip.protocol = IPPROTO_TCP;
	answer.ip.saddr = ip.daddr;
	answer.ip.daddr = ip.saddr;
	answer.ip.check = folded(bpf_csum_diff(0, 0, (__be32 *)&answer.ip, sizeof(answer.ip), 0));
	refuse(&answer.tcp, &asked, bytes);
	pseudo.source = answer.ip.saddr;
	pseudo.destination = answer.ip.daddr;
	pseudo.protocol = IPPROTO_TCP;
	pseudo.length = bpf_htons(sizeof(answer.tcp));
	answer.tcp.check = folded(bpf_csum_diff(0, 0, (__be32 *)&answer.tcp, sizeof(answer.tcp),
						bpf_csum_diff(0, 0, (__be32 *)&pseudo, sizeof(pseudo), 0)));
	return bpf_skb_change_tail(skb, ETH_HLEN + sizeof(answer), 0) ||
	       bpf_skb_store_bytes(skb, ETH_HLEN, &answer, sizeof(answer), 0);
}

static __noinline int make_reset6(struct __sk_buff *skb)
{
	struct reset6 answer = {};
	struct pseudo6 pseudo = {
		.length = bpf_htonl(sizeof(answer.tcp)),
		.protocol = bpf_htonl(IPPROTO_TCP),
	};
	struct tcphdr asked;
	struct ipv6hdr ip;
	__u32 bytes;
	__s64 sum;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) || ip.nexthdr != IPPROTO_TCP ||
	    read_segment(skb, ETH_HLEN + sizeof(ip), &asked, &bytes))
		return -1;
	answer.ip.version = 6;
	answer.ip.payload_len = bpf_htons(sizeof(answer.tcp));
	answer.ip.nexthdr = IPPROTO_TCP;
	answer.ip.hop_limit = ANSWER_HOPS;
	answer.ip.saddr = ip.daddr;
	answer.ip.daddr = ip.saddr;
	refuse(&answer.tcp, &asked, bytes);
	sum = bpf_csum_diff(0, 0, (__be32 *)&answer.ip.saddr, 2 * sizeof(answer.ip.saddr), 0);
	sum = bpf_csum_diff(0, 0, (__be32 *)&pseudo, sizeof(pseudo), sum);
	answer.tcp.check = folded(bpf_csum_diff(0, 0, (__be32 *)&answer.tcp, sizeof(answer.tcp), sum));
	return bpf_skb_change_tail(skb, ETH_HLEN + sizeof(answer), 0) ||
	       bpf_skb_store_bytes(skb, ETH_HLEN, &answer, sizeof(answer), 0);
}

/* Answers a segment by a reset, as if its destination had. The packet itself is of no use afterwards. No redirect: what classifies
 * for a qdisc has none. */
static __noinline int answer_reset(struct __sk_buff *skb)
{
	if (skb->protocol == bpf_htons(ETH_P_IPV6) ? make_reset6(skb) : make_reset4(skb))
		return -1;
	if (turn_around(skb))
		return -1;
	return bpf_clone_redirect(skb, skb->ifindex, BPF_F_INGRESS);
}

#endif
