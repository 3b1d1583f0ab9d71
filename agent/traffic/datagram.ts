/** The head of a datagram of netfold's own traffic: which source, and when it was sent. */

const MAGIC = 0x6e667472;
const AT = { magic: 0, source: 4, sentMs: 8 } as const;
export const HEAD_BYTES = 16;

/** Writes the head into the beginning of `data`. `sentMs`: since 1970, so that hosts with one clock agree. */
export function writeHead(data: Buffer, source: number, sentMs: number): void {
  data.writeUInt32BE(MAGIC, AT.magic);
  data.writeUInt32BE(source, AT.source);
  data.writeDoubleBE(sentMs, AT.sentMs);
}

/** `undefined`: it is somebody else's. */
export function readHead(data: Buffer, length: number): { source: number; sentMs: number } | undefined {
  if (length < HEAD_BYTES || data.readUInt32BE(AT.magic) !== MAGIC) return undefined;
  return { source: data.readUInt32BE(AT.source), sentMs: data.readDoubleBE(AT.sentMs) };
}
