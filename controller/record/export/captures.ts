/** Indexes of the packets that a record has: where each flow and each second begins in which file. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { millisToSeconds, toMillis } from '../../../proto/units.ts';
import { PROTOCOL, parseFrame } from '../../capture/format/packet.ts';
import { type ReadPacket, readPackets } from '../../capture/format/read-pcapng.ts';
import { wholeFile } from '../../whole-file.ts';
import { clockShiftOf } from '../clocks.ts';
import { CAPTURES, capturesIn, readDescription } from '../description.ts';
import { csvLine, type ExportedFile } from './csv.ts';

const FLOW_COLUMNS = [
  ...['file', 'interface', 'protocol', 'source', 'source_port', 'destination', 'destination_port'],
  ...['packets', 'bytes', 'lost', 'first_ms', 'last_ms', 'first_offset', 'last_offset'],
] as const;
const SECOND_COLUMNS = ['file', 'second', 'first_offset', 'packets', 'bytes'] as const;

const NAMES = new Map<number, string>(Object.entries(PROTOCOL).map(([name, number]) => [number, name]));

interface Sum {
  packets: number;
  bytes: number;
}

interface Flow extends Sum {
  readonly key: readonly (string | number)[];
  lost: number;
  readonly firstMs: number;
  lastMs: number;
  readonly firstOffset: number;
  lastOffset: number;
}

/** Sum, and offset of the first block. */
type Second = Sum & { readonly firstOffset: number };

/**
 * Writes capture_flow.csv and capture_second.csv into the folder; nothing if the record has no packets. Times are milliseconds since
 * the timeline began, offsets those of blocks in the files. Throws `RECORD_UNREADABLE` and system errors.
 */
export function exportCaptureIndexes(record: string, folder: string): ExportedFile[] {
  const files = capturesIn(record);
  if (files.length === 0) return [];
  const description = readDescription(record);
  const began = Date.parse(description.beganAt ?? description.startedAt);
  // Each machine has written with its own clock.
  const beganOf = (endpoint: string): number => {
    const host = description.placement?.[endpoint];
    return host === undefined ? began : began - clockShiftOf(description, host).ms;
  };
  const flows: string[] = [];
  const seconds: string[] = [];
  for (const file of files) {
    const index = indexOf(readPackets(join(record, CAPTURES, file)), beganOf);
    for (const flow of index.flows) flows.push(csvLine([file, ...flow]));
    for (const second of index.seconds) seconds.push(csvLine([file, ...second]));
  }
  return [
    write(join(folder, 'capture_flow.csv'), FLOW_COLUMNS, flows),
    write(join(folder, 'capture_second.csv'), SECOND_COLUMNS, seconds),
  ];
}

function write(file: string, columns: readonly string[], rows: readonly string[]): ExportedFile {
  wholeFile(file, (path) => writeFileSync(path, csvLine(columns) + rows.join('')));
  return { file, rows: rows.length };
}

type Row = (string | number)[];

/** Rows as the columns say, without the file. `beganOf`: when the timeline began by the clock of an endpoint, milliseconds since 1970. */
export function indexOf(
  packets: Iterable<ReadPacket>,
  beganOf: (endpoint: string) => number,
): { flows: Row[]; seconds: Row[] } {
  const flows = new Map<string, Flow>();
  const seconds = new Map<number, Second>();
  for (const packet of packets) {
    const ms = toMillis(packet.at) - beganOf(packet.interface);
    const second = Math.floor(millisToSeconds(ms));
    const inSecond = seconds.get(second) ?? { packets: 0, bytes: 0, firstOffset: packet.offset };
    seconds.set(second, inSecond);
    const flow = flowOf(flows, packet, ms);
    for (const sum of [inSecond, flow]) {
      sum.packets++;
      sum.bytes += packet.length;
    }
    flow.lastMs = ms;
    flow.lastOffset = packet.offset;
    if (packet.isOutgoing && packet.comment?.startsWith('lost')) flow.lost++;
  }
  const rounded = (ms: number): number => Number(ms.toFixed(3));
  return {
    flows: [...flows.values()].map((flow) => [
      ...flow.key,
      ...[flow.packets, flow.bytes, flow.lost, rounded(flow.firstMs), rounded(flow.lastMs)],
      ...[flow.firstOffset, flow.lastOffset],
    ]),
    seconds: [...seconds].map(([second, { firstOffset, packets, bytes }]) => [
      second,
      firstOffset,
      packets,
      bytes,
    ]),
  };
}

/** What is not of IP is one flow of each interface. */
function flowOf(flows: Map<string, Flow>, { interface: name, bytes, offset }: ReadPacket, ms: number): Flow {
  const packet = parseFrame(bytes);
  const key = packet
    ? [
        ...[name, NAMES.get(packet.protocol) ?? packet.protocol, packet.source, packet.sourcePort],
        ...[packet.destination, packet.destinationPort],
      ]
    : [name, 'other', '', 0, '', 0];
  const text = JSON.stringify(key);
  const found = flows.get(text);
  if (found) return found;
  const made: Flow = {
    ...{ key, packets: 0, bytes: 0, lost: 0 },
    ...{ firstMs: ms, lastMs: ms, firstOffset: offset, lastOffset: offset },
  };
  flows.set(text, made);
  return made;
}
