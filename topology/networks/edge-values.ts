/** The attributes of an edge → latency, jitter, loss and bandwidth; what is guessed is told. */
import { type Impairment, impairment } from '../../proto/impairment.ts';
import {
  type Bps,
  formatBps,
  formatMicros,
  fromMillis,
  type Micros,
  micros,
  type Ratio,
} from '../../proto/units.ts';
import { type Findings, quote } from '../model/diagnostics.ts';
import { distanceKm, latencyOfDistance } from './distance.ts';
import type { NetworkEdge } from './network.ts';
import { assumeUnit, fitRate, type NodeValues, unreadableRate } from './node-values.ts';
import type { Notes } from './notes.ts';
import { readFraction, readNumber, readRate, readTime, type TimeUnit } from './spellings.ts';
import { type EdgeMeaning, edgeMeaning } from './vocabulary.ts';

/** Of an edge of which nothing says how long packets take: some 130 km of cable between places. */
export const ASSUMED_LATENCY: Micros = fromMillis(1);
/** Half of the earth's circumference, with what cables take more. */
const MAX_KM = 50_000;
/** Of the great circle; coordinates are rounded. */
const LEAST_OF_DISTANCE = 0.9;

type Ends = readonly [NodeValues, NodeValues];

interface Found {
  latency?: Micros;
  jitter?: Micros;
  loss?: Ratio;
  bandwidth?: Bps;
  /** In km. */
  distance?: number;
  speed?: string;
  speedUnit?: string;
  label?: string;
}

export class EdgeReader {
  readonly #findings: Findings;
  readonly #notes: Notes;
  readonly #tellsOfNoRate: boolean;

  /** `tellsOfNoRate`: whether an edge without a bandwidth lacks something; in some formats edges have none. */
  constructor(findings: Findings, notes: Notes, tellsOfNoRate: boolean) {
    this.#findings = findings;
    this.#notes = notes;
    this.#tellsOfNoRate = tellsOfNoRate;
  }

  /** What it can't read is in the findings. */
  read(edge: NetworkEdge, ends: Ends): Impairment {
    const found: Found = {};
    for (const [key, text] of edge.attributes) {
      if (text.trim() === '') continue;
      const meaning = edgeMeaning(key);
      if (meaning) this.#readOne(key, text, meaning, edge, found);
      else this.#notes.drop(key, 'edge', edge.place, edge.field);
    }
    const { jitter, loss } = found;
    const bandwidth = found.bandwidth ?? this.#guessRate(found, edge);
    const whole = found.latency ?? this.#guessLatency(found, edge, ends);
    const latency = edge.isLeg ? micros(Math.round(whole / 2)) : whole;
    return impairment({ latency, jitter, loss, bandwidth });
  }

  #readOne(key: string, text: string, meaning: EdgeMeaning, edge: NetworkEdge, found: Found): void {
    switch (meaning.what) {
      case 'latency':
      case 'jitter': {
        const value = this.#time(key, text, meaning, edge);
        if (value !== undefined) found[meaning.what] ??= value;
        return;
      }
      case 'loss': {
        const value = readFraction(text);
        if (value !== undefined) found.loss ??= value;
        else this.#refuse(edge, `${key} ${quote(text)} is no probability`, 'write e.g. 0.01 or 1%');
        return;
      }
      case 'bandwidth': {
        const read = readRate(text, meaning.bare);
        if (!read) {
          unreadableRate(key, text, edge.place, edge.field, this.#notes);
          return;
        }
        if (read.isBare && !meaning.isSaid)
          assumeUnit(key, text, 'bit/s', edge.place, edge.field, this.#notes);
        found.bandwidth ??= fitRate(read.value, edge.place, edge.field, this.#notes);
        return;
      }
      case 'distance':
        this.#distance(key, text, meaning.isSaid, edge, found);
        return;
      case 'speed':
      case 'speedUnit':
      case 'label':
        found[meaning.what] ??= text.trim();
        return;
      case 'identity':
    }
  }

  #time(
    key: string,
    text: string,
    { bare, isSaid }: { bare: TimeUnit; isSaid: boolean },
    edge: NetworkEdge,
  ): Micros | undefined {
    const read = readTime(text, bare);
    if (!read) {
      this.#refuse(edge, `${key} ${quote(text)} is no time from 0 to 10 minutes`, 'write e.g. 10 ms');
      return undefined;
    }
    if (read.isBare && !isSaid) assumeUnit(key, text, 'milliseconds', edge.place, edge.field, this.#notes);
    if (read.isRounded)
      this.#notes.tell(
        { code: 'UNIT', what: 'times that are rounded', shown: 1 },
        edge.place,
        edge.field,
        `${key} ${quote(text)} is rounded to whole microseconds`,
        '',
      );
    return read.value;
  }

  #distance(key: string, text: string, isSaid: boolean, edge: NetworkEdge, found: Found): void {
    const value = readNumber(text);
    if (value !== undefined && value >= 0 && value <= MAX_KM) {
      if (!isSaid) assumeUnit(key, text, 'kilometres', edge.place, edge.field, this.#notes);
      found.distance ??= value;
      return;
    }
    this.#notes.tell(
      { code: 'VALUE_INVALID', what: `distances in ${quote(key)} that are none` },
      edge.place,
      edge.field,
      `${key} ${quote(text)} is no distance on earth in kilometres, and is left out`,
      '',
    );
  }

