/**
 * SNDlib's XML (Orlowski et al., "SNDlib 1.0: Survivable Network Design Library", Networks 55 (2010); sndlib.zib.de) →
 * `Topology`: nodes with coordinates, links with the capacity of their modules. Demands are left out.
 */
import { type Findings, quote } from '../../model/diagnostics.ts';
import type { ParsedFile } from '../../model/parsed-file.ts';
import type { NetworkEdge, NetworkNode } from '../../networks/network.ts';
import { Notes } from '../../networks/notes.ts';
import { topologyOf } from '../../networks/topology.ts';
import { type Element, parseXml, textOf } from '../../syntax/xml.ts';

const DIALECT = { root: 'network', name: "SNDlib's XML" };
/** The names of SNDlib's `unit` → an attribute of that unit (topology/networks/vocabulary.ts). */
const UNITS: ReadonlyMap<string, string> = new Map([
  ['BITPERSEC', 'capacity_bps'],
  ['KBITPERSEC', 'capacity_kbps'],
  ['MBITPERSEC', 'capacity_mbps'],
  ['GBITPERSEC', 'capacity_gbps'],
]);
const ASSUMED_UNIT = 'MBITPERSEC';

/** Gives `undefined` if there is nothing to check further; `findings` then has the reason. */
export function parseSndlib(
  text: string,
  file: string,
  name: string,
  findings: Findings,
): ParsedFile | undefined {
  const root = parseXml(text, DIALECT, findings);
  if (!root) return undefined;
  const structure = one(root, 'networkStructure');
  if (!structure) {
    const message = "this is no network of SNDlib's: it has no <networkStructure>";
    findings.error('NOT_A_TOPOLOGY', root, '', message, 'give a network, not a model or a solution');
    return undefined;
  }
  const notes = new Notes(findings);
  const reader = new Reader(root, findings, notes);
  const network = { nodes: reader.nodes(structure), edges: reader.edges(structure) };
  reader.dropOthers();
  return findings.hasErrors ? undefined : topologyOf(network, { name, file, findings, notes });
}

function local(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function all(parent: Element | undefined, name: string): Element[] {
  return parent?.children.filter((child) => local(child.name) === name) ?? [];
}

function one(parent: Element | undefined, name: string): Element | undefined {
  return all(parent, name)[0];
}

class Reader {
  readonly #root: Element;
  readonly #findings: Findings;
  readonly #notes: Notes;

  constructor(root: Element, findings: Findings, notes: Notes) {
    this.#root = root;
    this.#findings = findings;
    this.#notes = notes;
  }

  nodes(structure: Element): NetworkNode[] {
    const list = one(structure, 'nodes');
    const isOnEarth = list?.attributes.get('coordinatesType') === 'geographical';
    if (list && !isOnEarth && all(list, 'node').length > 0) {
      const message = 'coordinates are no degrees (coordinatesType is not geographical), and are left out';
      this.#notes.tell({ code: 'KEY_IGNORED', what: 'coordinates' }, list, '<nodes>', message, '');
    }
    return all(list, 'node').flatMap((node) => {
      const id = this.#required(node, node.attributes.get('id'), 'id');
      if (id === undefined) return [];
      const attributes = new Map<string, string>();
      const coordinates = isOnEarth ? one(node, 'coordinates') : undefined;
      for (const [element, attribute] of [
        ['x', 'longitude'],
        ['y', 'latitude'],
      ] as const) {
        const value = this.#text(coordinates, element);
        if (value !== undefined) attributes.set(attribute, value);
      }
      return [{ id, attributes, place: placeOf(node), field: `<node id=${quote(id)}>` }];
    });
  }

  edges(structure: Element): NetworkEdge[] {
    const unit = this.#unit();
    return all(one(structure, 'links'), 'link').flatMap((link) => {
      const source = this.#required(link, this.#text(link, 'source'), 'source');
      const target = this.#required(link, this.#text(link, 'target'), 'target');
      if (source === undefined || target === undefined) return [];
      const field = `<link id=${quote(link.attributes.get('id') ?? '')}>`;
      const capacity = this.#capacity(link, field);
      const attributes = new Map(capacity === undefined ? [] : [[unit, capacity]]);
      const known = ['source', 'target', 'preInstalledModule', 'additionalModules'];
      for (const child of link.children)
        if (!known.includes(local(child.name))) this.#notes.drop(local(child.name), 'edge', child, field);
      return [{ source, target, isDirected: false, attributes, place: placeOf(link), field }];
    });
  }

  /** Of what is installed; else of the first module that could be. */
  #capacity(link: Element, field: string): string | undefined {
    const installed = this.#text(one(link, 'preInstalledModule'), 'capacity');
    if (installed !== undefined && Number(installed) > 0) return installed;
    const possible = this.#text(one(one(link, 'additionalModules'), 'addModule'), 'capacity');
    if (possible === undefined) return undefined;
    const message = `nothing is installed: the first possible module, ${quote(possible)}, counts as the capacity`;
    this.#notes.tell(
      { code: 'BANDWIDTH_ASSUMED', what: 'capacities of possible modules' },
      link,
      field,
      message,
      '',
    );
    return possible;
  }

  #unit(): string {
    const meta = one(this.#root, 'meta');
    const unit = this.#text(meta, 'unit');
    const attribute = UNITS.get((unit ?? '').toUpperCase());
    if (attribute !== undefined) return attribute;
    const what = unit === undefined ? 'no unit of capacities is given' : `the unit ${quote(unit)} is unknown`;
    const message = `${what}: they count as Mbit/s`;
    const place = one(meta, 'unit') ?? this.#root;
    this.#notes.tell({ code: 'UNIT_ASSUMED', what: 'the unit of capacities' }, place, '<unit>', message, '');
    return UNITS.get(ASSUMED_UNIT)!;
  }

  dropOthers(): void {
    for (const child of this.#root.children) {
      const name = local(child.name);
      if (!['meta', 'networkStructure'].includes(name)) this.#notes.drop(name, 'graph', child, '<network>');
    }
  }

  #text(parent: Element | undefined, name: string): string | undefined {
    const found = one(parent, name);
    return found && textOf(found, this.#findings);
  }

  #required(element: Element, value: string | undefined, what: string): string | undefined {
    if (value !== undefined && value !== '') return value;
    const field = `<${local(element.name).slice(0, 40)}>`;
    this.#findings.error('KEY_MISSING', element, field, `${what} is missing`, `add the ${what}`);
    return undefined;
  }
}

function placeOf({ line, column }: Element): { line: number; column: number } {
  return { line, column };
}
