/** The latency that remains to be added if the real network has a latency of its own. Pure. */
import type { SlowPaths } from '../../proto/status.ts';
import { micros, toMillis } from '../../proto/units.ts';
import type { Path } from '../../topology/model/model.ts';
import type { Epoch } from '../epoch/epoch.ts';
import { roundTripMicros } from '../share/round-trip.ts';

/** How many of the paths that are too slow are named, the worst first. */
export const NAMED_PATHS = 20;
/** How many pairs are checked for them: 1 s of work. */
export const MOST_PAIRS = 100_000;

/**
 * The epoch with the latency that has to be added, for enforcement; shares are computed from the latency of the
 * topology. `realLatency`: endpoint → real latency between it and this host, µs. Paths must start or end on this host.
 */
export function addedLatency(epoch: Epoch, realLatency: Float64Array): Epoch {
  if (realLatency.every((latency) => latency === 0)) return epoch;
  const of = (number: number): number => realLatency[epoch.lanes.endpointOf(number)]!;
  const real = ({ from, to }: Path): number => of(from) || of(to);
  return {
    ...epoch,
    path: (from, to) => {
      const path = epoch.path(from, to);
      if (!path || real(path) === 0) return path;
      return { ...path, latency: micros(Math.max(0, path.latency - real(path))) };
    },
    // The total of both networks, which determines the length of queues.
    roundTripMicros: (path) => {
      const whole = ({ from, to }: Path): Path | undefined => {
        const asked = epoch.path(from, to);
        return asked && { ...asked, latency: micros(Math.max(asked.latency, real(asked))) };
      };
      const back = epoch.path(path.to, path.from);
      return roundTripMicros(whole(path) ?? path, back && whole(back));
    },
  };
}

/** Paths from endpoints of this host (`local`) on which the real network is slower than the topology asks for. */
export function slowPaths(epoch: Epoch, realLatency: Float64Array, local: readonly number[]): SlowPaths {
  const { endpoints } = epoch.graph;
  const far = [...realLatency.keys()].filter((endpoint) => realLatency[endpoint]! > 0);
  const slow: SlowPaths['worst'][number][] = [];
  let pairs = 0;
  for (const from of local) {
    for (const to of far) {
      if (pairs++ >= MOST_PAIRS) break;
      const path = epoch.path(from, to);
      const by = path ? realLatency[to]! - path.latency : 0;
      if (!path || by <= 0) continue;
      const latencyMs = toMillis(path.latency);
      const realMs = toMillis(micros(realLatency[to]!));
      slow.push({
        from: endpoints[from]!,
        to: endpoints[to]!,
        latencyMs,
        realMs,
        byMs: toMillis(micros(by)),
      });
    }
  }
  slow.sort((a, b) => b.byMs - a.byMs);
  return { count: slow.length, worst: slow.slice(0, NAMED_PATHS) };
}
