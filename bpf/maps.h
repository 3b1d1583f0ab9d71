/* SPDX-License-Identifier: Apache-2.0 */
/* The maps of netfold's programs (netfold.bpf.c). */
#ifndef NETFOLD_MAPS_H
#define NETFOLD_MAPS_H

#include "layout.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* The loader sets max_entries of all but `rows`, `seeds`, the lease, `exemptions`, `attended` and `probes`. */
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

/* Of the hash that chooses between the paths of a pair: the same on all hosts of an experiment. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} seeds SEC(".maps");

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

/* Rows of `buffers` that are managed. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct manager);
} managers SEC(".maps");

/* Of paths that have some. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct rules);
} rules SEC(".maps");

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

/* Probes that have left, the latest. The value says nothing. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct probe);
	__type(value, __u32);
} probes SEC(".maps");

/* Interfaces at which `guard` drops, and how many frames it has dropped there. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} strays SEC(".maps");

#endif
