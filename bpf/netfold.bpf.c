// SPDX-License-Identifier: Apache-2.0
/*
 * The programs that netfold puts into the kernel:
 *
 *   count     socket filter on an AF_PACKET socket in an endpoint's namespace: adds up what leaves, per pair of
 *             addresses of endpoints. What goes elsewhere takes no row, so no application can fill the table with
 *             destinations. It keeps no packet (returns 0). It notes which of netfold's own probes have left.
 *   detach    tc classifier at the endpoint's egress, before the HTB root: takes from a shaped packet the socket that sent
 *             it. The root stands for links that are far away from the sender, so what waits there must not be charged to
 *             the sender's socket, and what is lost there must not be reported to it: TCP would keep the queue all but
 *             empty (TCP small queues), and sendto() would wait instead of losing. It also takes what would lead a packet
 *             past `classify`: priorities that name a class, and tags that say nothing but a priority. What is larger than the
 *             path's MTU is cut into fragments or answered here, as by a router (mtu.h).
 *   classify  tc classifier at the endpoint's HTB root: pair of addresses -> class; carries out the path's rules (rules.h), and
 *             drops what finds no room in its buffer. Where there is a lease, SSH, the mesh and what the user exempts pass unshaped, and everything
 *             once it has run out.
 *   arrive    tc classifier at the endpoint's ingress: notes for the delay line when a frame arrived, and makes the
 *             kernel forget it. What is held would otherwise keep the time of its arrival, and whoever asks the kernel
 *             for it (SO_TIMESTAMP: ping, NTP) would see half of a round trip. Answers to probes that `count` has noted keep
 *             it: there it is asked for. What arrives while nobody serves the queue
 *             passes by it.
 *   guard     tc classifier where the link of a lab's endpoint ends, in the namespace of its host: drops what has not passed
 *             `classify`. A packet socket with PACKET_QDISC_BYPASS, XDP and AF_XDP send without calling any qdisc or program
 *             at the endpoint.
 *
 * A pair that is no key of `classes` and whose addresses are not both in `parties` is not the topology's (control traffic,
 * other networks) and passes unshaped.
 */
#include "buffer.h"
#include "lanes.h"
#include "layout.h"
#include "maps.h"
#include "mtu.h"
#include "packet.h"
#include "passing.h"
#include "rules.h"
#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

/* An echo request with netfold's identifier: of netfold's own, by the priority of its socket, and not of an application's. */
static __always_inline void note_probe(struct __sk_buff *skb)
{
	struct probe probe;
	__u32 nothing = 0;

	if (read_probe(skb, ECHO_REQUEST, 0, &probe))
		bpf_map_update_elem(&probes, &probe, &nothing, BPF_ANY);
}

static __always_inline int is_probe_answer(struct __sk_buff *skb)
{
	struct probe probe;

	return read_probe(skb, ECHO_REPLY, 1, &probe) && bpf_map_lookup_elem(&probes, &probe);
}

static __always_inline int is_classified(struct __sk_buff *skb)
{
	return (skb->tc_index & ~NETFOLD_LANE_MASK) == NETFOLD_CLASSIFIED;
}

static __always_inline void add_to_rows(__u32 which, __u64 amount)
{
	__u64 *number = bpf_map_lookup_elem(&rows, &which);

	if (number)
		__sync_fetch_and_add(number, amount);
}

