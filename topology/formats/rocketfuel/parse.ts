/**
 * Maps of Rocketfuel (Spring et al., "Measuring ISP Topologies with Rocketfuel", SIGCOMM 2002; research.cs.washington.edu/networking/
 * rocketfuel) → `Topology`: routers of an ISP (`.cch`), or its places with latencies between (`latencies.intra`).
 */
import { type Findings, quote } from '../../model/diagnostics.ts';
import type { ParsedFile } from '../../model/parsed-file.ts';
import type { NetworkEdge, NetworkNode } from '../../networks/network.ts';
import { Notes, type Place } from '../../networks/notes.ts';
import { topologyOf } from '../../networks/topology.ts';

const MAX_LINE = 100_000;
/** uid @loc [+] [bb] (num_neigh) [&ext] -> <nuid> … {-euid} … =name[!] rn */
const ROUTER = /^(\d{1,10})\s+@(\S*)\s+(?:\+\s+)?(?:bb\s+)?\(\d+\)/;
/** -euid =externaladdress rn */
const OUTSIDE = /^-\d{1,10}\s+=/;
/** place place milliseconds; places have commas and no blanks. */
const LATENCY = /^(\S+)\s+(\S+)\s+(\d+(?:\.\d+)?)$/;

/** Gives `undefined` if there is nothing to check further; `findings` then has the reason. */
export function parseRocketfuel(
  text: string,
  file: string,
  name: string,
  findings: Findings,
): ParsedFile | undefined {
  const notes = new Notes(findings);
  const reader = new Reader(findings, notes, /weights\.intra$/i.test(file));
  text.split('\n').forEach((line, index) => {
    const trimmed = line.slice(0, MAX_LINE).trim();
    if (trimmed !== '' && !trimmed.startsWith('#')) reader.line(trimmed, { line: index + 1, column: 1 });
  });
  if (findings.hasErrors) return undefined;
  return topologyOf(reader.network(), { name, file, findings, notes });
}

class Reader {
  readonly #findings: Findings;
  readonly #notes: Notes;
  readonly #hasWeights: boolean;
  readonly #nodes = new Map<string, NetworkNode>();
  readonly #edges = new Map<string, NetworkEdge>();

  constructor(findings: Findings, notes: Notes, hasWeights: boolean) {
    this.#findings = findings;
    this.#notes = notes;
    this.#hasWeights = hasWeights;
  }

  line(line: string, place: Place): void {
    const router = ROUTER.exec(line);
    const latency = router ? undefined : LATENCY.exec(line);
    if (OUTSIDE.test(line)) this.#leaveOut('routers of other networks', place);
    else if (router) this.#router(router, line, place);
    else if (latency) this.#latency(latency, place);
    else {
      const message = `${quote(line)} is no line of a map`;
      this.#findings.error('VALUE_INVALID', place, '', message, 'give a .cch map, or a latencies.intra');
    }
  }

  #router([head, id, location]: RegExpExecArray, line: string, place: Place): void {
    const field = `router ${id}`;
    const label = location === '' || location === '?' ? `r${id}` : location!.replace(/,?\+/g, '-');
    if (this.#nodes.has(id!)) {
      this.#findings.error(
        'NAME_DUPLICATE',
        place,
        field,
        `there is a second router ${id}`,
        'remove one of them',
      );
      return;
    }
    this.#nodes.set(id!, { id: id!, attributes: new Map([['label', label]]), place, field });
    const rest = line.slice(head!.length);
    for (const [, neighbour] of rest.matchAll(/<(\d{1,10})>/g)) this.#edge(id!, neighbour!, new Map(), place);
    if (/\{-\d+\}/.test(rest)) this.#leaveOut('links to routers of other networks', place);
  }

  #leaveOut(what: string, place: Place): void {
    const kind = { code: 'LINK_LEFT_OUT', what, shown: 1 } as const;
    this.#notes.tell(kind, place, '', `${what} are left out`, '');
  }

  #latency([, a, b, value]: RegExpExecArray, place: Place): void {
    if (this.#hasWeights) {
      const message = 'weights are no latencies: they say which way packets take, not how long';
      this.#findings.error('VALUE_INVALID', place, '', message, 'give the latencies.intra beside it');
      return;
    }
    for (const id of [a!, b!])
      if (!this.#nodes.has(id)) {
        const label = id.replace(/,?\+/g, '-');
        this.#nodes.set(id, { id, attributes: new Map([['label', label]]), place, field: id });
      }
    this.#edge(a!, b!, new Map([['latency_ms', value!]]), place);
  }

  /** Both ends tell of a link; it is one. */
  #edge(source: string, target: string, attributes: ReadonlyMap<string, string>, place: Place): void {
    const key = source < target ? `${source} ${target}` : `${target} ${source}`;
    if (this.#edges.has(key)) return;
    const field = `${source} to ${target}`;
    this.#edges.set(key, { source, target, isDirected: false, attributes, place, field });
  }

  network(): { nodes: NetworkNode[]; edges: NetworkEdge[] } {
    return { nodes: [...this.#nodes.values()], edges: [...this.#edges.values()] };
  }
}
