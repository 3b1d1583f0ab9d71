/** The topologies of the traffic bench. */
import { bitsOf, millisToSend } from '../../proto/units.ts';
import { DATAGRAM_OVERHEAD } from '../../topology/model/traffic.ts';

export const SOURCES = 1000;
/** Of senders, and of receivers. */
const ENDPOINTS = 20;
/** Of each source: 12.5 frames of 1,000 bytes a second. */
export const STEADY_BPS = 100_000;
export const FRAME_BYTES = 1000;
const PAYLOAD = `${FRAME_BYTES - DATAGRAM_OVERHEAD}B`;
/** Before it, the agents have nothing to send: what they use then is not the traffic's. */
export const IDLE_SECONDS = 20;

/** A thousand sources, each with a row of its own. */
export function steadyText(): string {
  const entry = (index: number): string =>
    `  - { from: a.${index % ENDPOINTS}, to: b.${index % ENDPOINTS}, name: s${index}, rate: ${STEADY_BPS}bps, size: ${PAYLOAD}, start: ${IDLE_SECONDS}s }`;
  return [
    `services: { a: { replicas: ${ENDPOINTS} }, b: { replicas: ${ENDPOINTS} } }`,
    'bridges: [s]',
    'links:',
    '  - { from: a, to: s, bandwidth: 1Gbps }',
    '  - { from: b, to: s, bandwidth: 1Gbps }',
    'traffic:',
    ...Array.from({ length: SOURCES }, (_, index) => entry(index)),
    '',
  ].join('\n');
}

export const BURSTY = ['exponential', 'pareto'] as const;
/** Of each kind. */
export const EACH = 25;
/** Times of bursts and of pauses. */
export const MEAN_SECONDS = 1;
export const SHAPE = 1.5;
/** A datagram each 10 ms: one that is some milliseconds late is no pause. */
export const BURST_BPS = 800_000;
/** Between frames of a burst. */
export const INTERVAL_MS = millisToSend(bitsOf(FRAME_BYTES), BURST_BPS);

/** Bursty sources first, then as many at a constant rate. */
export function seededText(): string {
  const times = `on: ${MEAN_SECONDS}s, off: ${MEAN_SECONDS}s`;
  const bursty = BURSTY.map(
    (kind) =>
      `  - { from: a, to: b, name: ${kind}, kind: ${kind}, rate: ${BURST_BPS}bps, size: ${PAYLOAD}, ${times}, count: ${EACH}, seed: 7 }`,
  );
  return [
    'services: { a: {}, b: {} }',
    'links: [{ from: a, to: b, bandwidth: 1Gbps }]',
    'traffic:',
    ...bursty,
    `  - { from: a, to: b, name: constant, rate: ${STEADY_BPS}bps, size: ${PAYLOAD}, count: ${EACH * BURSTY.length} }`,
    '',
  ].join('\n');
}
