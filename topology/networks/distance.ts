/** Latency from the distance of two places, where a file says where nodes are and not how long packets take. */
import { MAX_LATENCY, type Micros, micros } from '../../proto/units.ts';

/** Degrees. */
export interface Coordinates {
  readonly latitude: number;
  readonly longitude: number;
}

/** Mean radius (IUGG): a sphere is some tenths of a percent off the ellipsoid. */
const EARTH_RADIUS_KM = 6371.009;
/** Of a fibre, with its equipment: ITU-T G.114, table A.1. Light alone takes 4.9. */
export const FIBRE_MICROS_PER_KM = 5;

const inRadians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Of the great circle (haversine). */
export function distanceKm(a: Coordinates, b: Coordinates): number {
  const [north, south] = [inRadians(a.latitude), inRadians(b.latitude)];
  const half = (difference: number): number => Math.sin(inRadians(difference) / 2) ** 2;
  const chord =
    half(b.latitude - a.latitude) + Math.cos(north) * Math.cos(south) * half(b.longitude - a.longitude);
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.sqrt(Math.min(1, chord)));
}

/**
 * How long a cable is that joins places so far apart, in km: ITU-T G.826, annex A. 1.5 times the distance up to 1,000 km,
 * 1.25 times from 1,200 km on, 1,500 km between.
 */
export function routeKm(distance: number): number {
  if (distance <= 1000) return 1.5 * distance;
  return distance < 1200 ? 1500 : 1.25 * distance;
}

/** One way, over a cable between places so far apart (km); whole microseconds. */
export function latencyOfDistance(distance: number): Micros {
  return micros(Math.min(MAX_LATENCY, Math.round(routeKm(distance) * FIBRE_MICROS_PER_KM)));
}

/** The same where the length of the cable is `factor` times the distance. */
export function latencyOfCable(distance: number, factor: number): Micros {
  return micros(Math.min(MAX_LATENCY, Math.round(distance * factor * FIBRE_MICROS_PER_KM)));
}
