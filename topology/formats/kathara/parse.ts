/**
 * `lab.conf` of Kathará (kathara.org/man-pages/kathara-lab.conf.5.html), and of Netkit before it → `Topology`. A machine is a service,
 * a collision domain a bridge `DOMAIN-net`; a machine with interfaces in several domains forwards, as routers do.
 */
import { type Findings, quote } from '../../model/diagnostics.ts';
import type { ParsedFile } from '../../model/parsed-file.ts';
import { imageName } from '../../networks/containers.ts';
import { type LabNode, labOf, tellOfProperties } from '../../networks/lab.ts';
import type { NetworkEdge } from '../../networks/network.ts';
import { Notes, type Place } from '../../networks/notes.ts';

const MAX_LINE = 10_000;
const LINE = /^([\w-]+)\[([\w-]+)\]\s*=\s*(.*)$/;
const META = /^(LAB_\w+)\s*=/;

interface Machine extends Place {
  readonly name: string;
  readonly domains: Map<string, Place>;
  image?: string;
}

/** Gives `undefined` if there is nothing to check further; `findings` then has the reason. */
export function parseKathara(
  text: string,
  file: string,
  name: string,
  findings: Findings,
): ParsedFile | undefined {
  const notes = new Notes(findings);
  const reader = new Reader(findings, notes);
  for (const [index, line] of text.split('\n').entries()) reader.line(line, index + 1);
  if (findings.hasErrors) return undefined;
  const nodes = reader.nodes();
  const edges = reader.edges();
  const [first] = edges;
  if (first) tellOfProperties(first.place, { notes });
  return labOf({ nodes, edges, guessesRouters: true }, { name, file, findings, notes });
}

class Reader {
  readonly #findings: Findings;
  readonly #notes: Notes;
  readonly #machines = new Map<string, Machine>();

  constructor(findings: Findings, notes: Notes) {
    this.#findings = findings;
    this.#notes = notes;
  }

  line(line: string, number: number): void {
    const trimmed = line.slice(0, MAX_LINE).trim();
    const place = { line: number, column: line.length - line.trimStart().length + 1 };
    if (trimmed === '' || trimmed.startsWith('#')) return;
    const meta = META.exec(trimmed)?.[1];
    if (meta !== undefined) {
      this.#notes.drop(meta, 'graph', place, '');
      return;
    }
    const match = LINE.exec(trimmed);
    if (!match) {
      const message = `${quote(trimmed)} is no line of a lab.conf`;
      this.#findings.error('VALUE_INVALID', place, '', message, 'write e.g. pc1[0]="A"');
      return;
    }
    const [, name, key, written] = match as unknown as [string, string, string, string];
    const machine = this.#machine(name, place);
    const value = unquoted(written);
    const field = `${name}[${key}]`;
    if (/^\d+$/.test(key)) this.#interface(machine, value, place, field);
    else if (key === 'image') {
      const image = imageName(value, { place, field, notes: this.#notes });
      if (image !== undefined) machine.image = image;
    } else this.#notes.drop(key, 'node', place, field);
  }

  #machine(name: string, place: Place): Machine {
    const known = this.#machines.get(name);
    if (known) return known;
    const machine: Machine = { name, domains: new Map(), ...place };
    this.#machines.set(name, machine);
    return machine;
  }

  /** `A`, or `A/00:00:00:00:00:01` with a hardware address. */
  #interface({ domains }: Machine, value: string, place: Place, field: string): void {
    const [domain = '', address] = value.split('/', 2);
    if (!/^\w+$/.test(domain)) {
      const message = `${quote(value)} is no collision domain`;
      this.#findings.error('VALUE_INVALID', place, field, message, 'write letters, digits and _, e.g. "A"');
      return;
    }
    if (address !== undefined) this.#notes.drop('hardware address', 'interface', place, field);
    if (domains.has(domain)) {
      const message = `a second interface in the domain ${quote(domain)} is left out`;
      this.#notes.tell({ code: 'LINK_DUPLICATE', what: 'second interfaces' }, place, field, message, '');
    } else domains.set(domain, place);
  }

  nodes(): LabNode[] {
    const machines = [...this.#machines.values()].map(({ name, image, line, column }): LabNode => {
      const place = { line, column };
      return {
        id: `m ${name}`,
        label: name,
        kind: 'host',
        ...(image !== undefined && { image }),
        place,
        field: name,
      };
    });
    const domains = new Map<string, Place>();
    for (const machine of this.#machines.values())
      for (const [domain, place] of machine.domains) if (!domains.has(domain)) domains.set(domain, place);
    const bridges = [...domains].map(([domain, place]): LabNode => {
      return { id: `d ${domain}`, label: `${domain}-net`, kind: 'switch', place, field: domain };
    });
    return [...machines, ...bridges];
  }

  edges(): NetworkEdge[] {
    return [...this.#machines.values()].flatMap(({ name, domains }) =>
      [...domains].map(([domain, place]): NetworkEdge => {
        const ends = { source: `m ${name}`, target: `d ${domain}` };
        return { ...ends, isDirected: false, attributes: new Map(), place, field: `${name} in ${domain}` };
      }),
    );
  }
}

function unquoted(text: string): string {
  const match = /^(?:"([^"]*)"|'([^']*)'|([^\s#]*))/.exec(text)!;
  return match[1] ?? match[2] ?? match[3] ?? '';
}
