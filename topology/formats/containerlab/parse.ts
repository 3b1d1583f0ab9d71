/**
 * A lab of containerlab (containerlab.dev/manual/topo-def-file) → `Topology`. Nodes of kind `bridge` and `ovs-bridge` are
 * bridges, all others services; a service with links to several others forwards, as routers do.
 */
import { impairment } from '../../../proto/impairment.ts';
import { type Findings, quote } from '../../model/diagnostics.ts';
import type { Bridge, LinkPair, Service } from '../../model/model.ts';
import type { ParsedFile } from '../../model/parsed-file.ts';
import {
  commandWords,
  environment,
  imageName,
  isMapping,
  type Mapping,
  textOfScalar,
} from '../../networks/containers.ts';
import { DocumentNotes, fieldOf, type Path } from '../../networks/document-notes.ts';
import { NodeNames } from '../../networks/names.ts';
import { Notes } from '../../networks/notes.ts';
import { type EdgeLink, withoutParallels } from '../../networks/parallels.ts';
import { checked } from '../../networks/topology.ts';
import { YamlDocument } from '../native/yaml/document.ts';

const BRIDGES = ['bridge', 'ovs-bridge'];
/** The other side of a link that leads out of the lab. */
const OUTSIDE = ['host', 'mgmt-net', 'macvlan', 'vxlan', 'vxlan-stitch', 'dummy'];
const USED_OF_NODE = ['kind', 'image', 'cmd', 'env', 'group'];
const USED_OF_LINK = ['endpoints', 'endpoint', 'type'];

/** Gives `undefined` if there is nothing to check further; `findings` then has the reason. */
export function parseContainerlab(
  text: string,
  file: string,
  name: string,
  findings: Findings,
): ParsedFile | undefined {
  const document = YamlDocument.parse(text, findings);
  if (!document) return undefined;
  const topology = isMapping(document.value) ? document.value.topology : undefined;
  if (!isMapping(topology) || !isMapping(topology.nodes)) {
    const place = document.at(['topology']);
    const message = 'this is no lab of containerlab: it has no topology with nodes';
    const remedy = 'write topology: { nodes: { … }, links: [ … ] }';
    findings.error('NOT_A_TOPOLOGY', place, 'topology.nodes', message, remedy);
    return undefined;
  }
  return new Reader(document, topology, file, findings).read(document.value as Mapping, name);
}

interface Node {
  readonly name: string;
  readonly isBridge: boolean;
  readonly settings: Mapping;
  readonly path: Path;
}

class Reader {
  readonly #document: YamlDocument;
  readonly #topology: Mapping;
  readonly #findings: Findings;
  readonly #notes: Notes;
  readonly #told: DocumentNotes;
  readonly #names = new NodeNames();

  constructor(document: YamlDocument, topology: Mapping, file: string, findings: Findings) {
    this.#document = document;
    this.#topology = topology;
    this.#findings = findings;
    this.#notes = new Notes(findings);
    this.#told = new DocumentNotes(file, document, this.#notes);
  }

