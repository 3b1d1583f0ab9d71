/** Desired states of an interface, as an agent would compute them, from seeded randomness. */

import type { InterfaceState } from '../../agent/enforce/interface-state.ts';
import type { Destination } from '../../agent/enforce/path-class.ts';
import type { DelayBackend, ImpairedPath } from '../../agent/enforce/ports.ts';
import { impairment, packetImpairment } from '../../proto/impairment.ts';
import { bps, micros, ratio, UNLIMITED } from '../../proto/units.ts';
import type { Path } from '../../topology/model/model.ts';
import type { SeededRandom } from '../../topology/model/random.ts';
import { desiredInterface } from './desired-interface.ts';

export interface Wanted {
  readonly desired: InterfaceState;
  /** For a backend at the destination: paths to the interface. */
  readonly impaired: readonly ImpairedPath[];
}

export function pathWith(changes: Partial<Path> = {}): Path {
  return {
    from: 0,
    to: 1,
    ...impairment({}),
    hops: 1,
    links: [0],
    ...changes,
  };
}

/** The desired state of an interface for these destinations, each with the same path in both directions. */
export function wantedFor(destinations: readonly Destination[], backend: DelayBackend['name']): Wanted {
  const desired = desiredInterface(destinations, backend === 'netem' ? 'in-queues' : 'elsewhere');
  const impaired = destinations.flatMap(({ addresses, path }): ImpairedPath[] => {
    if (!path) return [];
    return [{ source: addresses, destination: [], ...packetImpairment(path) }];
  });
  return { desired, impaired };
}

/** A destination with `address`; it has 10.9.0.N and `fd09::N`. */
export function destinationTo(number: number, path: Path | undefined): Destination {
  return {
    number,
    addresses: [`10.9.0.${number + 1}`, `fd09::${(number + 1).toString(16)}`],
    path,
    rttMicros: micros(2 * (path?.latency ?? 0)),
    rateBps: path?.bandwidth ?? 0,
  };
}

const MAX_DESTINATIONS = 40;

export function arbitraryState(random: SeededRandom, backend: DelayBackend['name']): Wanted {
  const destinations: Destination[] = [];
  for (let number = 1; number <= MAX_DESTINATIONS; number++) {
    if (random.next() < 0.3) continue;
    destinations.push(destinationTo(number, random.next() < 0.1 ? undefined : arbitraryPath(random)));
  }
  return wantedFor(destinations, backend);
}

function arbitraryPath(random: SeededRandom): Path {
  return pathWith({
    ...impairment({
      latency: micros(random.below(3) * 7_500),
      jitter: micros(random.below(2) * 1_250),
      loss: ratio(random.below(4) === 0 ? 0.01 : 0),
      bandwidth: bps(random.below(5) === 0 ? UNLIMITED : 8e3 * 10 ** random.below(6)),
    }),
  });
}
