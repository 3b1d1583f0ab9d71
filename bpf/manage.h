/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers that drop, or mark, before they are full: RED (Floyd and Jacobson, "Random Early Detection gateways for congestion
 * avoidance", 1993) and CoDel (RFC 8289), of the buffer that buffer.h keeps account of. */
#ifndef NETFOLD_MANAGE_H
#define NETFOLD_MANAGE_H

#include "maps.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define PASS 0
#define DROP 1
/* Parts of 1 in the idle packets' power. */
#define FACTOR_BITS 20
#define FRAME 1514

/* The average as if so many packets of 1 KiB had found the buffer empty, which is how long nothing came: the unit of `idle` is
 * 1/1024 bytes. */
static __always_inline __u64 after_silence(__u64 average, __u32 shift, __u64 idle)
{
	__u64 factor = (1ULL << FACTOR_BITS) - ((1ULL << FACTOR_BITS) >> (shift & 31));
	__u64 packets = idle >> 20;
	int i;

#pragma unroll
	for (i = 0; i < FACTOR_BITS; i++) {
		if (packets & 1)
			average = (average * factor) >> FACTOR_BITS;
		factor = (factor * factor) >> FACTOR_BITS;
		packets >>= 1;
	}
	return packets ? 0 : average;
}

/* Packets that are marked are evenly apart: the second method of section 5 of the paper. */
static __always_inline int red(struct manager *of, __u64 level, __u64 idle)
{
	__u32 shift = of->shift & 31;
	__u64 average = idle ? after_silence(of->average, shift, idle) : of->average;
	__u64 probability;

	if (level > average)
		average += (level - average) >> shift;
	else
		average -= (average - level) >> shift;
	of->average = average;
	average >>= 10;
	if (average < of->low) {
		of->state = 0;
		return PASS;
	}
	if (average >= of->high) {
		of->count = 0;
		return DROP;
	}
	if (!of->state) {
		of->state = 1;
		of->count = 0;
		of->chance = bpf_get_prandom_u32();
	}
	of->count++;
	probability = of->slope * (average - of->low) / (of->high - of->low);
	if (of->count * probability < of->chance)
		return PASS;
	of->count = 0;
	of->chance = bpf_get_prandom_u32();
	return DROP;
}

/* One step of Newton's for 1/sqrt(count), in 2^-32 (net/core of Linux: include/net/codel_impl.h). */
static __always_inline void next_root(struct manager *of)
{
	__u64 root = of->chance, square = (root * root) >> 32;
	__u64 value = (3ULL << 32) - of->count * square;

	value = ((value >> 2) * root) >> 31;
	of->chance = value > 0xffffffffULL ? 0xffffffffU : (__u32)value;
}

static __always_inline __u64 drop_after(struct manager *of, __u64 time)
{
	return time + ((of->high * of->chance) >> 32);
}

/* How long a packet will wait is known when it comes, so what is dropped is the last one and not the first. */
static __always_inline int codel(struct manager *of, __u64 level, __u64 drain, __u64 now)
{
	__u64 wait = (level << 20) / drain;
	__u32 grown;
	int is_late = 0;

	if (wait < of->low || level <= FRAME << 10)
		of->average = 0;
	else if (!of->average)
		of->average = now + of->high;
	else
		is_late = now >= of->average;
	if (!is_late) {
		of->state = 0;
		return PASS;
	}
	if (of->state) {
		if (now < of->next)
			return PASS;
		of->count++;
		next_root(of);
		of->next = drop_after(of, of->next);
		return DROP;
	}
	/* Soon after the last time, it goes on where it was. */
	grown = of->count - of->last;
	if (grown > 1 && (__s64)(now - of->next) < (__s64)(16 * of->high)) {
		of->count = grown;
		next_root(of);
	} else {
		of->count = 1;
		of->chance = 0xffffffffU;
	}
	of->last = of->count;
	of->next = drop_after(of, now);
	of->state = 1;
	return DROP;
}

/* Whether the manager of this row drops the packet. `level`: of the buffer before it; `idle`: what could have left it since it was
 * empty; both in 1/1024 bytes. */
static __always_inline int is_managed_away(struct __sk_buff *skb, __u32 row, __u64 level, __u64 idle, __u64 drain, __u64 now)
{
	struct manager *of = bpf_map_lookup_elem(&managers, &row);

	if (!of)
		return 0;
	if ((of->kind & ~NETFOLD_ECN) == NETFOLD_RED ? red(of, level, idle) == PASS : codel(of, level, drain, now) == PASS)
		return 0;
	if ((of->kind & NETFOLD_ECN) && bpf_skb_ecn_set_ce(skb) == 1) {
		of->marked++;
		return 0;
	}
	of->dropped++;
	return 1;
}

#endif
