/**
 * A file with variables, ranges, defaults, profiles, matrices, LANs and includes → one without, of which each part knows where the user
 * wrote it. Pure: what other files say is handed in by `Extras.read`.
 */
import { type Findings, quote } from '../../../model/diagnostics.ts';
import type { Extras } from '../../../model/format.ts';
import { MAX_TEXT_LENGTH } from '../../../model/limits.ts';
import { parseReference } from '../../../model/names.ts';
import { Files } from './files.ts';
import { withFileTraces } from './flow-traces.ts';
import { type ParseText, type Part, partsOf } from './include.ts';
import { LANGUAGE_KEYS } from './language.ts';
import { LanReader } from './lans.ts';
import { MatrixReader, type Node } from './matrix.ts';
import {
  asMapping,
  below,
  ExpandedDocument,
  fieldOf,
  keyPlaceOf,
  type Origin,
  Origins,
  placeOf,
  type Source,
} from './origins.ts';
import { ambiguousNames, combinationCount, combinations, hasRange } from './ranges.ts';
import { Samples } from './samples.ts';
import { type Entry, type Keys, note, Settings } from './settings.ts';
import { Traces } from './traces.ts';
import { Scope, Variables } from './variables.ts';

const LISTS = ['services', 'bridges', 'links', 'routes', 'events'] as const;

/** Services, bridges, links and events of all files, as they come out. */
const MAX_ENTRIES = 300_000;

export interface ExpandContext {
  readonly file: string;
  readonly keys: Keys;
  readonly extras: Extras;
  readonly parse: ParseText;
  readonly findings: Findings;
}

/** What is wrong is in the findings; there is a document also then. */
export function expand(main: Source, context: ExpandContext): ExpandedDocument {
  return new Expander(main, context).run();
}

class Expander {
  readonly #main: Source;
  readonly #findings: Findings;
  readonly #files: Files;
  readonly #parts: readonly Part[];
  readonly #settings: Settings;
  readonly #variables: Variables;
  readonly #scope: Scope;
  readonly #samples: Samples;
  readonly #traces: Traces;
  readonly #origins = new Origins();
  readonly #result: Record<string, unknown> = {};
  readonly #services: Record<string, unknown> = Object.create(null);
  readonly #bridges: Record<string, unknown> = Object.create(null);
  readonly #links: unknown[] = [];
  readonly #routes: unknown[] = [];
  readonly #events: unknown[] = [];
  #count = 0;

  constructor(main: Source, { file, keys, extras, parse, findings }: ExpandContext) {
    this.#main = main;
    this.#findings = findings;
    this.#files = new Files(file, extras, MAX_TEXT_LENGTH, findings);
    this.#parts = partsOf(main, file, this.#files, parse, findings);
    this.#settings = new Settings(keys, findings);
    this.#variables = new Variables(findings);
    for (const { source, isMain } of this.#parts) {
      this.#variables.declare(source, isMain);
      this.#settings.declare(source);
    }
    this.#variables.override(extras.set ?? new Map());
    this.#scope = new Scope(this.#variables, new Map(), findings);
    this.#samples = new Samples(this.#files, findings);
    this.#traces = new Traces(this.#files, findings);
  }

