/** `defaults`, `profiles` and `profile`, and the latency that coordinates give: what an entry has besides what it says itself. */
import { formatMicros } from '../../../../proto/units.ts';
import { type Findings, quote } from '../../../model/diagnostics.ts';
import { Suggestions } from '../../../model/names.ts';
import {
  type Coordinates,
  distanceKm,
  latencyOfCable,
  latencyOfDistance,
} from '../../../networks/distance.ts';
import {
  asMapping,
  below,
  fieldOf,
  keyPlaceOf,
  type Origin,
  type Origins,
  placeOf,
  type Source,
} from './origins.ts';
import { PROFILES } from './profiles.ts';
import type { Scope } from './variables.ts';

type Mapping = Readonly<Record<string, unknown>>;
interface Field {
  readonly value: unknown;
  readonly origin: Origin;
}
type Fields = ReadonlyMap<string, Field>;

/** The keys of each kind of entry, for suggestions. */
export interface Keys {
  readonly link: readonly string[];
  readonly service: readonly string[];
}

/** An entry, and where those of its fields stand that others gave it. */
export interface Entry {
  readonly fields: Mapping;
  readonly origins: ReadonlyMap<string, Origin>;
}

/** Of a link with ends of its own, nothing can be the default. */
const NO_DEFAULTS = ['from', 'to', 'name', 'profile'];
const RATES = ['bandwidth', 'up', 'down'];

export class Settings {
  readonly #findings: Findings;
  readonly #keys: Keys;
  readonly #defaults = { link: new Map<string, Field>(), service: new Map<string, Field>() };
  readonly #profiles = new Map<string, Fields>();
  readonly #suggestions = new Suggestions();
  readonly #locations = new Map<string, Coordinates>();
  #factor: number | undefined;

  constructor(keys: Keys, findings: Findings) {
    this.#keys = keys;
    this.#findings = findings;
  }

  /** Those of one file; what another has, too, the later one says. */
  declare(source: Source): void {
    const file = asMapping(source.value) ?? {};
    this.#declareDefaults(file.defaults, { source, path: ['defaults'] });
    this.#declareProfiles(file.profiles, { source, path: ['profiles'] });
    this.#declareDistance(file.distance, { source, path: ['distance'] });
  }

