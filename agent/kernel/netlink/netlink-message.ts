/**
 * Writing and reading netlink messages (RFC 3549; linux/netlink.h): a header, a fixed part, attributes.
 * Numbers are in host byte order, which is little-endian on all supported machines, unless a name says that it is network order.
 */

export const NLM_F_REQUEST = 1;
export const NLM_F_ACK = 4;
export const NLM_F_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;
export const HEADER_SIZE = 16;

const align = (length: number): number => (length + 3) & ~3;

/** Builds messages one after the other in one buffer that grows and is used again. */
export class MessageWriter {
  #bytes: Buffer;
  #length = 0;
  #messageStart = 0;

  constructor(capacity = 4096) {
    this.#bytes = Buffer.alloc(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** The messages written so far; valid until the next write. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  reset(): void {
    this.#length = 0;
  }

  /** One message: header, then what `body` writes. The sequence number is set when it is sent. */
  message(type: number, flags: number, body: (writer: this) => void): this {
    this.#messageStart = this.#length;
    this.u32(0).u16(type).u16(flags).u32(0).u32(0);
    body(this);
    this.#bytes.writeUInt32LE(this.#length - this.#messageStart, this.#messageStart);
    this.#pad();
    return this;
  }

  u8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  u16(value: number): this {
    this.#reserve(2);
    this.#length = this.#bytes.writeUInt16LE(value, this.#length);
    return this;
  }

  u32(value: number): this {
    this.#reserve(4);
    this.#length = this.#bytes.writeUInt32LE(value >>> 0, this.#length);
    return this;
  }

  i32(value: number): this {
    this.#reserve(4);
    this.#length = this.#bytes.writeInt32LE(value, this.#length);
    return this;
  }

  /** A 64-bit number up to 2^53. */
  u64(value: number): this {
    return this.u32(value % 2 ** 32).u32(Math.floor(value / 2 ** 32));
  }

  u16be(value: number): this {
    this.#reserve(2);
    this.#length = this.#bytes.writeUInt16BE(value, this.#length);
    return this;
  }

  u32be(value: number): this {
    this.#reserve(4);
    this.#length = this.#bytes.writeUInt32BE(value >>> 0, this.#length);
    return this;
  }

  raw(data: Uint8Array): this {
    this.#reserve(data.length);
    this.#bytes.set(data, this.#length);
    this.#length += data.length;
    return this;
  }

  /** An attribute whose payload `body` writes. */
  attribute(type: number, body: (writer: this) => void): this {
    const start = this.#length;
    this.u16(0).u16(type);
    body(this);
    this.#bytes.writeUInt16LE(this.#length - start, start);
    this.#pad();
    return this;
  }

  nested(type: number, body: (writer: this) => void): this {
    return this.attribute(type | NLA_F_NESTED, body);
  }

  attributeU32(type: number, value: number): this {
    return this.attribute(type, (w) => w.u32(value));
  }

  attributeU32be(type: number, value: number): this {
    return this.attribute(type, (w) => w.u32be(value));
  }

  /** A zero-terminated string. */
  attributeString(type: number, text: string): this {
    return this.attribute(type, (w) => w.raw(Buffer.from(`${text}\0`)));
  }

  attributeBytes(type: number, data: Uint8Array): this {
    return this.attribute(type, (w) => w.raw(data));
  }

  #pad(): void {
    const target = align(this.#length);
    this.#reserve(target - this.#length);
    this.#bytes.fill(0, this.#length, target);
    this.#length = target;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.alloc(Math.max(this.#bytes.length * 2, this.#length + more));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

export interface ReceivedMessage {
  readonly type: number;
  readonly sequence: number;
  /** What follows the header. */
  readonly body: Buffer;
}

/** Splits a datagram into messages; what is cut off or malformed ends the iteration. */
export function* readMessages(datagram: Buffer): Generator<ReceivedMessage> {
  let offset = 0;
  while (offset + HEADER_SIZE <= datagram.length) {
    const length = datagram.readUInt32LE(offset);
    if (length < HEADER_SIZE || offset + length > datagram.length) return;
    yield {
      type: datagram.readUInt16LE(offset + 4),
      sequence: datagram.readUInt32LE(offset + 8),
      body: datagram.subarray(offset + HEADER_SIZE, offset + length),
    };
    offset += align(length);
  }
}

/** Attribute type → payload; the last one wins where a type occurs twice. Malformed tails are left out. */
export function readAttributes(bytes: Buffer, start = 0): Map<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  let offset = start;
  while (offset + 4 <= bytes.length) {
    const length = bytes.readUInt16LE(offset);
    if (length < 4 || offset + length > bytes.length) break;
    attributes.set(
      bytes.readUInt16LE(offset + 2) & NLA_TYPE_MASK,
      bytes.subarray(offset + 4, offset + length),
    );
    offset += align(length);
  }
  return attributes;
}

/** The text of a zero-terminated attribute. */
export function readString(payload: Buffer | undefined): string {
  if (!payload) return '';
  const end = payload.indexOf(0);
  return payload.toString('utf8', 0, end < 0 ? payload.length : end);
}