  #guessLatency({ distance: given }: Found, edge: NetworkEdge, [from, to]: Ends): Micros {
    const isBetweenPlaces = from.coordinates !== undefined && to.coordinates !== undefined;
    const apart = isBetweenPlaces ? distanceKm(from.coordinates, to.coordinates) : undefined;
    const distance = this.#possible(given, apart, edge);
    const km = distance ?? apart;
    const latency = km === undefined ? ASSUMED_LATENCY : latencyOfDistance(km);
    const [what, why] =
      km === undefined
        ? [
            'no latency, distance or coordinates',
            'neither a latency nor a distance nor both places are given',
          ]
        : distance === undefined
          ? ['latencies from coordinates', `the places are ${Math.round(km)} km apart`]
          : ['latencies from distances', `the distance is ${Math.round(km)} km`];
    this.#notes.tell(
      { code: 'LATENCY_ASSUMED', what, ...(km !== undefined && { shown: 1 }) },
      edge.place,
      edge.field,
      `${why}: the latency is ${formatMicros(latency)}${edge.isLeg ? ', of which each node has half' : ''}`,
      'convert the file and write the latency there, if you know it',
    );
    return latency;
  }

  /** No cable is shorter than the way between its ends: such a distance is in another unit, or of something else. */
  #possible(distance: number | undefined, apart: number | undefined, edge: NetworkEdge): number | undefined {
    if (distance === undefined || apart === undefined || distance >= LEAST_OF_DISTANCE * apart)
      return distance;
    this.#notes.tell(
      { code: 'VALUE_INVALID', what: 'distances that are too short' },
      edge.place,
      edge.field,
      `the distance of ${distance} km is left out, since the places are ${Math.round(apart)} km apart`,
      'name the attribute otherwise if it is no distance',
    );
    return undefined;
  }

  /** From texts for people: `10`, `G`; `10 Gbps leased`. */
  #guessRate({ speed, speedUnit, label }: Found, edge: NetworkEdge): Bps | undefined {
    const { place, field } = edge;
    const spoken = speed && `${speed}${/[A-Za-z]\s*$/.test(speed) ? '' : ` ${speedUnit ?? ''}`}`.trim();
    const rate = spoken ? readRate(spoken) : undefined;
    // A bare number is no rate but a name.
    const labelled = label ? readRate(firstQuantity(label)) : undefined;
    const read = rate && !rate.isBare ? rate : labelled && !labelled.isBare ? labelled : undefined;
    const value = read && fitRate(read.value, place, field, this.#notes);
    if (read && value !== undefined) {
      this.#notes.tell(
        { code: 'BANDWIDTH_ASSUMED', what: 'bandwidths from texts' },
        place,
        field,
        `${quote(read === rate ? spoken : label)} counts as a bandwidth of ${formatBps(value)}`,
        '',
      );
      return value;
    }
    if (this.#tellsOfNoRate)
      this.#notes.tell(
        { code: 'BANDWIDTH_ASSUMED', what: 'no bandwidth', shown: 1 },
        place,
        field,
        'no bandwidth is given: there is no limit',
        'convert the file and write the bandwidth there, if you know it',
      );
    return undefined;
  }

  #refuse(edge: NetworkEdge, message: string, remedy: string): void {
    this.#findings.error('UNIT', edge.place, edge.field, message, remedy);
  }
}

/** The number with its unit at the beginning of a text; a unit has no blank in it. */
function firstQuantity(text: string): string {
  return /^[\d.]{1,20}\s?[A-Za-z/]{1,12}/.exec(text)?.[0] ?? '';
}
