/* SPDX-License-Identifier: Apache-2.0 */
/* What netfold's programs read in a packet, and take from it. */
#ifndef NETFOLD_PACKET_H
#define NETFOLD_PACKET_H

#include "layout.h"
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Of a solicitation or an advertisement between two addresses: 24 bytes, and options of 8 each (link address, nonce). */
#define NEIGHBOUR_DISCOVERY_BYTES 40
/* Types of ICMPv6 messages, from here … to here (RFC 4861, section 4). */
#define ROUTER_SOLICITATION 133
#define REDIRECT 137

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
	key->lane = 0;
	if (skb->protocol == bpf_htons(ETH_P_IPV6))
		return !bpf_skb_load_bytes(skb, ETH_HLEN + 8, key, 2 * sizeof(struct address));
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

/* Where a probe has its token, from the beginning of its message (agent/linux/probe/echo-probes.ts), and its bytes until then. */
#define PROBE_TOKEN_AT 24
#define PROBE_BYTES 28
/* Types of ICMP messages (RFC 792). */
#define ECHO_REPLY 0
#define ECHO_REQUEST 8

/* Fills `probe` from a message of this type with the identifier of netfold's probes; 0 where it is none. `answer`: who is asked has
 * sent it. */
static __always_inline int read_probe(struct __sk_buff *skb, __u8 type, int answer, struct probe *probe)
{
	__u8 header[20], message[PROBE_BYTES];

	if (skb->protocol != bpf_htons(ETH_P_IP) || bpf_skb_load_bytes(skb, ETH_HLEN, header, sizeof(header)))
		return 0;
	/* IPv4 without options. */
	if (header[0] != 0x45 || header[9] != IPPROTO_ICMP ||
	    bpf_skb_load_bytes(skb, ETH_HLEN + 20, message, sizeof(message)))
		return 0;
	if (message[0] != type || message[4] != 0x6e || message[5] != 0x66)
		return 0;
	__builtin_memcpy(answer ? probe->asked : probe->asking, header + 12, 4);
	__builtin_memcpy(answer ? probe->asking : probe->asked, header + 16, 4);
	__builtin_memcpy(probe->token, message + PROBE_TOKEN_AT, 4);
	return 1;
}

#endif
