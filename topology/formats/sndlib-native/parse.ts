/**
 * SNDlib's native format (sndlib.zib.de, "Network format") → `Topology`: sections of lines, `NODES ( … )`, `LINKS ( … )`. Demands are
 * left out.
 */
import { type Findings, quote } from '../../model/diagnostics.ts';
import type { ParsedFile } from '../../model/parsed-file.ts';
import type { NetworkEdge, NetworkNode } from '../../networks/network.ts';
import { Notes, type Place } from '../../networks/notes.ts';
import { topologyOf } from '../../networks/topology.ts';

const MAX_LINE = 10_000;
/** id ( longitude latitude ) */
const NODE = /^([^\s()]+)(?:\s*\(\s*([^\s()]+)\s+([^\s()]+)\s*\))?$/;
/** id ( source target ) installed cost routing-cost setup-cost ( { capacity cost } ) */
const LINK = /^([^\s()]+)\s*\(\s*([^\s()]+)\s+([^\s()]+)\s*\)(?:\s*([\d.eE+]+))?[^(]*(?:\(\s*([\d.eE+]+)?)?/;
const UNITS: ReadonlyMap<string, string> = new Map([
  ['BITPERSEC', 'capacity_bps'],
  ['KBITPERSEC', 'capacity_kbps'],
  ['MBITPERSEC', 'capacity_mbps'],
  ['GBITPERSEC', 'capacity_gbps'],
]);

/** Gives `undefined` if there is nothing to check further; `findings` then has the reason. */
export function parseSndlibNative(
  text: string,
  file: string,
  name: string,
  findings: Findings,
): ParsedFile | undefined {
  const notes = new Notes(findings);
  const reader = new Reader(findings, notes);
  text.split('\n').forEach((line, index) => {
    const trimmed = line.slice(0, MAX_LINE).trim();
    if (trimmed !== '' && !/^[#?]/.test(trimmed)) reader.line(trimmed, { line: index + 1, column: 1 });
  });
  return findings.hasErrors ? undefined : topologyOf(reader.network(), { name, file, findings, notes });
}

class Reader {
  readonly #findings: Findings;
  readonly #notes: Notes;
  readonly #nodes: NetworkNode[] = [];
  readonly #links: { edge: NetworkEdge; capacity: string | undefined }[] = [];
  #section: string | undefined;
  #unit: { name: string; place: Place } | undefined;

  constructor(findings: Findings, notes: Notes) {
    this.#findings = findings;
    this.#notes = notes;
  }

  line(line: string, place: Place): void {
    const opened = /^([A-Z_]+)\s*\($/.exec(line)?.[1];
    if (opened !== undefined) {
      this.#section = opened;
      if (!['META', 'NODES', 'LINKS'].includes(opened)) this.#notes.drop(opened, 'graph', place, opened);
    } else if (line === ')') this.#section = undefined;
    else if (this.#section === 'NODES') this.#node(line, place);
    else if (this.#section === 'LINKS') this.#link(line, place);
    else if (this.#section === 'META') {
      const unit = /^unit\s*=\s*(\S+)$/i.exec(line)?.[1];
      if (unit !== undefined) this.#unit = { name: unit, place };
    }
  }

  #node(line: string, place: Place): void {
    const match = NODE.exec(line);
    if (!match) {
      this.#refuse(place, line, 'a node is: ID ( LONGITUDE LATITUDE )');
      return;
    }
    const [, id, x, y] = match;
    const attributes = new Map<string, string>();
    if (x !== undefined && y !== undefined) {
      const isPlace = Math.abs(Number(x)) <= 180 && Math.abs(Number(y)) <= 90;
      if (isPlace) attributes.set('longitude', x).set('latitude', y);
      else {
        const message = `${quote(`${x} ${y}`)} are no degrees, and are left out`;
        this.#notes.tell({ code: 'KEY_IGNORED', what: 'coordinates' }, place, id!, message, '');
      }
    }
    this.#nodes.push({ id: id!, attributes, place, field: `node ${quote(id)}` });
  }

  #link(line: string, place: Place): void {
    const match = LINK.exec(line);
    if (!match) {
      this.#refuse(place, line, 'a link is: ID ( SOURCE TARGET ) CAPACITY …');
      return;
    }
    const [, id, source, target, installed, possible] = match;
    const field = `link ${quote(id)}`;
    const isInstalled = installed !== undefined && Number(installed) > 0;
    if (!isInstalled && possible !== undefined) {
      const message = `nothing is installed: the first possible module, ${quote(possible)}, counts as the capacity`;
      const kind = { code: 'BANDWIDTH_ASSUMED', what: 'capacities of possible modules' } as const;
      this.#notes.tell(kind, place, field, message, '');
    }
    const edge = { source: source!, target: target!, isDirected: false, attributes: new Map(), place, field };
    this.#links.push({ edge, capacity: isInstalled ? installed : possible });
  }

  network(): { nodes: NetworkNode[]; edges: NetworkEdge[] } {
    const unit = this.#unitOf();
    const edges = this.#links.map(({ edge, capacity }) => ({
      ...edge,
      attributes: new Map(capacity === undefined ? [] : [[unit, capacity]]),
    }));
    return { nodes: this.#nodes, edges };
  }

  #unitOf(): string {
    const known = UNITS.get((this.#unit?.name ?? '').toUpperCase());
    if (known !== undefined) return known;
    const what = this.#unit
      ? `the unit ${quote(this.#unit.name)} is unknown`
      : 'no unit of capacities is given';
    const place = this.#unit?.place ?? { line: 1, column: 1 };
    const kind = { code: 'UNIT_ASSUMED', what: 'the unit of capacities' } as const;
    this.#notes.tell(kind, place, 'META', `${what}: they count as Mbit/s`, '');
    return UNITS.get('MBITPERSEC')!;
  }

  #refuse(place: Place, line: string, remedy: string): void {
    this.#findings.error(
      'VALUE_INVALID',
      place,
      this.#section ?? '',
      `${quote(line)} is not what belongs here`,
      remedy,
    );
  }
}