  read(root: Mapping, otherwise: string): ParsedFile | undefined {
    const label = textOfScalar(root.name);
    const name = label === undefined ? otherwise : new NodeNames().of(label, 'lab');
    for (const key of Object.keys(root))
      if (key !== 'name' && key !== 'topology') this.#told.drop(key, 'graph', [key]);
    const nodes = this.#nodes();
    const links = withoutParallels(this.#links(nodes), this.#notes);
    if (links.length > 0) this.#tellOfProperties();
    const degrees = degreesOf(links);
    const services = [...nodes.values()].flatMap((node) => this.#service(node, degrees.get(node.name) ?? 0));
    const bridges = [...nodes.values()].flatMap(({ name, isBridge, path }): Bridge[] =>
      isBridge ? [{ name, tags: [], position: this.#told.position(path) }] : [],
    );
    this.#notes.settle();
    if (services.length === 0) {
      const message = 'the lab has no nodes that are hosts or routers';
      this.#findings.error('NO_SERVICES', this.#document.at(['topology', 'nodes']), '', message, 'add some');
      return undefined;
    }
    const pairs = links.map(({ pair }) => pair);
    return checked({ name, services, bridges, links: pairs }, { findings: this.#findings });
  }

  #nodes(): Map<string, Node> {
    const nodes = new Map<string, Node>();
    for (const [id, value] of Object.entries(this.#topology.nodes as Mapping)) {
      const path = ['topology', 'nodes', id];
      const own = isMapping(value) ? value : {};
      const settings = this.#inherited(own);
      const name = this.#names.of(id);
      if (name !== id) {
        const message = `${quote(id)} is called ${name} here, since names are host names`;
        this.#told.tell(
          'NAME_CHANGED',
          'nodes with other names here',
          path,
          message,
          'use this name in commands',
        );
      }
      const isBridge = BRIDGES.includes(String(settings.kind));
      for (const key of Object.keys(settings))
        if (!USED_OF_NODE.includes(key))
          this.#told.drop(key, 'node', [...path, ...(Object.hasOwn(own, key) ? [key] : [])]);
      nodes.set(id, { name, isBridge, settings, path });
    }
    return nodes;
  }

  /** A node's own settings come before those of its group, these before those of its kind, these before the defaults. */
  #inherited(own: Mapping): Mapping {
    const { defaults, kinds, groups } = this.#topology;
    const first = isMapping(defaults) ? defaults : {};
    const group = member(groups, own.group ?? first.group);
    const kind = own.kind ?? group.kind ?? first.kind;
    const all = [first, member(kinds, kind), group, own];
    const env = all.map((one) => one.env).filter(isMapping);
    const merged: Mapping = Object.assign({}, ...all);
    return env.length > 1 ? { ...merged, env: Object.assign({}, ...env) } : merged;
  }

  #service({ name, isBridge, settings, path }: Node, degree: number): Service[] {
    if (isBridge) return [];
    const told = { place: this.#document.at(path), field: fieldOf(path), notes: this.#notes };
    const env = environment(settings.env, told);
    const image = imageName(settings.image, told);
    const command = commandWords(settings.cmd, told);
    if (degree > 1) {
      const message = `${name} is linked to ${degree} others, and forwards here, as a router does`;
      const remedy = 'if it is a host, convert the file and remove its forward: true';
      this.#told.tell('FORWARD_ASSUMED', 'nodes that forward', path, message, remedy);
    }
    return [
      {
        name,
        replicas: 1,
        ...(env && { env }),
        ...(image !== undefined && { image }),
        ...(command && { command }),
        tags: [],
        forward: degree > 1,
        shareLinks: false,
        position: this.#told.position(path),
      },
    ];
  }

  #links(nodes: ReadonlyMap<string, Node>): EdgeLink[] {
    const { links } = this.#topology;
    if (links === undefined || links === null) return [];
    if (!Array.isArray(links)) {
      const place = this.#document.at(['topology', 'links']);
      const remedy = 'write e.g. - endpoints: ["a:eth1", "b:eth1"]';
      this.#findings.error('VALUE_INVALID', place, 'topology.links', 'links is no list', remedy);
      return [];
    }
    return links.flatMap((link: unknown, index) => this.#link(link, ['topology', 'links', index], nodes));
  }

  #link(value: unknown, path: Path, nodes: ReadonlyMap<string, Node>): EdgeLink[] {
    const link = isMapping(value) ? value : {};
    const type = textOfScalar(link.type) ?? 'veth';
    if (OUTSIDE.includes(type)) return this.#leaveOut(type, path);
    const ends = Array.isArray(link.endpoints) ? link.endpoints.map(nodeOfEnd) : [];
    const [source, target, ...rest] = ends;
    if (source === undefined || target === undefined || rest.length > 0) {
      const remedy = 'write two, e.g. endpoints: ["a:eth1", "b:eth1"]';
      const message = 'a link has two endpoints, each a node and its interface';
      this.#findings.error('VALUE_INVALID', this.#document.at(path), fieldOf(path), message, remedy);
      return [];
    }
    const outside = [source, target].find((end) => OUTSIDE.includes(end) && !nodes.has(end));
    if (outside !== undefined) return this.#leaveOut(outside, path);
    for (const key of Object.keys(link))
      if (!USED_OF_LINK.includes(key)) this.#told.drop(key, 'link', [...path, key]);
    return this.#between(source, target, path, nodes);
  }

  #between(source: string, target: string, path: Path, nodes: ReadonlyMap<string, Node>): EdgeLink[] {
    const [from, to] = [nodes.get(source), nodes.get(target)];
    if (!from || !to) {
      const message = `there is no node ${quote(from ? target : source)}`;
      const place = this.#document.at(path);
      this.#findings.error('NAME_UNKNOWN', place, fieldOf(path), message, 'name a node of this file');
      return [];
    }
    if (from === to) {
      const message = `the link leads from ${quote(source)} to itself, and is left out`;
      this.#told.tell('LINK_TO_ITSELF', 'links from a node to itself', path, message, '');
      return [];
    }
    const place = this.#document.at(path);
    const none = impairment({});
    const pair: LinkPair = {
      ...{ from: from.name, to: to.name, up: none, down: none, tags: [] },
      position: this.#told.position(path),
    };
    const field = fieldOf(path);
    return [{ edge: { source, target, isDirected: false, attributes: new Map(), place, field }, pair }];
  }

  #leaveOut(outside: string, path: Path): EdgeLink[] {
    const message = `a link to ${outside} leads out of the lab, and is left out`;
    this.#told.tell('LINK_LEFT_OUT', 'links that lead out of the lab', path, message, '');
    return [];
  }

  #tellOfProperties(): void {
    const message = 'links of a lab have no latency, loss or bandwidth: neither have those here';
    const remedy = 'convert the file and write them there, or set them while the lab runs';
    this.#told.tell('LATENCY_ASSUMED', 'links without properties', ['topology', 'links'], message, remedy);
  }
}

function member(all: unknown, key: unknown): Mapping {
  const name = textOfScalar(key);
  const found = name !== undefined && isMapping(all) && Object.hasOwn(all, name) ? all[name] : undefined;
  return isMapping(found) ? found : {};
}

/** `node:interface`, or `{ node, interface }`. */
function nodeOfEnd(end: unknown): string | undefined {
  if (isMapping(end)) return textOfScalar(end.node);
  const text = textOfScalar(end);
  return text?.includes(':') ? text.slice(0, text.indexOf(':')) : undefined;
}

/** With how many others each is linked. */
function degreesOf(links: readonly EdgeLink[]): Map<string, number> {
  const degrees = new Map<string, number>();
  for (const { pair } of links)
    for (const end of [pair.from, pair.to]) degrees.set(end, (degrees.get(end) ?? 0) + 1);
  return degrees;
}
