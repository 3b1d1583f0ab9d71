/** What runs during faults: flows of several hosts over one link, and a topology that changes all the time. */

export const HOSTS = 4;

/** Endpoints go to the hosts in turn: client.0 … client.3, server.0 … server.3, x.0, y.0. */
export const FAULTS_TOPOLOGY = `
services: { client: { replicas: 4 }, server: { replicas: 4 }, x: {}, y: {} }
bridges: [s1, s2]
links:
  - { from: client, to: s1, latency: 5ms, up: 6Mbps, down: 4Mbps }
  - { from: s1, to: s2, latency: 10ms, up: 8Mbps, down: 3Mbps }
  - { from: server, to: s2, latency: 5ms, bandwidth: 6Mbps }
  - { from: x, to: s1, latency: 2ms, bandwidth: 5Mbps }
  - { from: y, to: s2, latency: 3ms, bandwidth: 5Mbps }
events:
  - from 1s to 2h flap y--s2 every 2700ms
  - from 2s to 2h flap x--s1 every 3100ms
`;

/** What there is to be hit. */
export const SIZES = { hosts: HOSTS, endpoints: 10 } as const;

/** TCP without limit. */
export const GREEDY = [
  { from: 'client.0', to: 'server.1' },
  { from: 'client.1', to: 'server.2' },
] as const;

/** UDP at a steady rate. The flow of `x` stops and starts with the flap, and so does that of `y`. */
export const STEADY = [
  { from: 'client.2', to: 'server.3', payloadBytes: 600, perSecond: 200 },
  { from: 'client.3', to: 'server.0', payloadBytes: 900, perSecond: 120 },
  { from: 'server.1', to: 'client.3', payloadBytes: 700, perSecond: 150 },
  { from: 'x', to: 'y', payloadBytes: 500, perSecond: 150 },
] as const;

/** Commands that are valid at any time, in any order. */
export const COMMANDS = [
  'set s1--s2 up=7Mbps',
  'set s1--s2 up=8Mbps down=2Mbps',
  'set s1--s2 latency=25ms',
  'set client.0--s1 up=3Mbps',
  'set client.1--s1 latency=15ms',
  'set server.3--s2 bandwidth=1Mbps',
  'reset',
] as const;
