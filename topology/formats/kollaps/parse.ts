/**
 * The XML dialect of Kollaps (github.com/miguelammatos/Kollaps) → `Topology`, with its meaning there: routing by
 * fewest hops, every service forwards, a link is one-way unless it has `download`, latency and jitter are
 * milliseconds, `drop` is a fraction, `share="true"` makes the replicas of a service share each of its links. What
 * Kollaps ignores is a warning here, so that every file that works there loads.
 */
import { checkLinks, checkNodes, duplicateLinks, type LinkLabels, Names } from '../../model/check.ts';
import { type Findings, quote } from '../../model/diagnostics.ts';
import { MAX_ENDPOINTS } from '../../model/limits.ts';
import type { Bridge, LinkPair, Machine, Service, Topology } from '../../model/model.ts';
import { NAME_REMEDY, nameProblem, Suggestions } from '../../model/names.ts';
import type { ParsedFile } from '../../model/parsed-file.ts';
import type { PopulationOf } from '../../model/population.ts';
import type { Position } from '../../model/position.ts';
import { type Element, parseXml } from '../../syntax/xml.ts';
import { Attributes, readImpairment, type ToldOfFile } from './attributes.ts';
import { parseCommand } from './command.ts';
import { withNames } from './names.ts';
import { Schedule } from './schedule.ts';

const DIALECT = { root: 'experiment', name: 'the Kollaps dialect' };
const SECTIONS = ['services', 'bridges', 'links', 'dynamic'] as const;
type Section = (typeof SECTIONS)[number];

const SERVICE_ATTRIBUTES = [
  ...['name', 'image', 'command', 'share', 'reuse', 'replicas', 'supervisor', 'port', 'activepaths', 'tags'],
  ...['machinename', 'ip', 'kollaps_folder', 'topology_file', 'script', 'controllername', 'controller_ip'],
];
const LINK_ATTRIBUTES = [
  'origin',
  'dest',
  'latency',
  'jitter',
  'drop',
  'upload',
  'download',
  'network',
  'tags',
];

/**
 * Gives `undefined` if there is nothing to check further; `findings` then has the reason. The events are not checked
 * yet. `populationOf`: the effect of events outside of the file.
 */
export function parseKollaps(
  text: string,
  file: string,
  name: string,
  findings: Findings,
  populationOf: PopulationOf = () => [],
): ParsedFile | undefined {
  const root = parseXml(text, DIALECT, findings);
  if (!root) return undefined;
  if (root.name !== 'experiment') {
    const message = `this is not a topology: its root is <${root.name.slice(0, 40)}>, not <experiment>`;
    findings.error(
      'NOT_A_TOPOLOGY',
      root,
      '',
      message,
      'give a topology of the Kollaps dialect, or one in YAML',
    );
    return undefined;
  }
  return new Reader(withNames(root, findings), file, findings, populationOf).read(name);
}

class Reader {
  readonly #root: Element;
  readonly #file: string;
  readonly #findings: Findings;
  readonly #told: ToldOfFile = { rounding: false, suggestions: new Suggestions() };
  readonly #sections: ReadonlyMap<Section, Element>;
  readonly #supervisors = new Set<string>();
  /** Names of nodes that were refused: what refers to them is no further mistake. */
  readonly #refused = new Set<string>();
  readonly #populationOf: PopulationOf;

  constructor(root: Element, file: string, findings: Findings, populationOf: PopulationOf) {
    this.#root = root;
    this.#file = file;
    this.#findings = findings;
    this.#populationOf = populationOf;
    this.#sections = this.#findSections();
  }