SEC("socket")
int count(struct __sk_buff *skb)
{
	struct usage first = {}, *sum;
	struct pair key;
	__u64 bytes = skb->len, packets = 1;

	if (skb->pkt_type != PACKET_OUTGOING)
		return 0;
	if (skb->priority == NETFOLD_PROBE_PRIORITY)
		note_probe(skb);
	if (!read_pair(skb, &key) || is_exempt(skb))
		return 0;
	if (is_classified(skb))
		key.lane = (skb->tc_index & NETFOLD_LANE_MASK) >> NETFOLD_LANE_SHIFT;
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
	int obeyed;

	skb->tc_index = NETFOLD_CLASSIFIED;
	if (!read_pair(skb, &key))
		return TC_ACT_UNSPEC;
	target = find_target(skb, &key);
	if (!target)
		return first_class(skb, &key);
	skb->tc_index = NETFOLD_CLASSIFIED | key.lane << NETFOLD_LANE_SHIFT;
	if (target->minor == NETFOLD_CLASS_PASS || passes_by(skb))
		return TC_ACT_UNSPEC;
	if (target->minor == NETFOLD_CLASS_DROP)
		return TC_ACT_SHOT;
	if (target->rules) {
		obeyed = obey(skb, target->rules - 1);
		if (obeyed == OBEYED_RESET)
			answer_reset(skb);
		if (obeyed == OBEYED_RESET || obeyed == OBEYED_DROP)
			return TC_ACT_SHOT;
		/* The buffer is of the rest; what is limited has a queue of its own. */
		if (obeyed != OBEYED_PASS) {
			skb->tc_classid = obeyed;
			return TC_ACT_OK;
		}
	}
	if (target->buffer && !fits_buffer(skb, target->buffer - 1))
		return TC_ACT_SHOT;
	skb->tc_classid = target->minor;
	return TC_ACT_OK;
}

/* Whether the pair's packets have something before them: a class, or nothing that they could reach. */
static __always_inline int is_shaped(struct pair *key, struct target *target)
{
	struct party *from, *to;

	if (target)
		return target->minor != NETFOLD_CLASS_PASS;
	from = bpf_map_lookup_elem(&parties, key->source);
	to = bpf_map_lookup_elem(&parties, key->destination);
	return from && to && (from->first != NETFOLD_CLASS_PASS || are_apart(from, to));
}

SEC("tc")
int detach(struct __sk_buff *skb)
{
	struct target *target;
	struct pair key;
	int verdict;

	/* A clone that comes by again. */
	if (skb->tc_index == NETFOLD_DETACHED)
		return TC_ACT_UNSPEC;
	/* HTB takes a priority that names it, or one of its classes, for the class, before it asks any filter (htb_classify,
	 * net/sched/sch_htb.c). */
	if (skb->priority >> 16 == NETFOLD_MAJOR)
		skb->priority = 0;
	take_tags(skb);
	if (!read_pair(skb, &key))
		return TC_ACT_UNSPEC;
	target = find_target(skb, &key);
	if (skb->tc_index == NETFOLD_FIRST_FRAGMENT)
		return target && target->mtu ? cut_first_fragment(skb, target->mtu) : TC_ACT_SHOT;
	/* What is passed on has no socket. */
	if (!skb->sk && !(target && target->mtu))
		return TC_ACT_UNSPEC;
	if (!is_shaped(&key, target) || passes_by(skb))
		return TC_ACT_UNSPEC;
	if (target && target->mtu && packet_bytes(skb) > target->mtu) {
		verdict = exceed_mtu(skb, target->mtu);
		if (verdict != TC_ACT_UNSPEC)
			return verdict;
	}
	if (!skb->sk)
		return TC_ACT_UNSPEC;
	/* There is no call that takes the socket from a packet; a clone has none. */
	skb->tc_index = NETFOLD_DETACHED;
	if (bpf_clone_redirect(skb, skb->ifindex, 0) < 0)
		return TC_ACT_UNSPEC;
	/* To the sender it is sent, whatever has become of the clone. */
	return TC_ACT_STOLEN;
}

SEC("tc")
int arrive(struct __sk_buff *skb)
{
	/* The rule that queues passes these by. */
	if (skb->tc_index == NETFOLD_ANSWER || passes_by(skb) || is_unattended()) {
		skb->priority = NETFOLD_UNGUARDED_PRIORITY;
		return TC_ACT_UNSPEC;
	}
	/* With no time set, the kernel takes the time at which the frame is read. */
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

	if (!dropped || is_classified(skb))
		return TC_ACT_UNSPEC;
	__sync_fetch_and_add(dropped, skb->gso_segs > 1 ? skb->gso_segs : 1);
	return TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "Apache-2.0";