  run(): ExpandedDocument {
    this.#copyOthers();
    this.#nameTraces();
    // Links need the places of services and bridges.
    for (const kind of LISTS) {
      for (const part of this.#parts) {
        const origin: Origin = { source: part.source, path: [kind] };
        const written = asMapping(part.source.value)?.[kind];
        if (written !== undefined && written !== null) this.#expandList(kind, written, origin);
        else if (written === null && part.isMain) this.#keep(kind, written, origin);
      }
    }
    this.#addNetworks();
    this.#fillResult();
    this.#variables.tellUnused();
    return new ExpandedDocument(this.#result, this.#main, this.#origins);
  }

  /** What one file says for all: of several, the one that includes the others. */
  #copyOthers(): void {
    const [files, origins, findings] = [this.#files, this.#origins, this.#findings];
    const reading = { files, origins, findings, fileOf: (at: Origin) => this.#fileOf(at) };
    for (const { source } of this.#parts) {
      for (const [key, value] of Object.entries(asMapping(source.value) ?? {})) {
        if (isListed(key) || key === 'traces' || (LANGUAGE_KEYS as readonly string[]).includes(key)) continue;
        const origin: Origin = { source, path: [key] };
        const plain = this.#scope.value(value, origin, 'strict', key);
        this.#keep(key, key === 'traffic' ? withFileTraces(plain, origin, reading) : plain, origin);
      }
    }
  }

  /** Before the links, which may have them by name. */
  #nameTraces(): void {
    const texts = {};
    for (const [name, { text, origin }] of this.#traces.names(this.#parts, this.#scope)) {
      define(texts, name, text);
      this.#origins.set(texts, name, origin);
    }
    if (Object.keys(texts).length > 0) define(this.#result, 'traces', texts);
  }

  #keep(key: string, value: unknown, origin: Origin): void {
    define(this.#result, key, value);
    this.#origins.set(this.#result, key, origin);
  }

  #expandList(kind: (typeof LISTS)[number], written: unknown, origin: Origin): void {
    const mapping = asMapping(written);
    const isFine =
      kind === 'services'
        ? mapping
        : kind === 'bridges'
          ? (mapping ?? Array.isArray(written))
          : Array.isArray(written);
    // The schema says what belongs there.
    if (!isFine) {
      this.#keep(kind, written, origin);
      return;
    }
    if (!this.#origins.get(this.#result, kind)) this.#origins.set(this.#result, kind, origin);
    if (mapping) {
      for (const [name, value] of Object.entries(mapping)) {
        const at = below(origin, name);
        if (kind === 'services')
          this.#eachName(name, at, (one, scope) => this.#addService(one, value, at, scope));
        else this.#eachName(name, at, (one, scope) => this.#addBridge(one, value, at, scope));
      }
      return;
    }
    (written as readonly unknown[]).forEach((item, index) => {
      const at = below(origin, index);
      if (kind === 'links') this.#addLinks(item, at);
      else if (typeof item !== 'string') this.#refuseItem(kind, item, at);
      else if (kind === 'bridges')
        this.#eachName(item, at, (one, scope) => this.#addBridge(one, {}, at, scope));
      else this.#addLines(kind === 'routes' ? this.#routes : this.#events, item, at);
    });
  }

  #refuseItem(kind: string, item: unknown, origin: Origin): void {
    if (kind !== 'bridges') {
      this.#push(kind === 'routes' ? this.#routes : this.#events, item, origin);
      return;
    }
    const message = `${quote(item)} is no name`;
    this.#findings.error(
      'NAME_INVALID',
      placeOf(origin),
      fieldOf(origin),
      message,
      'write names, e.g. [s1, s2]',
    );
  }

  #eachName(text: string, origin: Origin, use: (name: string, scope: Scope) => void): void {
    const name = this.#scope.text(text, origin, 'strict');
    if (!hasRange(name)) {
      if (this.#mayAdd(1, origin)) use(name, this.#scope);
    } else for (const { texts, scope } of this.#combinations([name], origin)) use(texts[0]!, scope);
  }

  *#combinations(
    texts: readonly string[],
    origin: Origin,
  ): Generator<{ texts: readonly string[]; scope: Scope }> {
    const count = combinationCount(texts);
    if (count === 0) {
      const message = `a range goes backwards in ${quote(texts.find(hasRange))}`;
      this.#findings.error(
        'VALUE_INVALID',
        placeOf(origin),
        fieldOf(origin),
        message,
        'write the smaller number first',
      );
    }
    if (!this.#mayAdd(count, origin)) return;
    const ambiguous = ambiguousNames(texts);
    for (const one of combinations(texts))
      yield { texts: one.texts, scope: this.#scope.within(one.indices, ambiguous) };
  }

  /** Whether so many more entries are allowed. Told once. */
  #mayAdd(count: number, origin: Origin): boolean {
    const before = this.#count;
    this.#count += count;
    if (this.#count <= MAX_ENTRIES) return true;
    if (before <= MAX_ENTRIES)
      this.#findings.error(
        'LIMIT',
        placeOf(origin),
        fieldOf(origin),
        `the file has more than ${MAX_ENTRIES} services, bridges, links and events when it is expanded`,
        'use replicas, or shorter ranges',
      );
    return false;
  }

  #addService(name: string, written: unknown, origin: Origin, scope: Scope): void {
    if (!this.#isNew(name, this.#services, origin)) return;
    this.#origins.set(this.#services, name, origin);
    const fields = asMapping(written);
    this.#services[name] = fields
      ? this.#entry(this.#settings.service(name, fields, origin, scope), origin, scope)
      : written;
  }

  #addBridge(name: string, written: unknown, origin: Origin, scope: Scope): void {
    if (!this.#isNew(name, this.#bridges, origin)) return;
    this.#origins.set(this.#bridges, name, origin);
    const fields = asMapping(written);
    this.#bridges[name] = fields
      ? this.#entry(
          { fields: this.#settings.located(name, fields, origin, scope), origins: new Map() },
          origin,
          scope,
        )
      : written;
  }

