/**
 * `trace: FILE` of traffic → the packets as a text (topology/model/packet-trace.ts). CSV with a heading: `time` in seconds, or as
 * `time_ms` or `time_us`, and `size` in bytes of payload; other columns are left out, so that what `tshark -T fields` writes can be used.
 * Of a file of pcap or pcapng, the packets of one direction.
 */
import { DAY } from '../../../../proto/units.ts';
import { type Findings, quote } from '../../../model/diagnostics.ts';
import { isPacketTraceText, MOST_PACKETS, packetTraceText } from '../../../model/packet-trace.ts';
import { CAPTURE } from './capture-rates.ts';
import { CaptureProblem, type Direction, directionOf, traceOfCapture } from './captured-packets.ts';
import type { Files } from './files.ts';
import { asMapping, below, fieldOf, type Origin, placeOf } from './origins.ts';
import { LineProblem, numberIn, refuseLine, TIMES } from './trace-lines.ts';

const MOST_BYTES = 1472;
const HEADING = 'write a heading such as time,size: seconds, and bytes of payload';

/** The entries of `traffic:` with the packets instead of the names of files. What is no mapping is left to the schema. */
export function withPacketTraces(
  entries: readonly unknown[],
  origin: Origin,
  files: Files,
  fileOf: (origin: Origin) => string,
  findings: Findings,
): unknown[] {
  const known = new Map<string, string | undefined>();
  return entries.map((item, index) => {
    const entry = asMapping(item);
    const at = below(below(origin, index), 'trace');
    const captured = asMapping(entry?.trace);
    const written = captured ? captured.file : entry?.trace;
    if (typeof written !== 'string' || isPacketTraceText(written)) return item;
    const path = files.pathOf(written, fileOf(at), at);
    const isCapture = captured !== undefined || CAPTURE.test(written);
    const key = JSON.stringify([path, captured]);
    if (path !== undefined && !known.has(key))
      known.set(
        key,
        isCapture ? readCapture(path, captured ?? {}, at, files, findings) : read(path, at, files, findings),
      );
    const text = path === undefined ? undefined : known.get(key);
    // What is wrong was told; the schema would say it again.
    return { ...entry, trace: text ?? NOTHING };
  });
}
const NOTHING = packetTraceText({ at: new Float64Array(1), size: new Uint16Array([1]) });

function readCapture(
  path: string,
  written: Readonly<Record<string, unknown>>,
  origin: Origin,
  files: Files,
  findings: Findings,
): string | undefined {
  const found = files.bytes(path, origin);
  if (!found) return undefined;
  try {
    const direction: Direction = directionOf(written);
    const trace = traceOfCapture(found, direction);
    if (trace.at.at(-1)! > DAY) throw new CaptureProblem('the trace is longer than a day', 'cut it');
    if (trace.others > 0 && (direction.from === undefined || direction.to === undefined)) {
      const message = `${quote(path)}: ${trace.at.length} packets from ${trace.from} to ${trace.to} are sent, ${trace.others} of others are left out`;
      const remedy = 'name the addresses of one direction: trace: { file: …, from: …, to: … }';
      findings.warning('KEY_IGNORED', placeOf(origin), fieldOf(origin), message, remedy);
    }
    return packetTraceText(trace);
  } catch (error) {
    if (!(error instanceof CaptureProblem)) throw error;
    findings.error(
      'VALUE_INVALID',
      placeOf(origin),
      fieldOf(origin),
      `${quote(path)}: ${error.message}`,
      error.remedy,
    );
    return undefined;
  }
}

function read(path: string, origin: Origin, files: Files, findings: Findings): string | undefined {
  const found = files.read(path, origin);
  if (!found) return undefined;
  try {
    return packetTraceText(packetsOf(found.text));
  } catch (error) {
    return refuseLine(error, path, origin, findings);
  }
}

/** Throws `LineProblem`. */
function packetsOf(text: string): { at: Float64Array; size: Uint16Array } {
  const lines = text.split('\n').map((line) => line.trim());
  const first = lines.findIndex((line) => line !== '');
  const columns = (lines[first] ?? '').split(',').map((cell) => cell.trim().toLowerCase());
  const timeAt = columns.findIndex((name) => TIMES.has(name));
  const sizeAt = columns.findIndex((name) => name === 'size' || name === 'size_bytes');
  if (timeAt === -1 || sizeAt === -1)
    throw new LineProblem(Math.max(1, first + 1), 'there is no column time, or none size', HEADING);
  const toMicros = TIMES.get(columns[timeAt]!)!;
  const [times, sizes]: [number[], number[]] = [[], []];
  for (let index = first + 1; index < lines.length; index++) {
    if (lines[index] === '') continue;
    const cells = lines[index]!.split(',').map((cell) => cell.trim());
    times.push(Math.round(toMicros(numberIn(cells[timeAt], index + 1, HEADING))));
    const size = numberIn(cells[sizeAt], index + 1, HEADING);
    if (!(Number.isInteger(size) && size >= 1 && size <= MOST_BYTES))
      throw new LineProblem(index + 1, `${size} bytes are no datagram`, `write 1 to ${MOST_BYTES}`);
    sizes.push(size);
    if (times.length > MOST_PACKETS)
      throw new LineProblem(index + 1, `the trace has more than ${MOST_PACKETS} packets`, 'cut it');
    if (times.length > 1 && times.at(-1)! < times.at(-2)!)
      throw new LineProblem(index + 1, 'the time is before that of the row above', 'write rows in order');
  }
  if (times.length === 0) throw new LineProblem(1, 'the trace has no packets', 'write one in each row');
  const begin = times[0]!;
  if (times.at(-1)! - begin > DAY)
    throw new LineProblem(lines.length, 'the trace is longer than a day', 'cut it');
  return { at: Float64Array.from(times, (time) => time - begin), size: Uint16Array.from(sizes) };
}
