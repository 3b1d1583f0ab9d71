/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that pass unshaped: what is exempt, after a lease, and while nobody serves the delay line. */
#ifndef NETFOLD_PASSING_H
#define NETFOLD_PASSING_H

#include "maps.h"
#include "packet.h"

/* Whether one of the addresses is in this network. */
static __always_inline int is_in(struct exempt_network *network, __u64 *words)
{
	return (((words[0] & network->mask[0]) == network->address[0] &&
		 (words[1] & network->mask[1]) == network->address[1]) ||
		((words[2] & network->mask[0]) == network->address[0] &&
		 (words[3] & network->mask[1]) == network->address[1]));
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

#endif
