/** A file of netfold's own, when nothing is left in it to expand → `Topology`. */
import { MOST_LANE_NUMBERS } from '../../../proto/lanes.ts';
import { parseEvent } from '../../events/grammar.ts';
import { checkExpectations } from '../../expect/check.ts';
import { parseExpectation } from '../../expect/grammar.ts';
import { checkLinks, checkNodes, Names } from '../../model/check.ts';
import { type Findings, quote } from '../../model/diagnostics.ts';
import type { TopologyEvent } from '../../model/events.ts';
import { MAX_EVENTS } from '../../model/limits.ts';
import type { Bridge, Route, Service, Topology } from '../../model/model.ts';
import type { ParsedFile } from '../../model/parsed-file.ts';
import type { Position } from '../../model/position.ts';
import { ContainerReader } from './container-settings.ts';
import { reportIssues } from './issues.ts';
import { LinkReader } from './link-reader.ts';
import { parseRoute } from './routes.ts';
import { type NativeFile, topologySchema } from './schema.ts';
import { readSequences } from './sequences.ts';
import { LifeReader } from './service-life.ts';
import { SettingsReader } from './service-settings.ts';
import { readTraffic } from './traffic.ts';
import type { NativeDocument, Path, Place } from './yaml/placed.ts';

/**
 * Gives `undefined` if there is nothing to check further; `findings` then has the reason. The events are not checked
 * yet. `name`: if the file gives none.
 */
export function readDocument(
  document: NativeDocument,
  file: string,
  name: string,
  findings: Findings,
): ParsedFile | undefined {
  if (!looksLikeTopology(document, findings)) return undefined;
  const parsed = validate(document.value, findings);
  if (!parsed.success) {
    reportIssues(parsed.error.issues, document, findings);
    return undefined;
  }
  if (findings.hasErrors) return undefined;
  return new Reader(parsed.data, document, file, findings).read(parsed.data.name ?? name);
}

/** Entries of a list or mapping that are read again, to find the first mistakes of too many. */
const MAX_AMONG_TOO_MANY = 1000;

/**
 * The schema's library hands the mistakes of each level on as arguments of one call, of which the stack has room for some
 * 120,000. Of more, those among the first entries are told.
 */
function validate(value: unknown, findings: Findings): ReturnType<typeof topologySchema.safeParse> {
  try {
    return topologySchema.safeParse(value);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const message = 'there are more mistakes than can be listed';
    findings.error('VALUE_INVALID', { line: 1, column: 1 }, '', message, 'correct those that are listed');
    return topologySchema.safeParse(firstEntries(value));
  }
}

/** Not deeper than `MAX_DEPTH`, which the document has checked. */
function firstEntries(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, MAX_AMONG_TOO_MANY).map(firstEntries);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).slice(0, MAX_AMONG_TOO_MANY);
  return Object.fromEntries(entries.map(([key, one]) => [key, firstEntries(one)]));
}

