/**
 * `flows: FILE` of traffic → an entry for each pair of endpoints and protocol, with its flows as a text (topology/model/packet-trace.ts).
 * CSV with a heading: time, from, to, bytes, and protocol and duration if they are there, or as nfdump calls them, which
 * writes such files of NetFlow and IPFIX; other columns are left out.
 */
import { DAY, fromMillis } from '../../../../proto/units.ts';
import { type Findings, quote } from '../../../model/diagnostics.ts';
import { flowTraceText, isFlowTraceText, MOST_FLOW_BYTES, MOST_FLOWS } from '../../../model/packet-trace.ts';
import { PROTOCOLS, type Protocol } from '../../../model/traffic.ts';
import type { Files } from './files.ts';
import { asMapping, below, fieldOf, type Origin, type Origins, placeOf } from './origins.ts';
import { withPacketTraces } from './packet-traces.ts';
import { LineProblem, numberIn, refuseLine, TIMES } from './trace-lines.ts';

const HEADING = 'write a heading such as time,from,to,bytes: seconds, two endpoints, and bytes of payload';
/** Names of columns besides those with the units of times. */
const COLUMNS: Readonly<Record<'date' | 'from' | 'to' | 'bytes' | 'protocol', readonly string[]>> = {
  date: ['ts', 'firstseen'],
  from: ['from', 'sa', 'srcaddr'],
  to: ['to', 'da', 'dstaddr'],
  bytes: ['bytes', 'ibyt'],
  protocol: ['protocol', 'pr', 'proto'],
};
const DURATIONS = new Map([
  ...[...TIMES].map(([name, toMicros]) => [name.replace('time', 'duration'), toMicros] as const),
  ['td', TIMES.get('time')!] as const,
]);
/** nfdump's totals follow. */
const END = 'Summary';
const NUMBERS: Readonly<Record<string, Protocol>> = { 6: 'tcp', 17: 'udp' };
/** An entry with `flows` has besides … */
const KEYS: ReadonlySet<string> = new Set(['flows', 'ends', 'name', 'start', 'stop']);

interface Reading {
  readonly files: Files;
  readonly fileOf: (origin: Origin) => string;
  readonly origins: Origins;
  readonly findings: Findings;
}

/** The entries of `traffic:` with what their files of packets and of flows have. What is no list of mappings is left to the schema. */
export function withFileTraces(entries: unknown, origin: Origin, context: Reading): unknown {
  if (!Array.isArray(entries)) return entries;
  const { files, fileOf, findings } = context;
  const played = withPacketTraces(entries, origin, files, fileOf, findings);
  const all: unknown[] = [];
  const push = (entry: unknown, at: Origin): void => {
    context.origins.set(all, all.push(entry) - 1, at);
  };
  for (const [index, item] of played.entries()) {
    const at = below(origin, index);
    const entry = asMapping(item);
    if (typeof entry?.flows !== 'string' || isFlowTraceText(entry.flows)) push(item, at);
    else for (const [one, place] of flowEntries(entry, at, context)) push(one, place);
  }
  return all;
}

/** None where something is wrong, which was told. */
function flowEntries(
  entry: Readonly<Record<string, unknown>>,
  at: Origin,
  { files, fileOf, findings }: Reading,
): [object, Origin][] {
  const origin = below(at, 'flows');
  for (const key of Object.keys(entry)) {
    if (KEYS.has(key)) continue;
    const where = below(at, key);
    const message = `${quote(key)} is not for flows of a file, which has it in its rows`;
    findings.error('KEY_UNKNOWN', placeOf(where), fieldOf(where), message, 'remove it');
    return [];
  }
  const ends = endsOf(entry.ends, below(at, 'ends'), findings);
  const path = ends && files.pathOf(entry.flows as string, fileOf(origin), origin);
  const found = path === undefined ? undefined : files.read(path, origin);
  if (!ends || path === undefined || !found) return [];
  const { flows: _, ends: __, ...rest } = entry;
  try {
    const { pairs, others } = pairsOf(found.text, ends);
    if (others > 0) tellOthers(others, pairs, origin, findings);
    return pairs.map(({ from, to, protocol, line, flows }) => [
      { from, to, ...rest, protocol, flows },
      { place: { ...placeOf(origin), line, column: 1, file: path }, field: fieldOf(origin) },
    ]);
  } catch (error) {
    refuseLine(error, path, origin, findings);
    return [];
  }
}

