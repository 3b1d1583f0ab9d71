/**
 * A script of ns-2 or Emulab → `Topology`. It is executed by a Tcl of our own (topology/tcl/), with the classes and commands that
 * the ns-2 manual (Fall and Varadhan) and Emulab's tutorial describe; docs/ns2.md has it for users.
 */

import { type Impairment, impairment } from '../../../proto/impairment.ts';
import { parseAqm, parseQueue } from '../../../proto/queue.ts';
import { type Findings, quote } from '../../model/diagnostics.ts';
import type { Bridge, LinkPair, Service } from '../../model/model.ts';
import type { ParsedFile } from '../../model/parsed-file.ts';
import type { Position } from '../../model/position.ts';
import { NodeNames } from '../../networks/names.ts';
import type { NetworkEdge } from '../../networks/network.ts';
import { Notes, type Place } from '../../networks/notes.ts';
import { type EdgeLink, joinDirections, withoutParallels } from '../../networks/parallels.ts';
import { checked } from '../../networks/topology.ts';
import { installCommands } from '../../tcl/commands/install.ts';
import { TclError, TclStop } from '../../tcl/errors.ts';
import { Interpreter } from '../../tcl/interpreter.ts';
import { listItem } from '../../tcl/lists.ts';
import { installScriptCommands, unknownCommand } from './commands.ts';
import { playEvents, topologyEvents } from './events.ts';
import { generated } from './generators.ts';
import { redText } from './red.ts';
import { topologySequences } from './steps.ts';
import { type Direction, type Lan, type Link, type Node, nameOf } from './things.ts';
import { tellOfTraffic } from './traffic.ts';
import { SETTINGS, World } from './world.ts';

const START = { line: 1, column: 1 };
const LIMIT_REMEDY = 'a script that describes a network is far below this: look for a loop without an end';

/** Gives `undefined` if there is nothing to check further; `findings` then has the reason. */
export function parseNs2(
  text: string,
  file: string,
  { name, set }: { readonly name: string; readonly set: ReadonlyMap<string, string> },
  findings: Findings,
): ParsedFile | undefined {
  const notes = new Notes(findings);
  const world: World = new World(
    new Interpreter({
      unknown: (words, place) => unknownCommand(world, words, place),
      assigned: (base, index, value) => world.assigned(base, index, value),
    }),
    findings,
    notes,
  );
  installCommands(world.tcl);
  installScriptCommands(world);
  for (const [parameter, value] of set) world.tcl.variables.set(SETTINGS, parameter, value);
  if (!execute(world, text)) return undefined;
  for (const parameter of set.keys()) requireParameter(world, parameter);
  if (world.nodes.length === 0) {
    findings.error('NO_SERVICES', START, '', 'the script makes no nodes', 'make them with [$ns node]');
    return undefined;
  }
  const parsed = build(world, file, name);
  if (!parsed || set.size === 0) return parsed;
  // In a line of its own, so that whoever reads it later has the same parameters.
  const line = [...set]
    .map(([parameter, value]) => `set ${listItem(`${SETTINGS}(${parameter})`)} ${listItem(value)}`)
    .join('; ');
  return { ...parsed, expanded: () => `${line}\n${text}` };
}

function requireParameter({ parameters, findings }: World, name: string): void {
  if (parameters.has(name)) return;
  const message = `the script has no parameter ${quote(name)}`;
  const all = [...parameters].join(', ');
  findings.error(
    'VARIABLE_UNKNOWN',
    START,
    '',
    message,
    all === '' ? 'it has none: write $ns define-template-parameter NAME VALUE' : `it has: ${all}`,
  );
}

/** Gives false if the rest has no meaning. */
function execute(world: World, text: string): boolean {
  const { findings } = world;
  try {
    runScript(world, text.replaceAll('\r\n', '\n'));
    for (const finish of world.atEnd) finish();
    playEvents(world);
    return true;
  } catch (error) {
    if (error instanceof TclError) {
      const command = error.command === undefined ? '' : `, in ${quote(error.command)}`;
      findings.error('TCL_ERROR', error.place ?? START, '', `${error.message}${command}`, error.remedy);
    } else if (error instanceof TclStop)
      findings.error('LIMIT', error.place ?? START, '', error.message, LIMIT_REMEDY);
    else throw error;
    return false;
  }
}

function runScript(world: World, text: string): void {
  try {
    world.tcl.run(text);
  } catch (error) {
    if (!(error instanceof TclStop) || error.reason !== 'exit') throw error;
  }
}

