/** A DNS query → its answer, from the table alone. Pure. */
import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  type DecodedPacket,
  decode,
  encode,
  type OptAnswer,
  type Packet,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from 'dns-packet';
import type { NameRecord, NameTable } from './name-table.ts';

/** RFC 1035, section 4.1.1. */
const CODE = { done: 0, malformed: 1, unknownName: 3, notImplemented: 4, refused: 5 } as const;
type Code = (typeof CODE)[keyof typeof CODE];

const HEADER_BYTES = 12;
/** What every resolver takes over UDP (RFC 1035), and what loopback carries in one datagram. */
const PLAIN_UDP_BYTES = 512;
const MOST_UDP_BYTES = 65_507;
const MOST_TCP_BYTES = 65_535;
/** Names of a lab do not change. */
const TTL_SECONDS = 60;

/**
 * Answers at once: the records of a known name, none of an unknown one (NXDOMAIN) and none of a type that a known name has
 * not (NODATA). Nothing is asked elsewhere. An answer that does not fit holds what does; over UDP it says so, and the resolver
 * asks again over TCP. `undefined` for what is no query.
 */
export function answer(table: NameTable, query: Buffer, transport: 'udp' | 'tcp'): Buffer | undefined {
  if (query.length < HEADER_BYTES || query[2]! & 0x80) return undefined;
  if (((query[2]! >> 3) & 0xf) !== 0) return bare(query, CODE.notImplemented);
  const read = tryDecode(query);
  if (read?.questions?.length !== 1) return bare(query, CODE.malformed);
  const question = read.questions[0]!;
  if (question.class !== 'IN' && question.class !== 'ANY') return mirrored(query, CODE.refused);
  const found = table.find(question.name);
  const wanted: string = question.type;
  const records = (found ?? []).filter(({ type }) => wanted === 'ANY' || wanted === type);
  const reply = pack(read, records, found ? CODE.done : CODE.unknownName, mostBytes(read, transport));
  return hasQuestionOf(query, reply) ? reply : mirrored(query, CODE.unknownName);
}

function tryDecode(query: Buffer): DecodedPacket | undefined {
  try {
    return decode(query);
  } catch {
    // Written by any application.
    return undefined;
  }
}

/** What the resolver takes (EDNS, RFC 6891). */
function mostBytes(query: Packet, transport: 'udp' | 'tcp'): number {
  if (transport === 'tcp') return MOST_TCP_BYTES;
  return Math.min(Math.max(optionsOf(query)?.udpPayloadSize ?? 0, PLAIN_UDP_BYTES), MOST_UDP_BYTES);
}

const optionsOf = ({ additionals = [] }: Packet): OptAnswer | undefined =>
  additionals.find((one): one is OptAnswer => one.type === 'OPT');

function pack(query: DecodedPacket, records: readonly NameRecord[], code: Code, most: number): Buffer {
  const { name } = query.questions![0]!;
  const answers = records.map(({ type, data }): Answer => ({ type, data, name, ttl: TTL_SECONDS }));
  const flags = AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | (query.flags! & RECURSION_DESIRED) | code;
  const empty: Packet = {
    ...{ type: 'response', id: query.id!, flags, questions: query.questions! },
    additionals: optionsOf(query) ? [OPTIONS] : [],
  };
  const whole = encode({ ...empty, answers });
  if (whole.length <= most) return whole;
  // All of them have the same length but for their type.
  const without = encode(empty).length;
  const longest = Math.max(...answers.map((one) => encode({ ...empty, answers: [one] }).length - without));
  const fitting = answers.slice(0, Math.floor((most - without) / longest));
  return encode({ ...empty, flags: flags | TRUNCATED_RESPONSE, answers: fitting });
}

const OPTIONS: OptAnswer = {
  ...{ name: '.', type: 'OPT', udpPayloadSize: MOST_UDP_BYTES },
  ...{ extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] },
};

/** A name of arbitrary bytes is not text; a resolver takes an answer only to its very question. */
function hasQuestionOf(query: Buffer, reply: Buffer): boolean {
  let end = HEADER_BYTES;
  while (query[end]! > 0) end += query[end]! + 1;
  return query.subarray(HEADER_BYTES, end + 5).equals(reply.subarray(HEADER_BYTES, end + 5));
}

/** The query itself as an answer without records. */
function mirrored(query: Buffer, code: Code): Buffer {
  const reply = Buffer.from(query);
  reply[2] = query[2]! | 0x84;
  reply[3] = 0x80 | code;
  return reply;
}

/** A header alone. */
function bare(query: Buffer, code: Code): Buffer {
  const reply = Buffer.alloc(HEADER_BYTES);
  query.copy(reply, 0, 0, 3);
  reply[2] = query[2]! | 0x80;
  reply[3] = 0x80 | code;
  return reply;
}
