/** The layout of bpf/layout.h in TypeScript. test/unit/kernel/bpf-layout.test.ts compares it with the built object. */
export const PAIR = { size: 32, source: 0, destination: 16 } as const;
export const USAGE = { size: 16, bytes: 0, packets: 8 } as const;
export const TARGET = { size: 8, minor: 0, buffer: 4 } as const;
export const BUFFER = { size: 16, drain: 0, limit: 8 } as const;
export const BACKLOG = { size: 24, time: 0, level: 8, dropped: 16 } as const;
export const PARTY = { size: 16, island: 0, first: 4, sides: 8 } as const;
/** How many partitions the classifier knows the sides of. */
export const PARTITIONS = 8;
export const CLASS_DROP = 0xffffffff;
/** In a packet's mark: this bit, and the microseconds of the monotonic clock, modulo 2^31, at which it arrived. */
export const ARRIVAL_MARK = 0x80000000;
/** The priority that the arrival program gives to what must not be held, because the lease has run out. */
export const UNGUARDED_PRIORITY = 0x4e465547;
