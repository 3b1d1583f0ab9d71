/** Topologies with many events: 200 of all kinds in 10 s, and one link that flaps. */
import { millisToSeconds, secondsToMillis } from '../../proto/units.ts';
import { SeededRandom } from '../../topology/model/random.ts';

const ENDPOINTS = 20;
const BRIDGES = 4;
/** Events of each of four kinds. */
const OF_A_KIND = 50;
const BEGIN_MS = 2000;
const WINDOW_MS = 10_000;
/** When `manyEvents` and `flapping` end, in seconds. */
export const MANY_END = millisToSeconds(BEGIN_MS + WINDOW_MS);

/** Endpoints on four bridges in a ring, with some TCP flows, so that shares change as well. */
const NETWORK = `services:
  node: { replicas: ${ENDPOINTS}, cap_add: [NET_ADMIN], run: "iperf3 -s >/dev/null" }
bridges: [s0, s1, s2, s3]
links:
${Array.from({ length: ENDPOINTS }, (_, i) => `  - { from: node.${i}, to: s${i % BRIDGES}, latency: ${1 + (i % 7)}ms, up: ${20 + i}Mbps, down: 50Mbps }`).join('\n')}
  - { from: s0, to: s1, latency: 5ms, bandwidth: 60Mbps }
  - { from: s1, to: s2, latency: 6ms, bandwidth: 50Mbps }
  - { from: s2, to: s3, latency: 7ms, bandwidth: 40Mbps }
  - { from: s3, to: s0, latency: 8ms, bandwidth: 70Mbps }
events:
${[0, 1, 2, 3].map((i) => `  - at 1s run node.${i} "iperf3 -C cubic -t 600 -c node.${i + 6} >/dev/null"`).join('\n')}
`;

/**
 * 200 events between 2 s and 12 s: changes of access links, changes of ring links, disconnects with their reconnects,
 * and a ring link that flaps. The instants are random but always the same; some coincide.
 */
export function manyEvents(): string {
  const random = new SeededRandom(4);
  const lines: string[] = [];
  const drawn = (most: number): number => random.below(most);
  for (let index = 0; index < OF_A_KIND; index++) {
    const at = (): string => `at ${BEGIN_MS + drawn(WINDOW_MS - 1000)}ms`;
    const node = drawn(ENDPOINTS);
    lines.push(`${at()} set node.${node}--s${node % BRIDGES} latency=${1 + drawn(20)}ms`);
    const from = drawn(BRIDGES);
    lines.push(`${at()} set s${from}--s${(from + 1) % BRIDGES} bandwidth=${30 + drawn(50)}Mbps`);
  }
  // Each is cut for half of its slot, so that none is cut twice.
  const slot = WINDOW_MS / OF_A_KIND;
  for (let index = 0; index < OF_A_KIND / 2; index++) {
    const at = BEGIN_MS + 2 * index * slot + drawn(slot);
    const node = 10 + drawn(ENDPOINTS - 10);
    lines.push(`at ${at}ms disconnect node.${node}`, `at ${at + slot}ms reconnect node.${node}`);
  }
  lines.push(`from ${BEGIN_MS}ms to ${BEGIN_MS + WINDOW_MS - slot / 2}ms flap s1--s2 every ${slot}ms`);
  return NETWORK + lines.map((line) => `  - ${line}\n`).join('');
}

/** One link that flaps every 100 ms for `seconds`, from 2 s on. */
export function flapping(seconds: number): string {
  return `${NETWORK}  - from ${BEGIN_MS}ms to ${BEGIN_MS + secondsToMillis(seconds)}ms flap s1--s2 every 100ms\n`;
}
