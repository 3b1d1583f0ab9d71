/* SPDX-License-Identifier: Apache-2.0 */
/* The buffer in front of a path. */
#ifndef NETFOLD_BUFFER_H
#define NETFOLD_BUFFER_H

#include "manage.h"
#include "maps.h"

/* Takes the packet into the buffer of this row; 0 where it finds no room. HTB calls under the lock of its qdisc, so no
 * two packets of one interface meet here. */
static __always_inline int fits_buffer(struct __sk_buff *skb, __u32 row)
{
	struct buffer *buffer = bpf_map_lookup_elem(&buffers, &row);
	struct backlog *backlog = bpf_map_lookup_elem(&backlogs, &row);
	__u64 now, elapsed, drained, idle, bytes;

	if (!buffer || !backlog || !buffer->drain)
		return 1;
	now = bpf_ktime_get_ns();
	elapsed = now - backlog->time;
	/* Apart from each other, so that a long pause at 100 Gb/s doesn't overflow. */
	drained = ((elapsed >> 30) * buffer->drain << 10) + (((elapsed & 0x3fffffff) * buffer->drain) >> 20);
	backlog->time = now;
	idle = drained > backlog->level ? drained - backlog->level : 0;
	backlog->level = drained < backlog->level ? backlog->level - drained : 0;
	/* As tc counts: with the headers of every frame that a GSO packet becomes. Where there is an overhead, none has several. */
	bytes = (__u64)skb->wire_len + buffer->overhead;
	if (buffer->cells)
		bytes = (bytes + 47) / 48 * 53;
	if ((backlog->level >> 10) + bytes > buffer->limit ||
	    is_managed_away(skb, row, backlog->level, idle, buffer->drain, now)) {
		backlog->dropped += skb->gso_segs > 1 ? skb->gso_segs : 1;
		return 0;
	}
	backlog->level += bytes << 10;
	return 1;
}

#endif
