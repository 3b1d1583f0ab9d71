/**
 * `matrix:` values among groups of services → bridges and links. Each group has a bridge `GROUP-out`, to which its members
 * send, and a bridge `GROUP-in`, from which they receive; a one-way link leads from every `-out` to every `-in`. So a path from one
 * group to another crosses the link between the two and no third group, also where a detour is shorter, and all members share
 * its bandwidth.
 */
import { formatMicros, micros, parseLatency, UnitError } from '../../../../proto/units.ts';
import { Findings, quote } from '../../../model/diagnostics.ts';
import { isName, NAME_REMEDY, parseReference, Suggestions } from '../../../model/names.ts';
import type { Files } from './files.ts';
import type { Part } from './include.ts';
import { asMapping, below, fieldOf, keyPlaceOf, type Origin, type Place, placeOf } from './origins.ts';
import { combinationCount, combinations } from './ranges.ts';
import { type Cell, MAX_PLACES, type Table, tableOfCsv, tableOfJson, tableOfMapping } from './table.ts';
import type { Scope } from './variables.ts';

/** A key of the matrix → the key of the links that it gives. */
const VALUES = {
  rtt: 'latency',
  latency: 'latency',
  jitter: 'jitter',
  loss: 'loss',
  bandwidth: 'bandwidth',
} as const;
type Value = keyof typeof VALUES;
export const MATRIX_KEYS: readonly string[] = ['groups', ...Object.keys(VALUES)];

export interface MatrixLink {
  readonly fields: Readonly<Record<string, unknown>>;
  /** Of each field; others stand where the matrix does. */
  readonly origins: ReadonlyMap<string, Origin>;
  readonly origin: Origin;
}

export interface MatrixResult {
  readonly bridges: readonly { readonly name: string; readonly origin: Origin }[];
  readonly links: readonly MatrixLink[];
}

/** What is known of a node by its name. */
export interface Node {
  readonly kind: 'service' | 'bridge';
  readonly forward: boolean;
  readonly replicas: number;
}

interface Member {
  readonly name: string;
  readonly origin: Origin;
}

interface Group {
  readonly name: string;
  readonly members: readonly Member[];
  readonly origin: Origin;
}

/** Members of all groups together. */
const MAX_MEMBERS = 10_000;

export class MatrixReader {
  readonly #files: Files;
  readonly #scope: Scope;
  readonly #nodes: ReadonlyMap<string, Node>;
  readonly #findings: Findings;
  readonly #suggestions = new Suggestions();
  #toldBare = false;

  constructor(files: Files, scope: Scope, nodes: ReadonlyMap<string, Node>, findings: Findings) {
    this.#files = files;
    this.#scope = scope;
    this.#nodes = nodes;
    this.#findings = findings;
  }

