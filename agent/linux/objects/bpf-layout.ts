/** The layout of bpf/layout.h in TypeScript. test/unit/kernel/bpf-layout.test.ts compares it with the built object. */
export const PAIR = { size: 36, source: 0, destination: 16, lane: 32 } as const;
export const USAGE = { size: 16, bytes: 0, packets: 8 } as const;
/** Entries of the map `rows`. */
export const ROWS = { made: 0, lacked: 1 } as const;
/** Entries of the map `attended`. */
export const ATTENDED = { until: 0, passed: 1 } as const;
export const TARGET = { size: 20, minor: 0, buffer: 4, mtu: 8, rules: 12, lanes: 16 } as const;
export const BUFFER = { size: 24, drain: 0, limit: 8, overhead: 16, cells: 20 } as const;
export const BACKLOG = { size: 24, time: 0, level: 8, dropped: 16 } as const;
export const MANAGER = {
  ...{ size: 80, kind: 0, shift: 4, low: 8, high: 16, slope: 24, average: 32, next: 40 },
  ...{ count: 48, last: 52, chance: 56, state: 60, marked: 64, dropped: 72 },
} as const;
/** Kinds of managers, and the bit of those that mark. */
export const MANAGERS = { red: 1, codel: 2, ecn: 0x100 } as const;
export const SELECTOR = {
  ...{ size: 8, protocol: 0, protocol_mask: 1, dscp: 2, dscp_mask: 3, traits: 4, unused: 5, port: 6 },
} as const;
export const RULE = {
  ...{ size: 64, action: 0, except: 4, number: 8, selector: 16, matched: 48, applied: 56 },
} as const;
export const RULES = { size: 520, count: 0, unused: 4, rule: 8 } as const;
/** What a rule does, and what a selector asks of a packet besides fields. */
export const RULE_ACTIONS = { drop: 1, chance: 2, nth: 3, every: 4, reset: 5, delay: 6, limit: 7 } as const;
export const TRAITS = { syn: 1, icmp: 2, none: 0x80 } as const;
export const PARTY = { size: 16, island: 0, first: 4, sides: 8 } as const;
/** The number of concurrent partitions for which the classifier knows the groups. */
export const PARTITIONS = 8;
export const EXEMPTIONS = { size: 584, ports: 0, networks: 4, port: 8, network: 72 } as const;
export const EXEMPT_PORT = { size: 4, port: 0, protocol: 2 } as const;
export const EXEMPT_NETWORK = { size: 32, address: 0, mask: 16 } as const;
export const PROBE = { size: 12, asking: 0, asked: 4, token: 8 } as const;
/** The priority of sockets that send probes, which the counting program knows them by. Others need CAP_NET_ADMIN for it. */
export const PROBE_PRIORITY = 0x6e660000;
export const CLASS_DROP = 0xffffffff;
/** Set in a packet's mark together with its arrival time: microseconds of the monotonic clock, modulo 2^31. */
export const ARRIVAL_MARK = 0x80000000;
/** The packet priority that the arrival program sets once the lease has expired, or nobody serves the queues: such packets must not be held. */
export const UNGUARDED_PRIORITY = 0x4e465547;
