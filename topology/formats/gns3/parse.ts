/**
 * Projects of GNS3 (`.gns3`; gns3server/schemas) → `Topology`: its nodes, and links with their filters `latency` (milliseconds, jitter),
 * `packet_loss` (percent). Clouds and NAT lead out of the lab and are left out.
 */
import type { Findings } from '../../model/diagnostics.ts';
import type { ParsedFile } from '../../model/parsed-file.ts';
import { imageName } from '../../networks/containers.ts';
import { itemsOf, memberOf, placeOf, required, scalarOf } from '../../networks/json-lists.ts';
import { type LabNode, labOf } from '../../networks/lab.ts';
import type { NetworkEdge } from '../../networks/network.ts';
import { Notes } from '../../networks/notes.ts';
import { type Json, parseJson } from '../../syntax/json.ts';

const SWITCHES = ['ethernet_switch', 'ethernet_hub', 'frame_relay_switch', 'atm_switch'];
const OUTSIDE = ['cloud', 'nat'];
const ROUTERS = ['dynamips', 'iou'];

/** Gives `undefined` if there is nothing to check further; `findings` then has the reason. */
export function parseGns3(
  text: string,
  file: string,
  name: string,
  findings: Findings,
): ParsedFile | undefined {
  const root = parseJson(text, findings);
  if (!root) return undefined;
  const topology = memberOf(root, 'topology');
  const nodes = memberOf(topology, 'nodes');
  if (nodes?.kind !== 'array') {
    const message = 'this is no project of GNS3: it has no topology with nodes';
    findings.error(
      'NOT_A_TOPOLOGY',
      topology ?? root,
      'topology.nodes',
      message,
      'give a .gns3 file of GNS3 2 or later',
    );
    return undefined;
  }
  const notes = new Notes(findings);
  const reader = new Reader(findings, notes);
  if (topology?.kind === 'object')
    for (const [key, value] of topology.members)
      if (!['nodes', 'links'].includes(key) && itemsOf(value).length > 0)
        notes.drop(key, 'graph', value, 'topology');
  const lab = {
    nodes: nodes.items.flatMap((item, index) => reader.node(item, `nodes[${index}]`)),
    edges: itemsOf(memberOf(topology, 'links')).flatMap((item, index) =>
      reader.edge(item, `links[${index}]`),
    ),
    guessesRouters: true,
  };
  return findings.hasErrors ? undefined : labOf(lab, { name, file, findings, notes });
}

class Reader {
  readonly #findings: Findings;
  readonly #notes: Notes;
  readonly #outside = new Set<string>();

  constructor(findings: Findings, notes: Notes) {
    this.#findings = findings;
    this.#notes = notes;
  }

  node(item: Json, field: string): LabNode[] {
    const id = required(item, 'node_id', field, this.#findings);
    if (id === undefined) return [];
    const type = scalarOf(memberOf(item, 'node_type')) ?? '';
    const place = placeOf(item);
    const label = scalarOf(memberOf(item, 'name')) ?? id;
    if (OUTSIDE.includes(type)) {
      this.#outside.add(id);
      const message = `${label} leads out of the lab, and is left out with its links`;
      this.#notes.tell(
        { code: 'LINK_LEFT_OUT', what: 'nodes that lead out of the lab' },
        place,
        field,
        message,
        '',
      );
      return [];
    }
    const written = scalarOf(memberOf(memberOf(item, 'properties'), 'image'));
    const image = type === 'docker' ? imageName(written, { place, field, notes: this.#notes }) : undefined;
    const kind = SWITCHES.includes(type) ? 'switch' : ROUTERS.includes(type) ? 'router' : 'host';
    return [{ id, label, kind, ...(image !== undefined && { image }), place, field }];
  }

  edge(item: Json, field: string): NetworkEdge[] {
    const ends = itemsOf(memberOf(item, 'nodes')).map((end) => scalarOf(memberOf(end, 'node_id')));
    const [source, target, ...rest] = ends;
    if (source === undefined || target === undefined || rest.length > 0) {
      const message = 'a link has two nodes';
      this.#findings.error(
        'VALUE_INVALID',
        item,
        field,
        message,
        'write "nodes": [{ "node_id": … }, { "node_id": … }]',
      );
      return [];
    }
    if (this.#outside.has(source) || this.#outside.has(target)) return [];
    const attributes = this.#filters(memberOf(item, 'filters'), field);
    const suspended = memberOf(item, 'suspend');
    if (suspended?.kind === 'word' && suspended.text === 'true')
      this.#notes.drop('suspend', 'edge', suspended, field);
    return [{ source, target, isDirected: false, attributes, place: placeOf(item), field }];
  }

  #filters(filters: Json | undefined, field: string): Map<string, string> {
    const attributes = new Map<string, string>();
    if (filters?.kind !== 'object') return attributes;
    for (const [key, value] of filters.members) {
      const [first, second] = itemsOf(value).map(scalarOf);
      if (key === 'latency' && first !== undefined) {
        attributes.set('latency_ms', first);
        if (second !== undefined && Number(second) !== 0) attributes.set('jitter_ms', second);
      } else if (key === 'packet_loss' && first !== undefined) attributes.set('loss', `${first}%`);
      else this.#notes.drop(key, 'edge', value, field);
    }
    return attributes;
  }
}
