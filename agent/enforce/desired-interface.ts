/** Folded paths and shares → the desired state of one endpoint's interface. Pure. */
import type { Path } from '../../topology/model.ts';
import { burstBytes, gsoSegments, leafQueue, MAX_GSO_SEGMENTS } from './derive.ts';
import { type InterfaceState, NO_PATH, type ShapedClass } from './interface-state.ts';

/** A destination as seen from the interface's endpoint. */
export interface Destination {
  readonly number: number;
  readonly addresses: readonly string[];
  /** Absent: the topology has no path. */
  readonly path: Path | undefined;
  /** Latency there and back, for the queue. */
  readonly rttMicros: number;
  /** What the path may carry now: its bandwidth, or its share of contended links. */
  readonly rateBps: number;
}

/** Destinations without any bandwidth limit get no class: they pass HTB directly. */
export function desiredInterface(destinations: Iterable<Destination>): InterfaceState {
  const known = [...destinations];
  const slowest = Math.min(...known.map(({ path }) => path?.bandwidth ?? Number.POSITIVE_INFINITY));
  const segments = Number.isFinite(slowest) ? gsoSegments(slowest / 8) : MAX_GSO_SEGMENTS;
  const classes = new Map<number, ShapedClass>();
  const targets = new Map<string, number>();
  for (const destination of known) {
    const { path } = destination;
    if (path && !Number.isFinite(path.bandwidth)) continue;
    const shaped = path && shapedClass(destination, path, segments);
    if (shaped) classes.set(shaped.minor, shaped);
    for (const address of destination.addresses) targets.set(address, shaped?.minor ?? NO_PATH);
  }
  return { foreignRoot: undefined, classifier: true, gsoSegments: segments, classes, targets };
}

function shapedClass(destination: Destination, path: Path, segments: number): ShapedClass {
  const bytesPerSecond = toBytesPerSecond(destination.rateBps);
  return {
    minor: destination.number + 1,
    bytesPerSecond,
    burstBytes: burstBytes(bytesPerSecond),
    // From the path's own bandwidth: a share changes many times a second, a router's buffer doesn't.
    queue: leafQueue(path.bandwidth / 8, destination.rttMicros, segments, path.queuePackets),
  };
}

/** tc knows whole bytes per second, at least one. */
export function toBytesPerSecond(bps: number): number {
  return Math.max(1, Math.floor(bps / 8));
}
