/**
 * Topologies of netlab (netlab.tools/topology-reference) → `Topology`: nodes are services, which forward unless their role is host; a link
 * of more than two nodes is a bridge. `bandwidth` is in kbit/s, as there.
 */
import { type Findings, quote } from '../../model/diagnostics.ts';
import type { ParsedFile } from '../../model/parsed-file.ts';
import { imageName, isMapping, type Mapping, textOfScalar } from '../../networks/containers.ts';
import { DocumentNotes, fieldOf, type Path } from '../../networks/document-notes.ts';
import { type LabNode, labOf } from '../../networks/lab.ts';
import type { NetworkEdge } from '../../networks/network.ts';
import { Notes } from '../../networks/notes.ts';
import { YamlDocument } from '../native/yaml/document.ts';

/** Keys of a link that are no nodes. */
const OF_LINKS = [
  ...[
    'bandwidth',
    'type',
    'name',
    'prefix',
    'role',
    'mtu',
    'gateway',
    'bridge',
    'pool',
    'interfaces',
    'group',
  ],
  ...[
    'bgp',
    'ospf',
    'isis',
    'eigrp',
    'vlan',
    'vrf',
    'mpls',
    'disable',
    'dhcp',
    'ra',
    'stp',
    'lag',
    'linkname',
    'tc',
  ],
];
/** Of netlab's `tc`: delay and jitter in milliseconds, loss in percent, rate in kbit/s. */
const SHAPES: ReadonlyMap<string, string> = new Map([
  ['delay', 'delay'],
  ['jitter', 'jitter'],
  ['loss', 'loss'],
  ['rate', 'bandwidth_kbps'],
]);

/** Gives `undefined` if there is nothing to check further; `findings` then has the reason. */
export function parseNetlab(
  text: string,
  file: string,
  name: string,
  findings: Findings,
): ParsedFile | undefined {
  const document = YamlDocument.parse(text, findings);
  if (!document) return undefined;
  const root = isMapping(document.value) ? document.value : {};
  if (!isMapping(root.nodes) && !Array.isArray(root.nodes)) {
    const message = 'this is no topology of netlab: it has no nodes';
    findings.error('NOT_A_TOPOLOGY', document.at(['nodes']), 'nodes', message, 'write nodes: [r1, r2]');
    return undefined;
  }
  const notes = new Notes(findings);
  const reader = new Reader(document, new DocumentNotes(file, document, notes), notes, findings);
  const lab = reader.read(root);
  const label = textOfScalar(root.name);
  const called = label !== undefined && /^[A-Za-z][A-Za-z0-9_]{0,39}$/.test(label) ? label : name;
  return findings.hasErrors ? undefined : labOf(lab, { name: called, file, findings, notes });
}

class Reader {
  readonly #document: YamlDocument;
  readonly #told: DocumentNotes;
  readonly #notes: Notes;
  readonly #findings: Findings;
  readonly #nodes: LabNode[] = [];
  readonly #edges: NetworkEdge[] = [];

  constructor(document: YamlDocument, told: DocumentNotes, notes: Notes, findings: Findings) {
    this.#document = document;
    this.#told = told;
    this.#notes = notes;
    this.#findings = findings;
  }