function build(world: World, file: string, name: string): ParsedFile | undefined {
  const { findings, notes } = world;
  const position = ({ line, column }: Place): Position => ({ file, line, column });
  const names = nameAll(world);
  const pairs = joinDirections(withoutParallels(pairsOf(world, names, position), notes), notes);
  const kept = new Set(pairs.map(({ edge }) => edge));
  // Of two one-way links that are one now, both are kept.
  const leftOut = new Set(world.links.filter((link) => link.back !== undefined && !kept.has(edgeOf(link))));
  const legs = world.lans.flatMap((lan) => legPairs(world, lan, names, position));
  const links = [...pairs.map(({ pair }) => pair), ...legs];
  const forwards = whoForwards(world, links, names);
  const services = world.nodes.map(
    (node): Service => ({
      name: names.get(node)!,
      replicas: 1,
      ...(node.start !== undefined && node.start !== '' && { run: node.start }),
      tags: [],
      forward: forwards(node),
      shareLinks: false,
      position: position(node.place),
    }),
  );
  const bridges = world.lans.map(
    (lan): Bridge => ({ name: names.get(lan)!, tags: [], position: position(lan.place) }),
  );
  const named = { names, leftOut, file };
  const { events, fields } = topologyEvents(world, named);
  const { traffic, made } = generated(world, names, position);
  tellOfTraffic(world, made);
  const sequences = topologySequences(world, named, new Set(traffic.map((one) => one.name)));
  notes.settle();
  const parsed = checked({ name, services, bridges, links }, { findings });
  return {
    ...parsed,
    topology: {
      ...{ ...parsed.topology, routing: 'hops', events },
      ...(sequences.length > 0 && { sequences }),
      ...(traffic.length > 0 && { traffic }),
    },
    fieldOf: (event) => fields.get(event) ?? '$ns at',
    laterHolds: true,
  };
}

function nameAll(world: World): ReadonlyMap<Node | Lan, string> {
  const names = new NodeNames();
  const all = new Map<Node | Lan, string>();
  const add = (thing: Node | Lan, otherwise: string): void => {
    const wanted = thing.name ?? otherwise;
    const name = names.of(wanted);
    all.set(thing, name);
    if (name === wanted) return;
    const message = `${quote(wanted)} is called ${name} here, since names are host names of which no two are the same`;
    world.notes.tell(
      { code: 'NAME_CHANGED', what: 'nodes with other names here' },
      thing.place,
      wanted,
      message,
      'use this name in commands',
    );
  };
  // Those that have a name of their own keep it.
  const things = [...world.nodes, ...world.lans];
  for (const thing of things) if (thing.name !== undefined) add(thing, '');
  world.nodes.forEach((node) => {
    if (node.name === undefined) add(node, `n${node.number}`);
  });
  world.lans.forEach((lan, index) => {
    if (lan.name === undefined) add(lan, `lan${index}`);
  });
  return all;
}

const EDGES = new WeakMap<Link, NetworkEdge>();

/** What is told of a link that is parallel to another. */
function edgeOf(link: Link): NetworkEdge {
  const known = EDGES.get(link);
  if (known) return known;
  const edge = {
    source: link.ends[0].handle,
    target: link.ends[1].handle,
    isDirected: link.back === undefined,
    attributes: new Map(),
    place: link.place,
    field: nameOf(link),
  };
  EDGES.set(link, edge);
  return edge;
}

function pairsOf(
  world: World,
  names: ReadonlyMap<Node | Lan, string>,
  position: (place: Place) => Position,
): EdgeLink[] {
  return world.links.map((link) => ({
    edge: edgeOf(link),
    pair: {
      from: names.get(link.ends[0])!,
      to: names.get(link.ends[1])!,
      up: impairmentOf(world, link.forth, link.place),
      ...(link.back && { down: impairmentOf(world, link.back, link.place) }),
      tags: [],
      position: position(link.place),
    },
  }));
}

function legPairs(
  world: World,
  lan: Lan,
  names: ReadonlyMap<Node | Lan, string>,
  position: (place: Place) => Position,
): LinkPair[] {
  return lan.legs.map(({ node, to, from }) => ({
    from: names.get(node)!,
    to: names.get(lan)!,
    up: impairmentOf(world, to, lan.place),
    down: impairmentOf(world, from, lan.place),
    tags: [],
    position: position(lan.place),
  }));
}

function impairmentOf(world: World, of: Direction, place: Place): Impairment {
  const { limit, isInBytes, bandwidth, delay, loss, red } = of;
  const queue =
    limit === undefined
      ? {}
      : world.findings.unit(place, 'limit_', () => parseQueue(isInBytes ? `${limit}B` : `${limit} packets`));
  const aqm = red && world.findings.unit(place, 'RED', () => parseAqm(redText(red, isInBytes)));
  return impairment({ latency: delay, bandwidth, loss, ...queue, ...(aqm !== undefined && { aqm }) });
}

/** Nodes with several links pass on what is for others, if the script asks for routes, or if it is one of ns-2 itself. */
function whoForwards(
  world: World,
  links: readonly LinkPair[],
  names: ReadonlyMap<Node | Lan, string>,
): (node: Node) => boolean {
  const counts = new Map<string, number>();
  for (const { from, to } of links) for (const end of [from, to]) counts.set(end, (counts.get(end) ?? 0) + 1);
  const hasSeveral = (node: Node): boolean => (counts.get(names.get(node)!) ?? 0) > 1;
  const { routing, isEmulab } = world;
  const routes = routing === undefined ? !isEmulab : routing !== 'none';
  const first = world.nodes.find(hasSeveral);
  if (first && !routes) {
    const message = `no node forwards for others, as in Emulab without rtproto: ${names.get(first)} does not, for instance`;
    world.notes.tell(
      { code: 'FORWARD_ASSUMED', what: 'nodes that do not forward' },
      first.place,
      nameOf(first),
      message,
      'write $ns rtproto Static',
    );
  } else if (first && routing === 'Manual')
    world.notes.tell(
      { code: 'FORWARD_ASSUMED', what: 'routes by hand' },
      first.place,
      'rtproto Manual',
      'routes are the shortest ones here, whatever was added by hand',
      '',
    );
  return (node) => routes && hasSeveral(node);
}
