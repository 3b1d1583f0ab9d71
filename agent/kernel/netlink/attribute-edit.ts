/** Changes single attributes of a payload and leaves the rest as it is (RFC 3549, linux/netlink.h). */

const HEADER = 4;
const TYPE_MASK = 0x3fff;
const align = (length: number): number => (length + 3) & ~3;

/** One attribute, padded. */
export function attributeBytes(type: number, value: Uint8Array): Buffer {
  const bytes = Buffer.alloc(align(HEADER + value.length));
  bytes.writeUInt16LE(HEADER + value.length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(value, HEADER);
  return bytes;
}

/** A number as the kernel keeps it in an attribute of four bytes. */
export function u32Bytes(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

/**
 * Replaces the value of each attribute from `start` on by the result of `edit`; `undefined` removes the attribute. `edit` gets a
 * copy of the value. Bytes before `start` stay.
 */
export function editAttributes(
  payload: Buffer,
  edit: (type: number, value: Buffer) => Buffer | undefined,
  start = 0,
): Buffer {
  const parts: Buffer[] = [payload.subarray(0, start)];
  for (let offset = start; offset + HEADER <= payload.length; ) {
    const length = payload.readUInt16LE(offset);
    if (length < HEADER || offset + length > payload.length) break;
    const type = payload.readUInt16LE(offset + 2);
    const value = edit(type & TYPE_MASK, Buffer.from(payload.subarray(offset + HEADER, offset + length)));
    if (value) parts.push(attributeBytes(type, value));
    offset += align(length);
  }
  return Buffer.concat(parts);
}