  read(name: string): ParsedFile | undefined {
    const schedule = new Schedule(this.#entries('dynamic', 'schedule'), this.#file);
    const services = this.#services(schedule);
    const bridges = this.#bridges();
    if (services.length === 0) {
      this.#findings.error(
        'NO_SERVICES',
        this.#sections.get('services') ?? this.#root,
        'services',
        'there are no services',
        'add <services><service name="…" image="…"/></services>',
      );
      return undefined;
    }
    checkNodes({ services, bridges }, this.#findings);
    const names = new Names({ services, bridges });
    const elements = this.#entries('links', 'link');
    const links = this.#uniqueLinks(elements.flatMap((element) => this.#link(element)));
    const declared = links.map((entry) => entry.link);
    checkLinks(declared, names, labelsOf(links), this.#findings);
    const routing = this.#routing();
    if (this.#findings.hasErrors) return undefined;
    const { events, joining } = schedule.compile(services, names, declared, this.#supervisors);
    checkLinks(
      joining,
      names,
      labelsOf(joining.map((link) => ({ link, attributes: undefined }))),
      this.#findings,
    );
    return {
      topology: { name, routing, services, bridges, links: [...declared, ...joining], events },
      fieldOf: (event) => schedule.fieldOf(event),
      supervisors: this.#supervisors,
      // Kollaps plays them one after the other.
      laterHolds: true,
      withoutReuse: schedule.withoutReuse,
    };
  }

  #findSections(): Map<Section, Element> {
    const found = new Map<Section, Element>();
    this.#warnOfText(this.#root);
    for (const child of this.#root.children) {
      const section = SECTIONS.find((one) => one === child.name);
      if (!section) {
        this.#findings.warning(
          'KEY_UNKNOWN',
          child,
          `<${child.name}>`,
          'this element is unknown and ignored',
          `known are ${SECTIONS.join(' ')}`,
        );
      } else if (found.has(section)) {
        this.#findings.error(
          'KEY_DUPLICATE',
          child,
          `<${section}>`,
          `there is a second <${section}>`,
          'put all into one',
        );
      } else {
        found.set(section, child);
        this.#warnOfText(child);
      }
    }
    return found;
  }

  #warnOfText(element: Element): void {
    if (!element.hasText) return;
    this.#findings.warning(
      'KEY_IGNORED',
      element,
      `<${element.name}>`,
      'text between the elements is ignored',
      'remove it, or make it a comment',
    );
  }

  #entries(section: Section, tag: string): Attributes[] {
    const children = this.#sections.get(section)?.children ?? [];
    return children.flatMap((element) => {
      if (element.name === tag) return [new Attributes(element, this.#findings, this.#told)];
      this.#findings.error(
        'KEY_UNKNOWN',
        element,
        `<${section}>`,
        `<${element.name}> does not belong here`,
        `write <${tag} …/>`,
      );
      return [];
    });
  }

  #routing(): Topology['routing'] {
    const value = this.#root.attributes.get('routing') ?? 'hops';
    if (value === 'hops' || value === 'latency') return value;
    this.#findings.error(
      'VALUE_INVALID',
      this.#root,
      '<experiment> routing',
      `${quote(value)} is no routing`,
      'write hops or latency',
    );
    return 'hops';
  }

  #services(schedule: Schedule): Service[] {
    return this.#entries('services', 'service').flatMap((attributes) => {
      attributes.warnOfUnknown(SERVICE_ATTRIBUTES);
      const name = this.#name(attributes);
      if (name === undefined) return [];
      if (attributes.has('supervisor')) {
        this.#supervisors.add(name);
        attributes.warning(
          'SUPERVISOR_LEFT_OUT',
          undefined,
          `${name} is a supervisor of Kollaps and is left out`,
          'netfold needs none',
        );
        return [];
      }
      if (attributes.has('activepaths')) {
        attributes.warning(
          'KEY_IGNORED',
          'activepaths',
          'activepaths is ignored',
          'netfold computes every path when it is used',
        );
      }
      return [this.#service(name, attributes, schedule)];
    });
  }

  #service(name: string, attributes: Attributes, schedule: Schedule): Service {
    const declared = attributes.count('replicas', MAX_ENDPOINTS) ?? 1;
    const tags = this.#tags(attributes);
    const reuse = attributes.flag('reuse', true);
    const command = attributes.text('command');
    const image = attributes.text('image');
    const machine = machineOf(attributes);
    return {
      name,
      replicas: Math.max(1, schedule.replicasOf(name, reuse, this.#populationOf(name, tags)) ?? declared),
      ...(image ? { image } : {}),
      ...(command ? { command: parseCommand(command) } : {}),
      tags,
      forward: true,
      shareLinks: attributes.flag('share', false),
      ...(machine ? { machine } : {}),
      position: this.#position(attributes),
    };
  }

  #bridges(): Bridge[] {
    return this.#entries('bridges', 'bridge').flatMap((attributes) => {
      attributes.warnOfUnknown(['name', 'tags']);
      const name = this.#name(attributes);
      return name === undefined
        ? []
        : [{ name, tags: this.#tags(attributes), position: this.#position(attributes) }];
    });
  }

  #link(attributes: Attributes): { link: LinkPair; attributes: Attributes }[] {
    attributes.warnOfUnknown(LINK_ATTRIBUTES);
    const from = attributes.required('origin');
    const to = attributes.required('dest');
    for (const required of ['latency', 'upload']) attributes.required(required);
    const properties = readImpairment(attributes);
    const up = attributes.bandwidth('upload');
    const down = attributes.bandwidth('download');
    if (from === undefined || to === undefined || up === undefined) return [];
    if (this.#refused.has(from) || this.#refused.has(to)) return [];
    if (this.#supervisors.has(from) || this.#supervisors.has(to)) {
      attributes.warning('SUPERVISOR_LEFT_OUT', undefined, 'a link of a supervisor is left out', '');
      return [];
    }
    const link: LinkPair = {
      from,
      to,
      up: { ...properties, bandwidth: up },
      ...(down === undefined ? {} : { down: { ...properties, bandwidth: down } }),
      tags: this.#tags(attributes),
      position: this.#position(attributes),
    };
    return [{ link, attributes }];
  }

  /** If a file links two nodes twice, Kollaps uses the first link. */
  #uniqueLinks<T extends { link: LinkPair; attributes: Attributes }>(entries: readonly T[]): T[] {
    const doubles = new Map(
      duplicateLinks(entries.map((one) => one.link)).map(({ index, first }) => [index, first]),
    );
    return entries.filter((entry, index) => {
      const first = doubles.get(index);
      if (first === undefined) return true;
      const message = `these are already linked in line ${entries[first]!.link.position.line}; this link is ignored`;
      entry.attributes.warning('LINK_DUPLICATE', undefined, message, 'remove it');
      return false;
    });
  }

  #name(attributes: Attributes): string | undefined {
    const name = attributes.required('name');
    const problem = name === undefined ? undefined : nameProblem(name);
    if (name === undefined || problem === undefined) return name;
    this.#refused.add(name);
    attributes.error('NAME_INVALID', 'name', `the name ${quote(name)} ${problem}`, NAME_REMEDY);
    return undefined;
  }

  #tags(attributes: Attributes): string[] {
    const tags =
      attributes
        .text('tags')
        ?.split(/[\s;,]+/)
        .filter((tag) => tag !== '') ?? [];
    for (const tag of tags) {
      const problem = nameProblem(tag);
      if (problem !== undefined)
        attributes.error('NAME_INVALID', 'tags', `the tag ${quote(tag)} ${problem}`, NAME_REMEDY);
    }
    return tags;
  }

  #position({ element }: Attributes): Position {
    return { file: this.#file, line: element.line, column: element.column };
  }
}

function labelsOf(entries: readonly { link: LinkPair; attributes: Attributes | undefined }[]): LinkLabels {
  const attribute = { from: 'origin', to: 'dest', link: undefined };
  return {
    field: (index, end) => entries[index]?.attributes?.field(attribute[end]) ?? '<schedule>',
    place: (index) => entries[index]?.link.position ?? { line: 1, column: 1 },
  };
}

function machineOf(attributes: Attributes): Machine | undefined {
  const [host, address, folder, script] = ['machinename', 'ip', 'kollaps_folder', 'script'].map((key) =>
    attributes.text(key),
  );
  if (address !== undefined && !/^[0-9A-Fa-f.:]+$/.test(address)) {
    attributes.error(
      'VALUE_INVALID',
      'ip',
      `${quote(address)} is not an IP address`,
      'write e.g. ip="192.0.2.1"',
    );
  }
  const machine = {
    ...(host && { host }),
    ...(address && { address }),
    ...(folder && { folder }),
    ...(script && { script }),
  };
  return Object.keys(machine).length === 0 ? undefined : machine;
}
