/** Places of nodes by their coordinates, in Mercator's projection. Pure. */
import type { Network } from '../data/network.ts';
import type { Point } from './layout.ts';

/** Units of the layout that the longer side of the map has. */
const SIDE = 1000;
/** Around a place where several are. */
const RING = 45;
/** Beyond it the projection leads nowhere. */
const MOST_LATITUDE = 85;

export type Arrangement = 'map' | 'links';

/** A map, if the file says where all are. */
export function arrangementOf({ nodes }: Pick<Network, 'nodes'>): Arrangement {
  const isPlaced = nodes.size > 0 && [...nodes.values()].every(({ location }) => location);
  return isPlaced ? 'map' : 'links';
}

/** Of those nodes that have coordinates. */
export function onMap({ nodes }: Pick<Network, 'nodes'>): Map<string, Point> {
  const placed = [...nodes.values()].flatMap(({ name, location }) =>
    location ? [{ name, ...projected(location) }] : [],
  );
  const xs = placed.map(({ x }) => x);
  const ys = placed.map(({ y }) => y);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const scale = SIDE / (Math.max(Math.max(...xs) - left, Math.max(...ys) - top) || 1);
  const crowds = new Map<string, string[]>();
  const places = new Map<string, Point>();
  for (const { name, x, y } of placed) {
    const key = `${x} ${y}`;
    crowds.set(key, [...(crowds.get(key) ?? []), name]);
    places.set(name, { x: (x - left) * scale, y: (y - top) * scale });
  }
  for (const names of crowds.values()) if (names.length > 1) spread(names, places);
  return places;
}

function projected([latitude, longitude]: readonly [number, number]): Point {
  const bounded = Math.min(MOST_LATITUDE, Math.max(-MOST_LATITUDE, latitude));
  const angle = (bounded * Math.PI) / 180;
  return { x: (longitude * Math.PI) / 180, y: -Math.log(Math.tan(Math.PI / 4 + angle / 2)) };
}

/** Those that are at one place stand in a ring. */
function spread(names: readonly string[], places: Map<string, Point>): void {
  const radius = Math.max(RING, (RING * names.length) / (2 * Math.PI));
  for (const [index, name] of names.entries()) {
    const { x, y } = places.get(name)!;
    const angle = (2 * Math.PI * index) / names.length;
    places.set(name, { x: x + radius * Math.cos(angle), y: y + radius * Math.sin(angle) });
  }
}
