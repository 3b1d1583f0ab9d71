/* What the programs of netfold.bpf.c share with user space. agent/kernel/bpf-layout.ts states the same sizes and
 * offsets; test/unit/kernel/bpf-layout.test.ts compares it with the BTF of the built object. */
#ifndef NETFOLD_LAYOUT_H
#define NETFOLD_LAYOUT_H

#include <linux/types.h>

/* An ordered pair of addresses. IPv4 is written as ::ffff:a.b.c.d (RFC 4291, section 2.5.5.2), so that both families
 * are one key. */
struct pair {
	__u8 source[16];
	__u8 destination[16];
};

/* What went from source to destination since the object was loaded, in frames as the wire would carry them. */
struct usage {
	__u64 bytes;
	__u64 packets;
};

/* Value of the class map: the minor number of an HTB class, or "no path: drop". */
#define NETFOLD_CLASS_DROP 0xffffffffU

/* The delay line's program leaves in a packet's mark when it arrived: this bit, and the microseconds of the monotonic
 * clock modulo 2^31. The thread that holds the packet reads it and gives the mark back as it was. */
#define NETFOLD_ARRIVAL_MARK 0x80000000U

#endif