/** What addresses of the file stand for; empty: its rows have names of endpoints. `undefined`: it is wrong, which was told. */
function endsOf(
  written: unknown,
  origin: Origin,
  findings: Findings,
): ReadonlyMap<string, string> | undefined {
  const named = asMapping(written ?? {});
  if (named && Object.values(named).every((one) => typeof one === 'string'))
    return new Map(Object.entries(named as Record<string, string>));
  const remedy = 'write the endpoint of each address: ends: { 10.0.0.1: client.0, 10.0.0.2: server }';
  findings.error('VALUE_INVALID', placeOf(origin), fieldOf(origin), 'this names no endpoints', remedy);
  return undefined;
}

function tellOthers(others: number, pairs: readonly Pair[], origin: Origin, findings: Findings): void {
  const sent = pairs.reduce((sum, { count }) => sum + count, 0);
  const message = `${sent} flows are sent, ${others} of other ends or protocols are left out`;
  const remedy = 'name all addresses in ends:; flows are of tcp and udp';
  findings.warning('KEY_IGNORED', placeOf(origin), fieldOf(origin), message, remedy);
}

interface Flow {
  readonly at: number;
  readonly bytes: number;
  readonly lasts: number;
}

/** All flows from one endpoint to another by one protocol. */
interface Pair {
  readonly from: string;
  readonly to: string;
  readonly protocol: Protocol;
  /** Of the first one in the file. */
  readonly line: number;
  readonly count: number;
  readonly flows: string;
}

/** `others`: flows between ends that nobody asked for. Throws `LineProblem`. */
function pairsOf(text: string, ends: ReadonlyMap<string, string>): { pairs: Pair[]; others: number } {
  const found = new Map<string, Omit<Pair, 'count' | 'flows'> & { readonly flows: Flow[] }>();
  let [others, count, begin] = [0, 0, Number.POSITIVE_INFINITY];
  for (const { line, from, to, protocol, ...flow } of rowsOf(text)) {
    const [source, destination] = ends.size === 0 ? [from, to] : [ends.get(from), ends.get(to)];
    if (protocol === undefined || source === undefined || destination === undefined) {
      others++;
      continue;
    }
    if (++count > MOST_FLOWS)
      throw new LineProblem(line, `there are more than ${MOST_FLOWS} flows`, 'cut the file');
    begin = Math.min(begin, flow.at);
    const key = JSON.stringify([source, destination, protocol]);
    const pair = found.get(key) ?? { from: source, to: destination, protocol, line, flows: [] };
    found.set(key, pair);
    pair.flows.push(flow);
  }
  if (count === 0) throw new LineProblem(1, 'the file has no flow between these endpoints', HEADING);
  const pairs = [...found.values()].map(({ flows, ...pair }): Pair => {
    flows.sort((a, b) => a.at - b.at);
    if (flows.at(-1)!.at - begin > DAY)
      throw new LineProblem(pair.line, 'the flows begin more than a day after the first one', 'cut the file');
    const text = flowTraceText({
      at: Float64Array.from(flows, ({ at }) => at - begin),
      bytes: Float64Array.from(flows, ({ bytes }) => bytes),
      lasts: Float64Array.from(flows, ({ lasts }) => lasts),
    });
    return { ...pair, count: flows.length, flows: text };
  });
  return { pairs, others };
}

