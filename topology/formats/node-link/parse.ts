/**
 * Node-link JSON, as NetworkX (`networkx.readwrite.json_graph.node_link_data`) and topohub write it → `Topology`.
 * topology/networks/ has the meaning of attributes.
 */
import { type Findings, quote } from '../../model/diagnostics.ts';
import type { ParsedFile } from '../../model/parsed-file.ts';
import type { Network, NetworkEdge, NetworkNode } from '../../networks/network.ts';
import { Notes } from '../../networks/notes.ts';
import { topologyOf } from '../../networks/topology.ts';
import { type Json, type JsonArray, type JsonObject, parseJson } from '../../syntax/json.ts';

/** NetworkX wrote `links` until its version 3.4, and writes `edges` since then. */
const EDGE_LISTS = ['edges', 'links'];
/** topohub: longitude, latitude. */
const POSITION = 'pos';

/** Gives `undefined` if there is nothing to check further; `findings` then has the reason. */
export function parseNodeLink(
  text: string,
  file: string,
  name: string,
  findings: Findings,
): ParsedFile | undefined {
  const root = parseJson(text, findings);
  if (!root) return undefined;
  const nodes = listOf(root, ['nodes'], findings);
  const edges = listOf(root, EDGE_LISTS, findings);
  if (root.kind !== 'object' || !nodes || !edges) return undefined;
  const notes = new Notes(findings);
  const network = new Reader(findings, notes).read(root, nodes, edges);
  return findings.hasErrors ? undefined : topologyOf(network, { name, file, findings, notes });
}

function listOf(root: Json, keys: readonly string[], findings: Findings): JsonArray | undefined {
  const members = root.kind === 'object' ? root.members : new Map<string, Json>();
  const key = keys.find((one) => members.has(one));
  const value = key === undefined ? undefined : members.get(key);
  if (value?.kind === 'array') return value;
  const message = `this is not a graph: it has no list ${keys.map(quote).join(' or ')}`;
  const remedy = 'a graph is { "nodes": [{ "id": … }], "edges": [{ "source": …, "target": … }] }';
  findings.error('NOT_A_TOPOLOGY', value ?? root, '', message, remedy);
  return undefined;
}

class Reader {
  readonly #findings: Findings;
  readonly #notes: Notes;

  constructor(findings: Findings, notes: Notes) {
    this.#findings = findings;
    this.#notes = notes;
  }

  read(root: JsonObject, nodeList: JsonArray, edgeList: JsonArray): Network {
    const nodes = nodeList.items.flatMap((item, index) => this.#node(item, index));
    const directed = root.members.get('directed');
    const isDirected = directed?.kind === 'word' && directed.text === 'true';
    const edges = edgeList.items.flatMap((item, index) => this.#edge(item, index, isDirected));
    this.#dropOthers(root);
    return { nodes, edges: this.#withIds(edges, nodes) };
  }

  #dropOthers({ members }: JsonObject): void {
    const used = ['nodes', 'directed', 'multigraph', EDGE_LISTS.find((key) => members.has(key))];
    for (const [key, value] of members) {
      if (used.includes(key)) continue;
      if (key !== 'graph' || value.kind !== 'object') this.#notes.drop(key, 'graph', value, '');
      else for (const [inner, one] of value.members) this.#notes.drop(inner, 'graph', one, 'graph');
    }
  }

  #node(item: Json, index: number): NetworkNode[] {
    const field = `nodes[${index}]`;
    const object = this.#object(item, field);
    if (!object) return [];
    const id = object.members.get('id');
    const text = id === undefined ? String(index) : this.#identity(id, `${field}.id`);
    if (text === undefined) return [];
    const attributes = this.#attributes(object, 'node', field);
    const position = object.members.get(POSITION);
    if (position) this.#position(position, attributes, field);
    return [{ id: text, attributes, place: placeOf(object), field }];
  }

  #edge(item: Json, index: number, isDirected: boolean): NetworkEdge[] {
    // Both names of the list mean the same.
    const field = `edges[${index}]`;
    const object = this.#object(item, field);
    if (!object) return [];
    const [source, target] = ['source', 'target'].map((end) => {
      const value = object.members.get(end);
      if (value) return this.#identity(value, `${field}.${end}`);
      const message = `${quote(end)} is missing`;
      this.#findings.error('KEY_MISSING', object, field, message, `add "${end}": … with the id of a node`);
      return undefined;
    });
    if (source === undefined || target === undefined) return [];
    const attributes = this.#attributes(object, 'edge', field);
    return [{ source, target, isDirected, attributes, place: placeOf(object), field }];
  }

  #object(item: Json, field: string): JsonObject | undefined {
    if (item.kind === 'object') return item;
    this.#findings.error('VALUE_INVALID', item, field, 'this is no object', 'write { … }');
    return undefined;
  }

  #identity(value: Json, field: string): string | undefined {
    if (value.kind === 'text' || value.kind === 'number') return value.text;
    const message = 'an id is a text or a number here';
    this.#findings.error('VALUE_INVALID', value, field, message, 'write e.g. "id": "a" or "id": 0');
    return undefined;
  }

  /** Texts, numbers and words; what is nested is left out, and null is nothing. */
  #attributes(object: JsonObject, owner: string, field: string): Map<string, string> {
    const attributes = new Map<string, string>();
    for (const [key, value] of object.members) {
      if (value.kind === 'word' && value.text === 'null') continue;
      if (value.kind !== 'object' && value.kind !== 'array') attributes.set(key, value.text);
      else if (key !== POSITION || owner !== 'node') this.#notes.drop(key, owner, value, field);
    }
    return attributes;
  }

  #position(value: Json, attributes: Map<string, string>, field: string): void {
    const [longitude, latitude, ...rest] = value.kind === 'array' ? value.items : [];
    if (longitude?.kind !== 'number' || latitude?.kind !== 'number' || rest.length > 0) {
      this.#notes.drop(POSITION, 'node', value, field);
      return;
    }
    if (attributes.has('longitude') || attributes.has('latitude')) return;
    const message = `pos [${longitude.text.slice(0, 20)}, ${latitude.text.slice(0, 20)}] counts as longitude and latitude in degrees`;
    const kind = { code: 'UNIT_ASSUMED', what: 'positions', shown: 1 } as const;
    this.#notes.tell(kind, value, field, message, 'remove pos if it is something else');
    attributes.set('longitude', longitude.text).set('latitude', latitude.text);
  }

  /** NetworkX 1 wrote the places of nodes in their list, from 0, as the ends of edges. */
  #withIds(edges: readonly NetworkEdge[], nodes: readonly NetworkNode[]): readonly NetworkEdge[] {
    const ids = new Set(nodes.map(({ id }) => id));
    const isPlace = (end: string): boolean =>
      /^\d{1,7}$/.test(end) && Number(end) < nodes.length && !ids.has(end);
    const [first] = edges;
    if (!first || !edges.every(({ source, target }) => isPlace(source) && isPlace(target))) return edges;
    const message =
      'the ends of edges count as places in the list of nodes, from 0, since no node has such an id';
    this.#notes.tell({ code: 'ENDS_ASSUMED', what: 'ends by place' }, first.place, first.field, message, '');
    return edges.map((edge) => ({
      ...edge,
      source: nodes[Number(edge.source)]!.id,
      target: nodes[Number(edge.target)]!.id,
    }));
  }
}

function placeOf({ line, column }: Json): { line: number; column: number } {
  return { line, column };
}
