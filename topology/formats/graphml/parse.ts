/**
 * GraphML (graphml.graphdrawing.org, "GraphML primer", 2002; Brandes et al., "GraphML progress report", GD 2001) →
 * `Topology`. Graphs inside of nodes are read as parts of the one that they are in. topology/networks/ has the meaning of
 * attributes.
 */
import { type Findings, quote } from '../../model/diagnostics.ts';
import type { ParsedFile } from '../../model/parsed-file.ts';
import type { Attributes, Network, NetworkEdge, NetworkNode } from '../../networks/network.ts';
import { Notes } from '../../networks/notes.ts';
import { topologyOf } from '../../networks/topology.ts';
import { type Element, parseXml, textOf } from '../../syntax/xml.ts';

const DIALECT = { root: 'graphml', name: 'GraphML' };

/** Gives `undefined` if there is nothing to check further; `findings` then has the reason. */
export function parseGraphml(
  text: string,
  file: string,
  name: string,
  findings: Findings,
): ParsedFile | undefined {
  const root = parseXml(text, DIALECT, findings);
  if (!root) return undefined;
  if (local(root.name) !== 'graphml') {
    const message = `this is not GraphML: its root is <${root.name.slice(0, 40)}>, not <graphml>`;
    findings.error('NOT_A_TOPOLOGY', root, '', message, 'give the file the ending of its format');
    return undefined;
  }
  const notes = new Notes(findings);
  const network = new Reader(findings, notes).read(root);
  return findings.hasErrors ? undefined : topologyOf(network, { name, file, findings, notes });
}