interface Row extends Flow {
  readonly line: number;
  readonly from: string;
  readonly to: string;
  /** `undefined`: another one. */
  readonly protocol: Protocol | undefined;
}

/** Throws `LineProblem`. */
function* rowsOf(text: string): Generator<Row> {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => line.trim() !== '');
  const separator = /[,;\t]/.exec(lines[first] ?? '')?.[0] ?? ',';
  const cellsOf = (index: number): string[] =>
    lines[index]!.split(separator).map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
  const read = readerOf(first === -1 ? [] : cellsOf(first).map((name) => name.toLowerCase()), first + 1);
  for (let index = first + 1; index < lines.length && lines[index]!.trim() !== END; index++)
    if (lines[index]!.trim() !== '') yield read(cellsOf(index), index + 1);
}

/** By the names of the columns. Throws `LineProblem`, as does what it returns. */
function readerOf(
  columns: readonly string[],
  heading: number,
): (cells: readonly string[], line: number) => Row {
  const place = (names: Iterable<string>): number => {
    const known = new Set(names);
    return columns.findIndex((name) => known.has(name));
  };
  const at = {
    ...{ time: place(TIMES.keys()), duration: place(DURATIONS.keys()), date: place(COLUMNS.date) },
    ...{ from: place(COLUMNS.from), to: place(COLUMNS.to), bytes: place(COLUMNS.bytes) },
    protocol: place(COLUMNS.protocol),
  };
  const missing = [
    ...(at.time === -1 && at.date === -1 ? ['time'] : []),
    ...(['from', 'to', 'bytes'] as const).filter((name) => at[name] === -1),
  ];
  if (missing.length > 0)
    throw new LineProblem(Math.max(1, heading), `there is no column ${missing.join(', ')}`, HEADING);
  return (cells, line) => {
    if (cells.length <= Math.max(...Object.values(at))) {
      const message = `the row has ${cells.length} cells, and the heading ${columns.length}`;
      throw new LineProblem(line, message, HEADING);
    }
    const time =
      at.time === -1
        ? dateIn(cells[at.date], line)
        : TIMES.get(columns[at.time]!)!(numberIn(cells[at.time], line, HEADING));
    const bytes = numberIn(cells[at.bytes], line, HEADING);
    if (!(Number.isInteger(bytes) && bytes >= 1 && bytes <= MOST_FLOW_BYTES))
      throw new LineProblem(line, `${bytes} bytes are no flow`, `write 1 to ${MOST_FLOW_BYTES}`);
    const protocol = at.protocol === -1 ? 'tcp' : protocolIn(cells[at.protocol]!);
    if (at.duration === -1 && protocol === 'udp')
      throw new LineProblem(
        line,
        'nothing says how long this flow of UDP lasts',
        'add the column duration, in seconds',
      );
    const lasts =
      at.duration === -1
        ? 0
        : DURATIONS.get(columns[at.duration]!)!(numberIn(cells[at.duration], line, HEADING));
    if (lasts > DAY)
      throw new LineProblem(line, 'the flow lasts longer than a day', 'write a shorter duration');
    const [from, to] = [cells[at.from]!, cells[at.to]!];
    return { line, from, to, protocol, at: Math.round(time), bytes, lasts: Math.round(lasts) };
  };
}

function protocolIn(cell: string): Protocol | undefined {
  const name = cell.toLowerCase();
  return PROTOCOLS.find((one) => one === name) ?? NUMBERS[name];
}

const DATE = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,3})?)$/;

function dateIn(cell: string | undefined, line: number): number {
  const [, day, time] = DATE.exec(cell ?? '') ?? [];
  const ms = Date.parse(`${day}T${time}Z`);
  if (Number.isNaN(ms))
    throw new LineProblem(line, `${quote(cell ?? '')} is no date`, 'write e.g. 2026-01-31 12:00:00');
  return fromMillis(ms);
}