  read(root: Mapping): { nodes: LabNode[]; edges: NetworkEdge[] } {
    for (const key of Object.keys(root))
      if (!['name', 'nodes', 'links'].includes(key)) this.#told.drop(key, 'graph', [key]);
    const { nodes, links } = root;
    if (Array.isArray(nodes))
      nodes.forEach((one: unknown, index) => {
        const settings = isMapping(one) ? one : {};
        this.#node(textOfScalar(isMapping(one) ? one.name : one), settings, ['nodes', index]);
      });
    else
      for (const [id, settings] of Object.entries(nodes as Mapping))
        this.#node(id, isMapping(settings) ? settings : {}, ['nodes', id]);
    if (Array.isArray(links))
      links.forEach((link: unknown, index) => {
        this.#link(link, ['links', index]);
      });
    else if (links !== undefined && links !== null)
      this.#refuse(['links'], 'links is no list', 'write e.g. - r1-r2');
    return { nodes: this.#nodes, edges: this.#edges };
  }

  #node(id: string | undefined, settings: Mapping, path: Path): void {
    if (id === undefined) {
      this.#refuse(path, 'a node has a name', 'write e.g. nodes: [r1, r2]');
      return;
    }
    const place = this.#document.at(path);
    const field = fieldOf(path);
    const image = imageName(settings.image, { place, field, notes: this.#notes });
    const isHost = settings.role === 'host' || settings.device === 'linux';
    const isBridge = settings.role === 'bridge';
    for (const key of Object.keys(settings))
      if (!['image', 'role', 'device', 'name', 'id'].includes(key))
        this.#told.drop(key, 'node', [...path, key]);
    const kind = isBridge ? 'switch' : isHost ? 'host' : 'router';
    this.#nodes.push({ id, label: id, kind, ...(image !== undefined && { image }), place, field });
  }

  /** `r1-r2`, `[r1, r2]`, `{ r1:, r2:, bandwidth: 1000 }`, or `{ interfaces: [{ node: r1 }, { node: r2 }] }`. */
  #link(link: unknown, path: Path): void {
    const text = textOfScalar(link);
    if (text !== undefined) {
      this.#join(text.split('-'), new Map(), path);
      return;
    }
    if (Array.isArray(link)) {
      this.#join(
        link.map((one: unknown) => nodeOf(one) ?? ''),
        new Map(),
        path,
      );
      return;
    }
    if (!isMapping(link)) {
      this.#refuse(path, 'this is no link', 'write e.g. - r1-r2');
      return;
    }
    const ends = Array.isArray(link.interfaces)
      ? link.interfaces.map((one: unknown) => nodeOf(one) ?? '')
      : Object.keys(link).filter((key) => !OF_LINKS.includes(key));
    this.#join(ends, this.#attributes(link, path), path);
  }

  #attributes(link: Mapping, path: Path): Map<string, string> {
    const attributes = new Map<string, string>();
    const rate = textOfScalar(link.bandwidth);
    if (rate !== undefined) attributes.set('bandwidth_kbps', rate);
    if (isMapping(link.tc))
      for (const [key, value] of Object.entries(link.tc)) {
        const [shape, one] = [SHAPES.get(key), textOfScalar(value)];
        if (shape === undefined || one === undefined) this.#told.drop(key, 'edge', [...path, 'tc', key]);
        else attributes.set(shape, shape === 'loss' && /^[\d.]+$/.test(one) ? `${one}%` : one);
      }
    for (const key of Object.keys(link))
      if (OF_LINKS.includes(key) && !['bandwidth', 'interfaces', 'tc'].includes(key))
        this.#told.drop(key, 'edge', [...path, key]);
    return attributes;
  }

  #join(ends: readonly string[], attributes: ReadonlyMap<string, string>, path: Path): void {
    const names = ends.map((end) => end.trim());
    const common = { isDirected: false, attributes, place: this.#document.at(path), field: fieldOf(path) };
    if (names.length === 0 || names.some((name) => name === '')) {
      this.#refuse(path, 'a link names nodes', 'write e.g. - r1-r2');
      return;
    }
    if (names.length === 1) {
      const message = `a stub network of ${quote(names[0])} is left out: nobody else is on it`;
      this.#told.tell('LINK_LEFT_OUT', 'links with one node', path, message, '');
      return;
    }
    if (names.length === 2) {
      this.#edges.push({ source: names[0]!, target: names[1]!, ...common });
      return;
    }
    const id = `lan ${fieldOf(path)}`;
    const { place, field } = common;
    this.#nodes.push({ id, label: `lan${Number(path.at(-1)) + 1}`, kind: 'switch', place, field });
    for (const name of names) this.#edges.push({ source: name, target: id, ...common });
  }

  #refuse(path: Path, message: string, remedy: string): void {
    this.#findings.error('VALUE_INVALID', this.#document.at(path), fieldOf(path), message, remedy);
  }
}

function nodeOf(value: unknown): string | undefined {
  return isMapping(value) ? textOfScalar(value.node) : textOfScalar(value);
}
