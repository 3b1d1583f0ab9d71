/**
 * A table of round-trip times among places, as tables of clouds' regions are, in CSV (RFC 4180) → `Topology`: an endpoint at
 * each place, and a link between any two, with half of the round trip each way. No endpoint forwards, so that a detour that
 * is shorter stays unused, as it is on the Internet.
 */
import { impairment } from '../../../proto/impairment.ts';
import { type Micros, micros } from '../../../proto/units.ts';
import { type Findings, quote } from '../../model/diagnostics.ts';
import { MAX_EDGES } from '../../model/limits.ts';
import type { LinkPair, Service } from '../../model/model.ts';
import type { ParsedFile } from '../../model/parsed-file.ts';
import { NodeNames } from '../../networks/names.ts';
import { Notes } from '../../networks/notes.ts';
import { readTime } from '../../networks/spellings.ts';
import { checked } from '../../networks/topology.ts';
import { type Cell, parseCsv } from '../../syntax/csv.ts';

/** What tables write where there is nothing. */
const NOTHING = new Set(['', '-', '–', 'n/a', 'na', 'nan', 'x']);

/** Gives `undefined` if there is nothing to check further; `findings` then has the reason. */
export function parseMatrix(
  text: string,
  file: string,
  name: string,
  findings: Findings,
): ParsedFile | undefined {
  const rows = parseCsv(text, findings);
  if (!rows) return undefined;
  return new Reader(rows, file, findings).read(name);
}

class Reader {
  readonly #rows: readonly (readonly Cell[])[];
  readonly #file: string;
  readonly #findings: Findings;
  readonly #notes: Notes;

  constructor(rows: readonly (readonly Cell[])[], file: string, findings: Findings) {
    this.#rows = rows;
    this.#file = file;
    this.#findings = findings;
    this.#notes = new Notes(findings);
  }

  read(name: string): ParsedFile | undefined {
    const [, ...columns] = this.#rows[0] ?? [];
    const rows = this.#rows.slice(1);
    if (!this.#isSquare(columns, rows)) return undefined;
    const order = this.#orderOf(columns, rows);
    if (!order) return undefined;
    const services = this.#services(rows.map(([label]) => label!));
    const links = this.#links(services, rows, order);
    this.#notes.settle();
    if (this.#findings.hasErrors) return undefined;
    return checked({ name, services, bridges: [], links }, { findings: this.#findings });
  }

  #isSquare(columns: readonly Cell[], rows: readonly (readonly Cell[])[]): boolean {
    const remedy = 'write the names of places in the first row and the first column, and round trips between';
    if (columns.length === 0 || rows.length === 0) {
      this.#findings.error('NOT_A_TOPOLOGY', START, '', 'this is no matrix of latencies', remedy);
      return false;
    }
    const problem = `has ${rows.length} rows and ${columns.length} columns`;
    if (rows.length !== columns.length)
      this.#findings.error('VALUE_INVALID', START, '', `the matrix is not square: it ${problem}`, remedy);
    if (rows.length * rows.length > MAX_EDGES)
      this.#findings.error('LIMIT', START, '', `the matrix ${problem}, too many`, 'use fewer places');
    for (const row of rows) {
      if (row.length === columns.length + 1) continue;
      const message = `the row has ${row.length} cells, and the first has ${columns.length + 1}`;
      this.#findings.error('VALUE_INVALID', row[0] ?? START, '', message, remedy);
    }
    return !this.#findings.hasErrors;
  }

  /** For each row, the column of the same place. */
  #orderOf(columns: readonly Cell[], rows: readonly (readonly Cell[])[]): number[] | undefined {
    const places = new Map<string, number>();
    const complain = (cell: Cell, message: string): void =>
      this.#findings.error(
        'NAME_UNKNOWN',
        cell,
        '',
        message,
        'name each place once in a row and in a column',
      );
    columns.forEach((cell, index) => {
      if (places.has(cell.text)) complain(cell, `there is a second column ${quote(cell.text)}`);
      places.set(cell.text, index);
    });
    const used = new Set<number>();
    const order = rows.map(([label]) => {
      const column = places.get(label!.text);
      if (column === undefined) complain(label!, `there is no column ${quote(label!.text)}`);
      else if (used.has(column)) complain(label!, `there is a second row ${quote(label!.text)}`);
      else used.add(column);
      return column ?? 0;
    });
    return this.#findings.hasErrors ? undefined : order;
  }

  #services(labels: readonly Cell[]): Service[] {
    const names = new NodeNames();
    return labels.map((cell): Service => {
      const name = names.of(cell.text);
      if (name !== cell.text) {
        const message = `${quote(cell.text)} is called ${name} here, since names are host names`;
        this.#notes.tell(
          { code: 'NAME_CHANGED', what: 'places with other names here' },
          cell,
          '',
          message,
          'use this name in commands',
        );
      }
      const { line, column } = cell;
      const position = { file: this.#file, line, column };
      return { name, replicas: 1, tags: [], forward: false, shareLinks: false, position };
    });
  }