function looksLikeTopology(document: NativeDocument, findings: Findings): boolean {
  const { value } = document;
  const remedy = 'a topology is a mapping with services, bridges and links; see examples/quickstart.yaml';
  const start = { line: 1, column: 1 };
  if (value === null || value === undefined) {
    findings.error('FILE_EMPTY', start, '', 'the file has no content', remedy);
  } else if (typeof value !== 'object' || Array.isArray(value)) {
    const what = Array.isArray(value)
      ? 'a list'
      : typeof value === 'string'
        ? textKind(value)
        : `a ${typeof value}`;
    // `services:{}` is a text: a colon without a space separates nothing.
    const glued = typeof value === 'string' ? /^[A-Za-z][\w-]*:(?=[[{\w])/.exec(value)?.[0] : undefined;
    const how = glued === undefined ? remedy : `write a space after the colon: ${quote(`${glued} …`)}`;
    findings.error('NOT_A_TOPOLOGY', start, '', `this is not a topology: it is ${what}`, how);
  } else if (!Object.hasOwn(value, 'services')) {
    findings.error('NO_SERVICES', start, 'services', 'this is not a topology: it has no services', remedy);
    // Other keys may be misspelt; a missing `services` is reported only if no key is known.
    return Object.hasOwn(value, 'links') || Object.hasOwn(value, 'bridges');
  }
  return !findings.hasErrors;
}

function textKind(text: string): string {
  return text.startsWith('<') ? 'XML or HTML in a file named as YAML' : 'a plain text';
}

class Reader {
  readonly #data: NativeFile;
  readonly #document: NativeDocument;
  readonly #file: string;
  readonly #findings: Findings;
  readonly #lines = new Map<TopologyEvent, string>();

  constructor(data: NativeFile, document: NativeDocument, file: string, findings: Findings) {
    this.#data = data;
    this.#document = document;
    this.#file = file;
    this.#findings = findings;
  }

  read(name: string): ParsedFile {
    const { routing, ecmp, transmission } = this.#data;
    const services = this.#services();
    const bridges = this.#bridges();
    const reader = new LinkReader(this.#data.links, this.#document, this.#file, this.#findings);
    const links = reader.read();
    checkNodes({ services, bridges }, this.#findings);
    const labels = {
      field: (index: number, end: string) =>
        this.#document.field(end === 'link' ? ['links', index] : ['links', index, end]),
      place: (index: number, end: string) =>
        this.#document.at(end === 'link' ? ['links', index] : ['links', index, end]),
    };
    checkLinks(links, new Names({ services, bridges }), labels, this.#findings);
    const events = this.#events();
    reader.warnOfIgnored(events);
    const sequences = this.#sequences();
    const routes = this.#routes();
    this.#warnOfRouting();
    this.#checkLanes(services, bridges);
    return {
      topology: {
        ...{ name, routing, ...(ecmp !== undefined && { ecmp }), ...(transmission && { transmission }) },
        ...{ services, bridges, links },
        ...(routes.length > 0 && { routes }),
        ...(this.#data.traces && { traces: this.#data.traces }),
        events,
        ...sequences,
        ...this.#expectations(services, events),
        ...this.#traffic(services, bridges, [...events, ...stepsOf(sequences)]),
      },
      fieldOf: (event) => this.#document.field(['events', events.indexOf(event)]),
      supervisors: new Set(),
      laterHolds: false,
      withoutReuse: new Set(),
    };
  }

  #services(): Service[] {
    const places = this.#document.entries(['services']);
    const settings = new SettingsReader(this.#file, this.#document, this.#findings);
    const life = new LifeReader(this.#document, this.#findings, this.#data.services);
    life.checkCircles();
    const containers = new ContainerReader(this.#document, this.#findings);
    const services = Object.entries(this.#data.services).map(([name, service]): Service => {
      const { replicas, tags, forward, share, run, processes, descriptors, location } = service;
      if (run?.includes('\0'))
        this.#findings.error(
          'VALUE_INVALID',
          this.#position(places.get(name)),
          this.#document.field(['services', name, 'run']),
          'the command has a NUL character, which no argument of a program can have',
          'leave it out; in YAML, "\\\\0" in double quotes is a backslash and a zero',
        );
      const environment = containers.environment(name, service);
      return {
        ...{ name, replicas, tags, forward },
        ...(run === undefined ? {} : { run }),
        ...(location !== undefined && { location }),
        ...(processes !== undefined && { processes }),
        ...(descriptors !== undefined && { descriptors }),
        ...settings.read(name, service, environment),
        ...life.read(name),
        ...containers.read(name, service),
        shareLinks: share,
        position: this.#position(places.get(name)),
      };
    });
    if (services.length === 0) {
      const remedy = 'add at least one, e.g. services: { client: {}, server: {} }';
      this.#findings.error(
        'NO_SERVICES',
        this.#document.at(['services']),
        'services',
        'there are no services',
        remedy,
      );
    }
    return services;
  }

  #bridges(): Bridge[] {
    const places = this.#document.entries(['bridges']);
    const { bridges } = this.#data;
    if (Array.isArray(bridges)) {
      return bridges.map((name, index) => ({ name, tags: [], position: this.#position(places.get(index)) }));
    }
    return Object.entries(bridges).map(([name, { tags, location }]) => ({
      name,
      tags,
      ...(location !== undefined && { location }),
      position: this.#position(places.get(name)),
    }));
  }

  #routes(): Route[] {
    return this.#data.routes.flatMap((text, index) => {
      const path = ['routes', index] as const;
      const position = this.#position(this.#document.at(path));
      return parseRoute(text, position, this.#document.field(path), this.#findings);
    });
  }

  /** Of keys of links that another routing needs. */
  #warnOfRouting(): void {
    const { routing, links } = this.#data;
    for (const [key, needed] of [['weight', 'weight'] as const, ['relationship', 'valley-free'] as const]) {
      const index = routing === needed ? -1 : links.findIndex((link) => link[key] !== undefined);
      if (index === -1) continue;
      const path = ['links', index, key] as const;
      const message = `the ${key}s have no effect: routing is by ${routing}`;
      const remedy = `write routing: ${needed}, or remove the ${key}s`;
      const { at, field } = { at: this.#document.at(path), field: this.#document.field(path) };
      this.#findings.warning('KEY_IGNORED', at, field, message, remedy);
    }
  }

  /** `ecmp`: where paths are found by policy there is one, and numbers of paths are bounded. */
  #checkLanes(services: readonly Service[], bridges: readonly Bridge[]): void {
    const { routing, ecmp = 1 } = this.#data;
    const nodes = services.reduce((sum, { replicas }) => sum + replicas, bridges.length);
    const refuse = (code: 'VALUE_INVALID' | 'LIMIT', message: string, remedy: string): void =>
      this.#findings.error(code, this.#document.at(['ecmp']), 'ecmp', message, remedy);
    if (ecmp > 1 && routing === 'valley-free')
      refuse(
        'VALUE_INVALID',
        'routing: valley-free knows one path for a pair',
        'leave ecmp out, or write routing: weight',
      );
    else if (nodes * ecmp > MOST_LANE_NUMBERS)
      refuse(
        'LIMIT',
        `${nodes} nodes with ${ecmp} paths each are more than ${MOST_LANE_NUMBERS}`,
        `write at most ecmp: ${Math.floor(MOST_LANE_NUMBERS / nodes)}`,
      );
  }

  #events(): TopologyEvent[] {
    const { events } = this.#data;
    if (events.length > MAX_EVENTS) {
      const message = `there are ${events.length} events, more than ${MAX_EVENTS}`;
      this.#findings.error(
        'LIMIT',
        this.#document.at(['events']),
        'events',
        message,
        'use flap or churn for what repeats',
      );
      return [];
    }
    return events.flatMap((line, index) => {
      const position = this.#position(this.#document.at(['events', index]));
      const source = this.#document.source(['events', index]) ?? line;
      const event = parseEvent(
        line,
        this.#inside(position, source),
        this.#document.field(['events', index]),
        this.#findings,
      );
      if (event) this.#lines.set(event, line);
      return event ? [event] : [];
    });
  }

  /** `happenings`: events and steps, which may start what is idle before. */
  #traffic(
    services: readonly Service[],
    bridges: readonly Bridge[],
    happenings: readonly Pick<TopologyEvent, 'action'>[],
  ): Pick<Topology, 'traffic'> {
    const { traffic } = this.#data;
    if (!traffic) return {};
    const positionOf = (index: number): Position => this.#position(this.#document.at(['traffic', index]));
    return {
      traffic: readTraffic(
        traffic,
        { services, bridges },
        happenings.map(({ action }) => action),
        this.#document,
        positionOf,
        this.#findings,
      ),
    };
  }

  #sequences(): Pick<Topology, 'sequences'> {
    const { sequences } = this.#data;
    if (!sequences) return {};
    const placeOf = (path: Path): Position =>
      this.#inside(this.#position(this.#document.at(path)), this.#document.source(path) ?? '');
    return { sequences: readSequences(sequences, this.#document, placeOf, this.#findings) };
  }

  #expectations(
    services: readonly Service[],
    events: readonly TopologyEvent[],
  ): Pick<Topology, 'expectations'> {
    const { expect: lines } = this.#data;
    if (!lines) return {};
    const read = lines.flatMap((line, index) => {
      const path = ['expect', index] as const;
      const start = this.#inside(
        this.#position(this.#document.at(path)),
        this.#document.source(path) ?? line,
      );
      const field = this.#document.field(path);
      const expectation = parseExpectation(line, start, field, this.#findings);
      return expectation ? [{ expectation, field }] : [];
    });
    const timed = events.map((event) => ({ ...event, line: this.#lines.get(event)! }));
    return { expectations: checkExpectations(read, { services, events: timed }, this.#findings) };
  }

  /**
   * The position of the line's text, so that columns in it are columns of the file: after a quote, if there is one.
   */
  #inside(position: Position, source: string): Position {
    return { ...position, column: position.column + (/^["']/.test(source) ? 1 : 0) };
  }

  #position(place: Place | undefined): Position {
    return { file: place?.file ?? this.#file, line: place?.line ?? 1, column: place?.column ?? 1 };
  }
}

const stepsOf = ({ sequences = [] }: Pick<Topology, 'sequences'>) =>
  sequences.flatMap(({ steps }) => steps.flatMap((step) => (step.kind === 'action' ? [step] : [])));
