/** Links of the native file → `LinkPair`s. */
import { FILE_PROPERTIES, type Impairment, impairment } from '../../../proto/impairment.ts';
import { meansOfTrace, traceOf } from '../../../proto/trace.ts';
import type { Findings } from '../../model/diagnostics.ts';
import type { Change, TopologyEvent } from '../../model/events.ts';
import type { LinkPair } from '../../model/model.ts';
import type { Position } from '../../model/position.ts';
import type { NativeLink } from './schema.ts';
import type { NativeDocument } from './yaml/placed.ts';

export class LinkReader {
  readonly #links: readonly NativeLink[];
  readonly #document: NativeDocument;
  readonly #file: string;
  readonly #findings: Findings;

  constructor(links: readonly NativeLink[], document: NativeDocument, file: string, findings: Findings) {
    this.#links = links;
    this.#document = document;
    this.#file = file;
    this.#findings = findings;
  }

  read(): LinkPair[] {
    return this.#links.map((link, index) => this.#link(link, index));
  }

  /** Of keys that say more about something that the link does not have. */
  warnOfIgnored(events: readonly TopologyEvent[]): void {
    this.#warnOfDistributions(events);
    this.#warnOfQueues(events);
    if (!events.some(({ action }) => action.verb === 'set' && action.changes.some(isAboutOrder)))
      this.#warnOfDistances();
  }

  #position(index: number): Position {
    const { file = this.#file, line, column } = this.#document.at(['links', index]);
    return { file, line, column };
  }

  #link(link: NativeLink, index: number): LinkPair {
    const { from, to, up, down, oneway, tags } = link;
    this.#refuseContradictions(link, index);
    const isEven = up === undefined && down === undefined;
    const there = directionOf(link, up);
    const position = this.#position(index);
    const { name, weight, relationship } = link;
    const weights = typeof weight === 'number' ? { up: weight, down: weight } : weight;
    return {
      from,
      to,
      ...(name !== undefined && { name }),
      up: there,
      ...(oneway ? {} : { down: isEven ? there : directionOf(link, down) }),
      ...(weights && { weights }),
      ...(relationship && { relationship }),
      tags,
      position,
    };
  }

  #refuseContradictions({ bandwidth, up, down, oneway }: NativeLink, index: number): void {
    const complain = (key: string, message: string, remedy: string): void =>
      this.#findings.error(
        'VALUE_INVALID',
        this.#document.at(['links', index, key]),
        this.#document.field(['links', index, key]),
        message,
        remedy,
      );
    if (bandwidth !== undefined && (typeof up === 'number' || typeof down === 'number')) {
      complain('bandwidth', 'bandwidth stands beside up or down', 'write either bandwidth, or up and down');
    }
    if (oneway && down !== undefined)
      complain('down', 'a oneway link has no way back', 'remove down or oneway');
  }

  /** A link may get its jitter later; for a warning, it is not checked which events affect which links. */
  #warnOfDistributions(events: readonly TopologyEvent[]): void {
    if (events.some(({ action }) => action.verb === 'set' && action.changes.some(isAboutJitter))) return;
    this.#links.forEach(({ distribution, jitter = 0 }, index) => {
      if (distribution === undefined || jitter > 0) return;
      const place = this.#document.at(['links', index, 'distribution']);
      const message = 'the distribution of a jitter that the link does not have';
      const remedy = 'add jitter, e.g. jitter: 1ms, or remove the distribution';
      this.#findings.warning(
        'KEY_IGNORED',
        place,
        this.#document.field(['links', index, 'distribution']),
        message,
        remedy,
      );
    });
  }

  /** What is never full needs no management. */
  #warnOfQueues(events: readonly TopologyEvent[]): void {
    if (events.some(({ action }) => action.verb === 'set' && action.changes.some(isAboutRate))) return;
    this.#links.forEach((link, index) => {
      if (![link, link.up, link.down].some(hasQueue)) return;
      const isIdle = [link.up, link.down]
        .map((own) => directionOf(link, own))
        .some(({ aqm, bandwidth }) => aqm !== undefined && !Number.isFinite(bandwidth));
      if (!isIdle) return;
      const path = ['links', index, link.aqm === undefined ? 'queue' : 'aqm'];
      const message = 'a queue is managed here that never fills: a direction has no bandwidth';
      const [place, field] = [this.#document.at(path), this.#document.field(path)];
      this.#findings.warning('KEY_IGNORED', place, field, message, 'add bandwidth, e.g. bandwidth: 10Mbps');
    });
  }

  #warnOfDistances(): void {
    this.#links.forEach((link, index) => {
      const parts = [
        { inner: [], part: link },
        ...(['up', 'down'] as const).flatMap((key) => {
          const part = link[key];
          return typeof part === 'object' ? [{ inner: [key], part }] : [];
        }),
      ];
      if (parts.some(({ part }) => (part.reorder ?? 0) > 0)) return;
      for (const { inner, part } of parts) {
        if (part.reorder_distance === undefined) continue;
        const path = ['links', index, ...inner, 'reorder_distance'];
        const message = 'the distance of packets that are not reordered';
        const remedy = 'add how many are, e.g. reorder: 1%';
        this.#findings.warning(
          'KEY_IGNORED',
          this.#document.at(path),
          this.#document.field(path),
          message,
          remedy,
        );
      }
    });
  }
}

/** One direction of a link: what the link says, and before that what `up` or `down` does: a rate, or all that differs. */
function directionOf(link: NativeLink, own: NativeLink['up']): Impairment {
  const differing = typeof own === 'object' ? own : own === undefined ? {} : { bandwidth: own };
  const all: Partial<NativeLink> = { ...link, ...differing };
  const properties = Object.fromEntries(FILE_PROPERTIES.map(({ name, file }) => [name, all[file.key]]));
  // Of the two ways to say a shape, the one that stands at the direction.
  const isNamed = typeof own === 'object' && own.distribution !== undefined && own.quantiles === undefined;
  const made = impairment({
    ...properties,
    ...(isNamed && { quantiles: undefined }),
    queuePackets: undefined,
    ...all.queue,
  });
  return made.trace === undefined
    ? made
    : impairment({ ...made, ...meansOfTrace(traceOf(made.trace), made) });
}

const hasQueue = (part: NativeLink['up'] | NativeLink): boolean =>
  typeof part === 'object' && (part.queue !== undefined || part.aqm !== undefined);

function isAboutJitter({ property }: Change): boolean {
  return property === 'jitter';
}

function isAboutRate({ property }: Change): boolean {
  return property === 'bandwidth';
}

function isAboutOrder({ property }: Change): boolean {
  return property === 'reorder';
}
