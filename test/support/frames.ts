/** Frames of Ethernet as bytes, for tests of what reads them. */

export interface FrameParts {
  readonly source: readonly number[];
  readonly destination: readonly number[];
  readonly id?: number;
  readonly ttl?: number;
  readonly protocol?: number;
  readonly checksum?: number;
  /** Flags and offset of IPv4. */
  readonly fragment?: number;
  readonly payload?: string;
  /** As the header says, where it is not that of what is there. */
  readonly length?: number;
}

/** UDP from port 1000 to 2000 over IPv4 or IPv6, by the lengths of the addresses. */
export function udpFrame(parts: FrameParts): Buffer {
  const { source, destination, id = 7, ttl = 64, protocol = 17, checksum = 0xabcd, fragment = 0 } = parts;
  const payload = Buffer.from(parts.payload ?? 'payload');
  const udp = Buffer.alloc(8);
  udp.writeUInt16BE(1000, 0);
  udp.writeUInt16BE(2000, 2);
  udp.writeUInt16BE(8 + payload.length, 4);
  udp.writeUInt16BE(checksum, 6);
  const above = Buffer.concat([udp, payload]);
  const ethernet = Buffer.from('020000000001020000000002', 'hex');
  if (source.length === 16) {
    const header = Buffer.alloc(40);
    header[0] = 0x60;
    header.writeUInt16BE(above.length, 4);
    header[6] = protocol;
    header[7] = ttl;
    header.set(source, 8);
    header.set(destination, 24);
    return Buffer.concat([ethernet, Buffer.from('86dd', 'hex'), header, above]);
  }
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header.writeUInt16BE(parts.length ?? 20 + above.length, 2);
  header.writeUInt16BE(id, 4);
  header.writeUInt16BE(fragment, 6);
  header[8] = ttl;
  header[9] = protocol;
  header.writeUInt16BE(checksum ^ 0x1111, 10);
  header.set(source, 12);
  header.set(destination, 16);
  return Buffer.concat([ethernet, Buffer.from('0800', 'hex'), header, above]);
}

export const A4 = [10, 0, 0, 1] as const;
export const B4 = [10, 0, 0, 2] as const;
export const A6 = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] as const;
export const B6 = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2] as const;