  #declareDefaults(written: unknown, origin: Origin): void {
    const defaults = this.#mapping(written, origin, 'defaults: { link: { bandwidth: 1Gbps } }');
    for (const [kind, value] of Object.entries(defaults)) {
      if (kind !== 'link' && kind !== 'service') {
        this.#unknown(kind, below(origin, kind), ['link', 'service']);
        continue;
      }
      const fields = this.#fields(value, below(origin, kind), this.#keys[kind]);
      for (const [key, field] of fields) this.#defaults[kind].set(key, field);
    }
  }

  #declareProfiles(written: unknown, origin: Origin): void {
    const profiles = this.#mapping(written, origin, 'profiles: { office: { latency: 2ms } }');
    for (const [name, value] of Object.entries(profiles))
      this.#profiles.set(name, this.#fields(value, below(origin, name), this.#keys.link));
  }

  #fields(written: unknown, origin: Origin, keys: readonly string[]): Map<string, Field> {
    const allowed = keys.filter((key) => !NO_DEFAULTS.includes(key));
    const found = new Map<string, Field>();
    for (const [key, value] of Object.entries(this.#mapping(written, origin, '{ latency: 2ms }'))) {
      if (allowed.includes(key)) found.set(key, { value, origin: below(origin, key) });
      else this.#unknown(key, below(origin, key), allowed);
    }
    return found;
  }

  #declareDistance(written: unknown, origin: Origin): void {
    const distance = this.#mapping(written, origin, 'distance: { factor: 1.4 }');
    for (const [key, value] of Object.entries(distance)) {
      if (key !== 'factor') this.#unknown(key, below(origin, key), ['factor']);
      else if (typeof value === 'number' && value >= 1 && value <= 100) this.#factor = value;
      else
        this.#refuse(
          below(origin, key),
          `${quote(value)} is no factor`,
          'write how many times the distance a cable is long, from 1 on, e.g. 1.4',
        );
    }
  }

  /** A service with its defaults; its `location` is noted. */
  service(name: string, written: Mapping, origin: Origin, scope: Scope): Entry {
    const fields = { ...written };
    const origins = new Map<string, Origin>();
    this.#add(this.#defaults.service, fields, origins);
    return { fields: this.located(name, fields, origin, scope), origins };
  }

  /** With its `location` as numbers, which is noted: links take their latency from it. */
  located(name: string, { location, ...rest }: Mapping, origin: Origin, scope: Scope): Mapping {
    if (location === undefined || location === null) return rest;
    const at = below(origin, 'location');
    const value = scope.value(location, at, 'strict');
    const parts: readonly unknown[] = Array.isArray(value) ? value : [];
    const [latitude, longitude] = parts.map((part) => (part === '' ? Number.NaN : Number(part)));
    const isPlace =
      parts.length === 2 &&
      Math.abs(latitude ?? Number.NaN) <= 90 &&
      Math.abs(longitude ?? Number.NaN) <= 180;
    if (!isPlace) {
      this.#refuse(
        at,
        'this is no place',
        'write latitude and longitude in degrees, e.g. location: [46.95, 7.45]',
      );
      return rest;
    }
    this.#locations.set(name, { latitude: latitude!, longitude: longitude! });
    return { ...rest, location: [latitude, longitude] };
  }

  /** A link between nodes of these names, with what its profile, the places of its ends and the defaults give. */
  link(written: Mapping, origin: Origin, scope: Scope, ends: readonly [string, string]): Entry {
    const { profile, ...fields } = written;
    const origins = new Map<string, Origin>();
    if (profile !== undefined && profile !== null)
      this.#add(this.#profile(profile, below(origin, 'profile'), scope), fields, origins);
    const latency = this.#latencyBetween(ends);
    if (latency !== undefined) {
      const field = { value: latency, origin: below(origin, 'latency') };
      this.#add(new Map([['latency', field]]), fields, origins);
    }
    this.#add(this.#defaults.link, fields, origins);
    return { fields, origins };
  }

  #profile(written: unknown, origin: Origin, scope: Scope): Fields {
    const name = typeof written === 'string' ? scope.text(written, origin, 'strict') : String(written);
    const own = this.#profiles.get(name);
    if (own) return own;
    if (Object.hasOwn(PROFILES, name))
      return new Map(
        Object.entries(PROFILES[name]!.fields).map(([key, value]) => [key, { value, origin }] as const),
      );
    const names = [...this.#profiles.keys(), ...Object.keys(PROFILES)];
    const remedy = this.#suggestions.of(name, () => names, `profiles: ${names.slice(0, 20).join(', ')}`);
    this.#findings.error(
      'PROFILE_UNKNOWN',
      placeOf(origin),
      fieldOf(origin),
      `there is no profile ${quote(name)}`,
      remedy,
    );
    return new Map();
  }

  #latencyBetween([from, to]: readonly [string, string]): string | undefined {
    const [a, b] = [this.#locations.get(from), this.#locations.get(to)];
    if (!a || !b) return undefined;
    const km = distanceKm(a, b);
    return formatMicros(
      this.#factor === undefined ? latencyOfDistance(km) : latencyOfCable(km, this.#factor),
    );
  }

  /** What `fields` does not say. A rate that it says for one direction leaves the other one open. */
  #add(more: Fields, fields: Record<string, unknown>, origins: Map<string, Origin>): void {
    const set = (key: string, { value, origin }: Field): void => {
      fields[key] = value;
      origins.set(key, origin);
    };
    const isOneWay = fields.oneway === true || fields.oneway === 'true';
    const has = (key: string): boolean => Object.hasOwn(fields, key);
    // A direction of which other things are said has no rate by that.
    const saysRate = (key: string): boolean =>
      Object.hasOwn(asMapping(fields[key]) ?? { bandwidth: 0 }, 'bandwidth');
    const given = {
      up: has('up') && saysRate('up'),
      down: has('down') && saysRate('down'),
      bandwidth: has('bandwidth'),
    };
    const setRate = (key: string, field: Field): void => {
      if (!has(key)) set(key, field);
      else fields[key] = { bandwidth: field.value, ...asMapping(fields[key]) };
    };
    for (const [key, field] of more) {
      if (!RATES.includes(key)) {
        if (!has(key)) set(key, field);
      } else if (given.bandwidth || (isOneWay && key === 'down')) continue;
      else if (key !== 'bandwidth') {
        if (!has(key)) set(key, field);
      } else if (!given.up && !given.down) set(key, field);
      else {
        if (!given.up) setRate('up', field);
        if (!given.down && !isOneWay) setRate('down', field);
      }
    }
  }

  #mapping(written: unknown, origin: Origin, example: string): Mapping {
    if (written === undefined || written === null) return {};
    const mapping = asMapping(written);
    if (!mapping) this.#refuse(origin, 'this is no mapping', `write e.g. ${example}`);
    return mapping ?? {};
  }

  #unknown(key: string, origin: Origin, known: readonly string[]): void {
    const remedy = this.#suggestions.of(key, () => known, `known keys: ${known.join(', ')}`);
    const message = `there is no key ${quote(key)} here`;
    this.#findings.error('KEY_UNKNOWN', keyPlaceOf(origin), fieldOf(origin), message, remedy);
  }

  #refuse(origin: Origin, message: string, remedy: string): void {
    this.#findings.error('VALUE_INVALID', placeOf(origin), fieldOf(origin), message, remedy);
  }
}

/** Notes the origins of an entry's fields. */
export function note(origins: Origins, container: object, from: ReadonlyMap<string, Origin>): void {
  for (const [key, origin] of from) origins.set(container, key, origin);
}