  /** Of one kind; the checks of the model compare services with bridges. */
  #isNew(name: string, others: object, origin: Origin): boolean {
    const other = this.#origins.get(others, name);
    if (!other) return true;
    const { line, file } = placeOf(other);
    const message = `the name ${quote(name)} is already used in line ${line}${file === undefined ? '' : ` of ${file}`}`;
    this.#findings.error(
      'NAME_DUPLICATE',
      keyPlaceOf(origin),
      fieldOf(origin),
      message,
      'use each name once',
    );
    return false;
  }

  #addLinks(item: unknown, origin: Origin): void {
    const fields = asMapping(item);
    const { from, to, name } = fields ?? {};
    if (!fields || typeof from !== 'string' || typeof to !== 'string') {
      if (this.#mayAdd(1, origin)) this.#push(this.#links, item, origin);
      return;
    }
    const written = typeof name === 'string' ? [from, to, name] : [from, to];
    const texts = written.map((text) => this.#scope.text(text, origin, 'lenient'));
    for (const { texts: some, scope } of this.#combinations(texts, origin)) {
      const [start, end, called] = some.map((text) => scope.text(text, origin, 'strict'));
      const own = { ...fields, from: start, to: end, ...(called !== undefined && { name: called }) };
      const ends = [nodeOf(start!), nodeOf(end!)] as const;
      const entry = this.#settings.link(own, origin, scope, ends);
      const link = this.#entry(entry, origin, scope);
      const originOf = (key: string): Origin => entry.origins.get(key) ?? below(origin, key);
      for (const files of [this.#samples, this.#traces])
        files.resolve(link, originOf, (at) => this.#fileOf(at));
      this.#push(this.#links, link, origin);
    }
  }

  /** The file in which something stands. */
  #fileOf(origin: Origin): string {
    const part = this.#parts.find(({ source }) => 'source' in origin && source === origin.source);
    return (part ?? this.#parts.at(-1)!).file;
  }

  /** The fields with their variables. */
  #entry({ fields, origins }: Entry, origin: Origin, scope: Scope): Record<string, unknown> {
    const entry: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(fields))
      define(entry, key, scope.field(key, value, origins.get(key) ?? below(origin, key)));
    note(this.#origins, entry, origins);
    return entry;
  }

  #push(list: unknown[], item: unknown, origin: Origin): void {
    this.#origins.set(list, list.length, origin);
    list.push(item);
  }

  /** Of events, and of routes. A line is a command's only where it is quoted. */
  #addLines(list: unknown[], line: string, origin: Origin): void {
    const parts = line.split(/("(?:[^"\\]|\\.)*")/);
    const isCommand = (index: number): boolean => index % 2 === 1;
    const outside = parts.filter((_, index) => !isCommand(index));
    const texts = outside.map((text) => this.#scope.text(text, origin, 'lenient'));
    for (const { texts: some, scope } of this.#combinations(texts, origin)) {
      const whole = parts.map((part, index) =>
        isCommand(index)
          ? scope.text(part, origin, 'lenient')
          : scope.text(some[index / 2]!, origin, 'strict'),
      );
      this.#push(list, whole.join(''), origin);
    }
  }

  #addNetworks(): void {
    const lans = new LanReader(this.#scope, this.#findings);
    const matrices = new MatrixReader(this.#files, this.#scope, this.#nodes(), this.#findings);
    for (const { bridges, links } of this.#parts.flatMap((part) => [lans.read(part), matrices.read(part)])) {
      for (const { name, origin } of bridges)
        if (this.#mayAdd(1, origin)) this.#addBridge(name, {}, origin, this.#scope);
      for (const { fields, origins, origin } of links) {
        if (!this.#mayAdd(1, origin)) return;
        note(this.#origins, fields, origins);
        this.#push(this.#links, fields, origin);
      }
    }
  }

  #nodes(): Map<string, Node> {
    const nodes = new Map<string, Node>();
    for (const name of Object.keys(this.#bridges))
      nodes.set(name, { kind: 'bridge', forward: true, replicas: 1 });
    for (const [name, service] of Object.entries(this.#services)) {
      const { forward, replicas } = asMapping(service) ?? {};
      const count = typeof replicas === 'number' ? replicas : 1;
      nodes.set(name, { kind: 'service', forward: forward === true, replicas: count });
    }
    return nodes;
  }

  /** Lists that are no lists are there already, for the schema to refuse. */
  #fillResult(): void {
    const lists = {
      services: this.#services,
      bridges: this.#bridges,
      links: this.#links,
      routes: this.#routes,
      events: this.#events,
    };
    for (const kind of LISTS) {
      if (Object.hasOwn(this.#result, kind)) continue;
      const list = lists[kind];
      // Plain objects, as the library of YAML gives them.
      if (
        Array.isArray(list)
          ? list.length > 0
          : Object.keys(list).length > 0 || this.#origins.get(this.#result, kind)
      )
        this.#result[kind] = list;
    }
  }
}

function isListed(key: string): boolean {
  return (LISTS as readonly string[]).includes(key);
}

function nodeOf(reference: string): string {
  return parseReference(reference)?.name ?? reference;
}

/** `__proto__` is a key as any other. */
function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}