  #links(
    services: readonly Service[],
    rows: readonly (readonly Cell[])[],
    order: readonly number[],
  ): LinkPair[] {
    const links: LinkPair[] = [];
    const cellOf = (from: number, to: number): Cell => rows[from]![order[to]! + 1]!;
    for (let from = 0; from < services.length; from++) {
      const itself = cellOf(from, from);
      if (!NOTHING.has(itself.text.toLowerCase()) && readTime(itself.text, 'ms')?.value !== 0)
        this.#notes.tell(
          { code: 'KEY_IGNORED', what: 'round trips within a place', shown: 1 },
          itself,
          '',
          `the round trip within ${quote(rows[from]![0]!.text)} is left out: give the service replicas and link them`,
          '',
        );
      for (let to = from + 1; to < services.length; to++) {
        const link = this.#link(services[from]!.name, services[to]!.name, cellOf(from, to), cellOf(to, from));
        if (link) links.push(link);
      }
    }
    return links;
  }

  #link(from: string, to: string, there: Cell, back: Cell): LinkPair | undefined {
    const [up, down] = [this.#half(there), this.#half(back)];
    const common = { tags: [], position: { file: this.#file, line: there.line, column: there.column } };
    const only = up ?? down;
    if (only === undefined) {
      const message = `there is no round trip between ${from} and ${to}: they are not linked`;
      this.#notes.tell({ code: 'LINK_LEFT_OUT', what: 'pairs without a round trip' }, there, '', message, '');
      return undefined;
    }
    if (up === undefined || down === undefined) {
      const empty = up === undefined ? there : back;
      const message = `only one of the two round trips between ${from} and ${to} is there: it counts for both`;
      this.#notes.tell(
        { code: 'LATENCY_ASSUMED', what: 'round trips of one direction' },
        empty,
        '',
        message,
        '',
      );
    }
    return {
      ...{ from, to, ...common },
      up: impairment({ latency: up ?? only }),
      down: impairment({ latency: down ?? only }),
    };
  }

  /** Of a round trip in milliseconds, one way; `undefined`: there is none. */
  #half(cell: Cell): Micros | undefined {
    if (NOTHING.has(cell.text.toLowerCase())) return undefined;
    const read = readTime(cell.text, 'ms');
    if (read) {
      if (read.isBare)
        this.#notes.tell(
          { code: 'UNIT_ASSUMED', what: 'round trips without a unit', shown: 1 },
          cell,
          '',
          `${quote(cell.text)} counts as a round trip in milliseconds, half of it each way`,
          'write the unit, e.g. 12.5ms',
        );
      return micros(Math.round(read.value / 2));
    }
    const remedy = 'write milliseconds, or nothing where nothing is known';
    this.#findings.error('UNIT', cell, '', `${quote(cell.text)} is no round trip`, remedy);
    return undefined;
  }
}

const START = { line: 1, column: 1 };
