/** Packets of all captures of a record as one file: by one clock, with what became of those that went from one machine to another. */
import { join } from 'node:path';
import { familyBytes } from '../../agent/kernel/netlink/addresses.ts';
import { fromMillis, type Micros, micros } from '../../proto/units.ts';
import { ControllerError } from '../errors.ts';
import { clockShiftOf } from '../record/clocks.ts';
import { CAPTURES, capturesIn, type Description, readDescription } from '../record/description.ts';
import { wholeFile } from '../whole-file.ts';
import { CaptureWriter, FileSink } from './capture-files.ts';
import { interfaceFacts } from './format/interface-facts.ts';
import { addressText } from './format/packet.ts';
import type { CapturedInterface } from './format/pcapng.ts';
import { type ReadPacket, readPackets, type SurveyedInterface, surveyOf } from './format/read-pcapng.ts';
import { type MatchedEnds, type MatchedInterface, type MatchedPacket, matched } from './matching.ts';

export interface ExportedPackets {
  readonly file: string;
  readonly captures: number;
  readonly packets: number;
  /** Of packets from an endpoint of one capture to that of another. */
  readonly ends: Readonly<MatchedEnds>;
}

interface Source extends MatchedInterface {
  readonly description: string;
  readonly received: number;
  /** What is added to its times. */
  readonly shift: Micros;
}

/**
 * Writes `packets.pcapng` into the folder, with an interface for each of each capture. Throws `ControllerError` (`RECORD_PACKETS`: it has
 * none; `RECORD_UNREADABLE`) and system errors; nothing of it is there then.
 */
export function exportPackets(record: string, folder: string, program: string): ExportedPackets {
  const description = readDescription(record);
  const names = capturesIn(record);
  if (names.length === 0)
    throw new ControllerError(
      'RECORD_PACKETS',
      `${description.id} has no packets`,
      'take them while it runs: netfold capture A B --record',
    );
  const files = names.map((name) => join(record, CAPTURES, name));
  const sources = files.flatMap((path, file) =>
    surveyOf(path).map((found) => sourceOf(found, file, names[file]!, description)),
  );
  const file = join(folder, 'packets.pcapng');
  const ends: MatchedEnds = { sent: 0, arrived: 0, lost: 0, unknown: 0 };
  const write = (path: string): number => {
    const interfaces = sources.map(
      ({ name, description: text, filter }): CapturedInterface => ({
        ...{ name, description: text },
        ...(filter !== undefined && { filter }),
      }),
    );
    const head = { program, comment: commentOf(description, names), interfaces };
    const writer = new CaptureWriter(new FileSink(path, {}), head, {});
    let last = micros(0);
    for (const packet of matched(inOrder(files, sources), sources, ends)) {
      writer.write(packet);
      last = packet.at;
    }
    writer.close(last, sources);
    return writer.packets;
  };
  return { file, captures: names.length, packets: wholeFile(file, write), ends };
}

function sourceOf(found: SurveyedInterface, file: number, fileName: string, record: Description): Source {
  const {
    name,
    description = '',
    filter,
    received,
    dropped,
    firstAt = micros(0),
    lastAt = micros(-1),
  } = found;
  const facts = interfaceFacts(description);
  const host = record.placement?.[name] ?? facts?.host;
  const shift = host === undefined ? micros(0) : fromMillis(clockShiftOf(record, host).ms);
  return {
    ...{ name, file, received, dropped, shift, filter },
    addresses: (facts?.addresses ?? []).map((address) => addressText(familyBytes(address))),
    description: `${description === '' ? name : description}; of ${fileName}`,
    firstAt: micros(firstAt + shift),
    lastAt: micros(lastAt + shift),
  };
}

/** Of all files, by the one clock. Each file has its own in their order. */
function* inOrder(files: readonly string[], sources: readonly Source[]): Generator<MatchedPacket> {
  const streams = files.map((path, file) => {
    const own = sources.flatMap((one, number) => (one.file === file ? [[one.name, number] as const] : []));
    return {
      packets: readPackets(path),
      numbers: new Map(own),
      head: undefined as MatchedPacket | undefined,
    };
  });
  const step = (stream: (typeof streams)[number]): void => {
    const next = stream.packets.next();
    stream.head = next.done ? undefined : moved(next.value, stream.numbers, sources);
  };
  for (const stream of streams) step(stream);
  for (;;) {
    const [first] = streams
      .filter(({ head }) => head !== undefined)
      .sort((a, b) => a.head!.at - b.head!.at || Number(b.head!.isOutgoing) - Number(a.head!.isOutgoing));
    if (!first) return;
    yield first.head!;
    step(first);
  }
}

function moved(
  { interface: name, at, bytes, length, isOutgoing, comment }: ReadPacket,
  numbers: ReadonlyMap<string, number>,
  sources: readonly Source[],
): MatchedPacket {
  const number = numbers.get(name)!;
  return {
    ...{ interface: number, bytes, length, isOutgoing, comment },
    at: micros(at + sources[number]!.shift),
  };
}

function commentOf(description: Description, names: readonly string[]): string {
  const { id, hosts, beganAt } = description;
  const clocks = hosts.map((host) => {
    const { ms, errorMs } = clockShiftOf(description, host);
    return `${host}: its times were moved by ${ms.toFixed(3)} ms${errorMs === null ? '' : ` ± ${errorMs.toFixed(3)} ms`}`;
  });
  const began = beganAt === null ? [] : [`The timeline began at ${beganAt}.`];
  return [`Packets of ${id}, of ${names.join(', ')}.`, ...began, ...clocks].join('\n');
}