  read(part: Part): MatrixResult {
    const nothing = { bridges: [], links: [] };
    const written = asMapping(part.source.value)?.matrix;
    if (written === undefined || written === null) return nothing;
    const origin: Origin = { source: part.source, path: ['matrix'] };
    const matrix = asMapping(written);
    if (!matrix) {
      this.#refuse(origin, 'the matrix is no mapping', 'write e.g. matrix: { rtt: regions.csv }');
      return nothing;
    }
    for (const key of Object.keys(matrix)) {
      if (MATRIX_KEYS.includes(key)) continue;
      const remedy = this.#suggestions.of(key, () => MATRIX_KEYS, `known keys: ${MATRIX_KEYS.join(', ')}`);
      const place = keyPlaceOf(below(origin, key));
      this.#findings.error(
        'KEY_UNKNOWN',
        place,
        `matrix.${key}`,
        `there is no key ${quote(key)} here`,
        remedy,
      );
    }
    const tables = this.#tables(matrix, part, origin);
    const delays = tables.get('rtt') ?? tables.get('latency');
    if (matrix.rtt !== undefined && matrix.latency !== undefined)
      this.#refuse(
        below(origin, 'latency'),
        'latency stands beside rtt',
        'write one of them: a round trip is both ways',
      );
    else if (!delays && !this.#findings.hasErrors)
      this.#refuse(origin, 'the matrix has no rtt', 'write round-trip times, e.g. rtt: regions.csv');
    if (!delays || this.#findings.hasErrors) return nothing;
    const groups = this.#groups(matrix.groups, delays, below(origin, 'groups'));
    return this.#findings.hasErrors ? nothing : this.#links(groups, tables, origin);
  }

  #tables(matrix: Readonly<Record<string, unknown>>, part: Part, origin: Origin): Map<Value, Table | Cell> {
    const tables = new Map<Value, Table | Cell>();
    for (const key of Object.keys(VALUES) as Value[]) {
      if (matrix[key] === undefined || matrix[key] === null) continue;
      const table = this.#table(matrix[key], part, below(origin, key));
      if (table) tables.set(key, table);
    }
    return tables;
  }

  /** A table, or one value for all. */
  #table(written: unknown, part: Part, origin: Origin): Table | Cell | undefined {
    const mapping = asMapping(written);
    if (mapping) {
      const values = this.#scope.value(mapping, origin, 'strict') as Readonly<Record<string, unknown>>;
      return tableOfMapping(values, origin, this.#findings);
    }
    if (typeof written !== 'string' && typeof written !== 'number') {
      this.#refuse(origin, 'this is no table', 'write a mapping, CSV, or the name of a .csv or .json file');
      return undefined;
    }
    const text = this.#scope.text(String(written), origin, 'strict');
    const field = fieldOf(origin);
    if (text.includes('\n')) {
      const start = placeOf(origin);
      // A block begins in the line after its `|`.
      const place = ({ line, column }: Place): Place => ({ ...start, line: start.line + line, column });
      return tableOfCsv(text, place, field, this.#findings);
    }
    if (!/\.(?:csv|json)$/i.test(text)) return { text, origin, mayBeBare: false };
    const found = this.#files.open(text, part.file, origin);
    if (!found) return undefined;
    const { file } = found;
    const place = ({ line, column }: Place): Place => ({ file, line, column });
    // The readers of tables name no file.
    const own = new Findings(file);
    const table = /json$/i.test(text)
      ? tableOfJson(found.text, place, field, own)
      : tableOfCsv(found.text, place, field, own);
    this.#findings.include(own);
    return table;
  }

  #groups(written: unknown, delays: Table | Cell, origin: Origin): Group[] {
    const known = 'names' in delays ? delays.names : undefined;
    const places = new Set(known);
    const mapping = asMapping(written);
    if (written !== undefined && written !== null && !mapping) {
      this.#refuse(origin, 'the groups are no mapping', 'write e.g. groups: { eu: [web, db], us: cache }');
      return [];
    }
    const names = mapping ? Object.keys(mapping) : known;
    if (!names) {
      this.#refuse(
        origin,
        'there are neither groups nor names in a table',
        'write groups: { eu: web, us: db }',
      );
      return [];
    }
    if (names.length > MAX_PLACES) {
      this.#refuse(origin, `there are ${names.length} groups, more than ${MAX_PLACES}`, 'use fewer');
      return [];
    }
    const seen = new Map<string, string>();
    let count = 0;
    return names.map((name): Group => {
      const at = mapping ? below(origin, name) : origin;
      if (known && !places.has(name)) {
        const remedy = this.#suggestions.of(name, () => known, `places: ${known.slice(0, 20).join(', ')}`);
        this.#findings.error(
          'NAME_UNKNOWN',
          keyPlaceOf(at),
          fieldOf(at),
          `the table has no place ${quote(name)}`,
          remedy,
        );
      }
      if (!isName(name) || !isName(`${name}-out`))
        this.#findings.error(
          'NAME_INVALID',
          keyPlaceOf(at),
          fieldOf(at),
          `${quote(name)} is no name of a group`,
          `${NAME_REMEDY}; here four less, for the bridge ${'NAME-out'}`,
        );
      const members = mapping ? this.#members(mapping[name], at) : [{ name, origin: at }];
      for (const member of members) {
        this.#check(member, mapping === undefined);
        const other = seen.get(member.name);
        if (other !== undefined)
          this.#refuse(
            member.origin,
            `${quote(member.name)} is in the group ${quote(other)}, too`,
            'put it into one group',
          );
        seen.set(member.name, name);
      }
      count += members.length;
      if (count > MAX_MEMBERS)
        this.#refuse(at, `the groups have more than ${MAX_MEMBERS} members`, 'use replicas');
      return { name, members: count > MAX_MEMBERS ? [] : members, origin: at };
    });
  }

  #members(written: unknown, origin: Origin): Member[] {
    const isList = Array.isArray(written);
    const list: readonly unknown[] = isList ? written : [written];
    return list.flatMap((one, index): Member[] => {
      const at = isList ? below(origin, index) : origin;
      if (typeof one !== 'string') {
        this.#refuse(at, 'a group has names of services', 'write e.g. eu: [web, db]');
        return [];
      }
      const text = this.#scope.text(one, at, 'strict');
      if (combinationCount([text]) > MAX_MEMBERS) {
        this.#refuse(at, `the range has more than ${MAX_MEMBERS} names`, 'use replicas');
        return [];
      }
      return [...combinations([text])].map(({ texts }) => ({ name: texts[0]!, origin: at }));
    });
  }

  /** Whoever forwards would lead paths through a third group. */
  #check({ name, origin }: Member, isOwnGroup: boolean): void {
    const reference = parseReference(name);
    const node = this.#nodes.get(reference?.name ?? name);
    if (!node) {
      const names = () => this.#nodes.keys();
      const otherwise = isOwnGroup
        ? 'add the service, or say which services are there with groups: { … }'
        : 'name a service of this file';
      const remedy = this.#suggestions.of(name, names, otherwise);
      this.#findings.error(
        'NAME_UNKNOWN',
        placeOf(origin),
        fieldOf(origin),
        `there is no service ${quote(name)}`,
        remedy,
      );
    } else if (node.kind === 'bridge' || node.forward) {
      const what = node.kind === 'bridge' ? 'is a bridge' : 'forwards';
      const message = `${quote(name)} ${what}: paths would lead through its group`;
      this.#refuse(origin, message, 'put services that do not forward into groups');
    }
  }

  #links(groups: readonly Group[], tables: ReadonlyMap<Value, Table | Cell>, origin: Origin): MatrixResult {
    const bridges: { name: string; origin: Origin }[] = [];
    const links: MatrixLink[] = [];
    const add = (
      from: string,
      to: string,
      at: Origin,
      fields: object = {},
      origins = new Map<string, Origin>(),
    ): void => {
      links.push({ fields: { from, to, ...fields, oneway: true }, origins, origin: at });
    };
    for (const { name, members, origin: at } of groups) {
      bridges.push({ name: `${name}-out`, origin: at }, { name: `${name}-in`, origin: at });
      for (const member of members) {
        add(member.name, `${name}-out`, member.origin);
        add(`${name}-in`, member.name, member.origin);
      }
    }
    const missing: string[] = [];
    for (const a of groups) {
      for (const b of groups) {
        const values = this.#between(a.name, b.name, tables);
        const isLonely = a === b && a.members.length === 1 && this.#replicas(a.members[0]!) === 1;
        if (a !== b && !values.fields.latency) {
          if (a.name < b.name) missing.push(`${a.name} and ${b.name}`);
        } else if (!isLonely)
          add(`${a.name}-out`, `${b.name}-in`, values.origin ?? origin, values.fields, values.origins);
      }
    }
    if (missing.length > 0) {
      const others = missing.length > 1 ? ` and ${missing.length - 1} other pairs` : '';
      const message = `there is no value between ${missing[0]}${others}: they are not linked`;
      this.#findings.warning('LINK_LEFT_OUT', placeOf(origin), 'matrix', message, '');
    }
    return { bridges, links };
  }

  #replicas({ name }: Member): number {
    const reference = parseReference(name);
    return reference?.replica === undefined ? (this.#nodes.get(reference?.name ?? name)?.replicas ?? 1) : 1;
  }

  /** If only one of the two directions is there, it counts for both. */
  #between(a: string, b: string, tables: ReadonlyMap<Value, Table | Cell>) {
    const fields: Record<string, string> = {};
    const origins = new Map<string, Origin>();
    let origin: Origin | undefined;
    for (const [key, table] of tables) {
      const isSingle = !('names' in table);
      // A value for all is one among groups: within a group nothing is said.
      const cell = isSingle ? (a === b ? undefined : table) : (table.cell(a, b) ?? table.cell(b, a));
      if (!cell) continue;
      const text = this.#text(key, cell);
      if (text === undefined) continue;
      const field = VALUES[key];
      fields[field] = text;
      origins.set(field, cell.origin);
      if (field === 'latency') origin = cell.origin;
    }
    return { fields, origins, origin };
  }

  #text(key: Value, { text, origin, mayBeBare }: Cell): string | undefined {
    const isTime = VALUES[key] === 'latency' || key === 'jitter';
    const isBare = isTime && mayBeBare && /^\d+(?:\.\d+)?$/.test(text.trim());
    if (isBare && !this.#toldBare) {
      this.#toldBare = true;
      const message = `${quote(text)} counts as milliseconds, as all times of the matrix without a unit`;
      this.#findings.warning(
        'UNIT_ASSUMED',
        placeOf(origin),
        fieldOf(origin),
        message,
        'write the unit, e.g. 12.5ms',
      );
    }
    // Tables have more digits than microseconds.
    const whole = isBare ? `${Number(text).toFixed(3)}ms` : text;
    if (key !== 'rtt') return whole;
    try {
      return formatMicros(micros(Math.round(parseLatency(whole) / 2)));
    } catch (error) {
      if (!(error instanceof UnitError)) throw error;
      this.#findings.error('UNIT', placeOf(origin), fieldOf(origin), error.message, error.remedy ?? '');
      return undefined;
    }
  }

  #refuse(origin: Origin, message: string, remedy: string): void {
    this.#findings.error('MATRIX', placeOf(origin), fieldOf(origin), message, remedy);
  }
}
