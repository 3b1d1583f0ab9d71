// SPDX-License-Identifier: Apache-2.0
/*
 * The programs that netfold puts into the kernel:
 *
 *   count     socket filter on an AF_PACKET socket in an endpoint's namespace: adds up what leaves, per pair of
 *             addresses. It keeps no packet (returns 0).
 *   classify  tc classifier at the endpoint's HTB root: pair of addresses -> class.
 *   arrive    tc classifier at the endpoint's ingress: notes for the delay line when a frame arrived, and makes the
 *             kernel forget it. What is held would otherwise keep the time of its arrival, and whoever asks the kernel
 *             for it (SO_TIMESTAMP: ping, NTP) would see half of a round trip.
 *
 * A pair that is no key of `classes` is not the topology's (control traffic, other networks) and passes unshaped.
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

/* The loader sets max_entries of both. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct pair);
	__type(value, struct usage);
} usage SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct pair);
	__type(value, __u32);
} classes SEC(".maps");

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

SEC("socket")
int count(struct __sk_buff *skb)
{
	struct usage first = {}, *sum;
	struct pair key;
	__u64 bytes = skb->len, packets = 1;

	if (skb->pkt_type != PACKET_OUTGOING || !read_pair(skb, &key))
		return 0;
	/* A GSO packet is one skb here and gso_segs frames on the wire. HTB counts the same way
	 * (net/core/dev.c, qdisc_pkt_len_init). */
	if (skb->gso_segs > 1) {
		packets = skb->gso_segs;
		bytes += (packets - 1) * header_length(skb);
	}
	sum = bpf_map_lookup_elem(&usage, &key);
	if (!sum) {
		bpf_map_update_elem(&usage, &key, &first, BPF_NOEXIST);
		sum = bpf_map_lookup_elem(&usage, &key);
		if (!sum)
			return 0;
	}
	/* Per CPU; the filter runs with migration disabled. */
	sum->bytes += bytes;
	sum->packets += packets;
	return 0;
}

SEC("tc")
int classify(struct __sk_buff *skb)
{
	struct pair key;
	__u32 *class;

	if (!read_pair(skb, &key))
		return TC_ACT_UNSPEC;
	class = bpf_map_lookup_elem(&classes, &key);
	if (!class)
		return TC_ACT_UNSPEC;
	if (*class == NETFOLD_CLASS_DROP)
		return TC_ACT_SHOT;
	skb->tc_classid = *class;
	return TC_ACT_OK;
}

SEC("tc")
int arrive(struct __sk_buff *skb)
{
	/* With no time set, the kernel takes the time at which the frame is read. */
	skb->tstamp = 0;
	/* Somebody else's mark stays; such a packet is held from when the thread gets to see it. */
	if (!skb->mark)
		skb->mark = (__u32)(bpf_ktime_get_ns() / 1000) | NETFOLD_ARRIVAL_MARK;
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "Apache-2.0";