/** Without a prefix of a namespace. */
function local(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function named(elements: readonly Element[], name: string): Element[] {
  return elements.filter((one) => local(one.name) === name);
}

/** What a key declares: the attribute that `<data>` has. */
interface Key {
  readonly name: string;
  readonly of: string;
  readonly otherwise?: string;
}

class Reader {
  readonly #findings: Findings;
  readonly #notes: Notes;
  readonly #keys = new Map<string, Key>();
  readonly #nodes: NetworkNode[] = [];
  readonly #edges: NetworkEdge[] = [];
  #defaults: ReadonlyMap<string, readonly Key[]> = new Map();
  #hyperedges = 0;

  constructor(findings: Findings, notes: Notes) {
    this.#findings = findings;
    this.#notes = notes;
  }

  read(root: Element): Network {
    for (const key of named(root.children, 'key')) this.#declare(key);
    const withDefault = [...this.#keys.values()].filter(({ otherwise }) => otherwise !== undefined);
    this.#defaults = new Map(
      ['node', 'edge'].map((owner) => [
        owner,
        withDefault.filter(({ of }) => of === owner || of === 'all' || of === ''),
      ]),
    );
    const [graph, ...others] = named(root.children, 'graph');
    for (const other of others) {
      const message = 'a second graph is left out: a topology is one network';
      this.#notes.tell({ code: 'KEY_IGNORED', what: 'further graphs' }, other, '<graph>', message, '');
    }
    if (graph) this.#graph(graph, '');
    return { nodes: this.#nodes, edges: this.#edges };
  }

  #declare(element: Element): void {
    const id = element.attributes.get('id');
    if (id === undefined) {
      this.#findings.error('KEY_MISSING', element, '<key>', 'the attribute id is missing', 'add id="…"');
      return;
    }
    const [otherwise] = named(element.children, 'default');
    this.#keys.set(id, {
      name: element.attributes.get('attr.name') ?? id,
      of: element.attributes.get('for') ?? '',
      ...(otherwise && { otherwise: textOf(otherwise, this.#findings) }),
    });
  }

  /** Not deeper than `MAX_DEPTH`, which the parser of XML has checked. `inside`: the field of the node that it is in. */
  #graph(graph: Element, inside: string): void {
    const isDirected = graph.attributes.get('edgedefault') === 'directed';
    for (const child of graph.children) {
      switch (local(child.name)) {
        case 'node':
          this.#node(child);
          break;
        case 'edge':
          this.#edge(child, isDirected);
          break;
        case 'hyperedge':
          this.#hyperedge(child);
          break;
        case 'data':
          if (inside === '') this.#dropGraphData(child);
          break;
        case 'desc':
          break;
        default:
          this.#unknown(child);
      }
    }
  }

  #dropGraphData(data: Element): void {
    const key = this.#keyOf(data);
    if (key) this.#notes.drop(key.name, 'graph', data, '<graph>');
  }

  #node(element: Element): void {
    const id = element.attributes.get('id');
    if (id === undefined) {
      this.#findings.error('KEY_MISSING', element, '<node>', 'the attribute id is missing', 'add id="…"');
      return;
    }
    const field = `<node id=${quote(id)}>`;
    const graphs = named(element.children, 'graph');
    if (graphs.length > 0) {
      const message = 'the graph in it is read as a part of the one that it is in';
      this.#notes.tell({ code: 'KEY_IGNORED', what: 'nodes with graphs' }, element, field, message, '');
    }
    this.#nodes.push({
      id,
      isHub: graphs.length > 0,
      attributes: this.#attributes(element, 'node', field),
      place: placeOf(element),
      field,
    });
    for (const graph of graphs) this.#graph(graph, field);
  }

  #edge(element: Element, isDirected: boolean): void {
    const ends = ['source', 'target'].map((end) => element.attributes.get(end));
    const [source, target] = ends;
    if (source === undefined || target === undefined) {
      const missing = source === undefined ? 'source' : 'target';
      const message = `the attribute ${missing} is missing`;
      this.#findings.error('KEY_MISSING', element, '<edge>', message, `add ${missing}="…"`);
      return;
    }
    const own = element.attributes.get('directed');
    const field = `<edge source=${quote(source)} target=${quote(target)}>`;
    this.#edges.push({
      source,
      target,
      isDirected: own === undefined ? isDirected : /^(?:true|1)$/.test(own),
      attributes: this.#attributes(element, 'edge', field),
      place: placeOf(element),
      field,
    });
  }

  /** An edge among any number of nodes: a hub that is linked to each of them, at half of its latency. */
  #hyperedge(element: Element): void {
    const id = `hyperedge-${++this.#hyperedges}`;
    const field = '<hyperedge>';
    const endpoints = named(element.children, 'endpoint').flatMap((one) => one.attributes.get('node') ?? []);
    const message = `an edge among ${endpoints.length} nodes becomes a bridge ${id}-r that is linked to each of them, at half of its latency`;
    this.#notes.tell({ code: 'LINK_LEFT_OUT', what: 'hyperedges' }, element, field, message, '');
    const attributes = this.#attributes(element, 'edge', field);
    const place = placeOf(element);
    // Ids of nodes are XML names, which have no blank.
    const hub = `hyperedge ${this.#hyperedges}`;
    this.#nodes.push({ id: hub, isHub: true, attributes: new Map([['label', id]]), place, field });
    for (const source of new Set(endpoints))
      this.#edges.push({ source, target: hub, isDirected: false, isLeg: true, attributes, place, field });
  }

  #attributes(element: Element, owner: string, field: string): Attributes {
    const attributes = new Map<string, string>();
    for (const child of element.children) {
      const kind = local(child.name);
      if (kind === 'data') {
        const key = this.#keyOf(child);
        if (!key) continue;
        if (child.children.length > 0) this.#notes.drop(key.name, owner, child, field);
        else attributes.set(key.name, textOf(child, this.#findings));
      } else if (!['graph', 'endpoint', 'desc', 'port'].includes(kind)) this.#unknown(child);
    }
    for (const { name, otherwise } of this.#defaults.get(owner) ?? [])
      if (!attributes.has(name)) attributes.set(name, otherwise!);
    return attributes;
  }

  #keyOf(data: Element): Key | undefined {
    const id = data.attributes.get('key') ?? '';
    const key = this.#keys.get(id);
    if (!key) {
      const message = `there is no <key id=${quote(id)}>, so what this says is unknown: it is left out`;
      this.#notes.tell({ code: 'KEY_UNKNOWN', what: 'data without a key' }, data, '<data>', message, '');
    }
    return key;
  }

  #unknown({ name, line, column }: Element): void {
    const field = `<${name.slice(0, 40)}>`;
    const message = 'this element is unknown and left out';
    this.#notes.tell({ code: 'KEY_UNKNOWN', what: 'unknown elements' }, { line, column }, field, message, '');
  }
}

function placeOf({ line, column }: Element): { line: number; column: number } {
  return { line, column };
}
