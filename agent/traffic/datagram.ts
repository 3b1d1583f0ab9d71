/** The head of a datagram, or of a connection, of netfold's own traffic: which source, and when it was sent. */

const MAGIC = 0x6e667472;
const AT = { magic: 0, source: 4, sentMs: 8 } as const;
export const HEAD_BYTES = 16;

/** Writes the head at `offset`. `sentMs`: since 1970, so that hosts with one clock agree. */
export function writeHead(view: DataView, offset: number, source: number, sentMs: number): void {
  view.setUint32(offset + AT.magic, MAGIC);
  view.setUint32(offset + AT.source, source);
  view.setFloat64(offset + AT.sentMs, sentMs);
}

/** Of what has `length` bytes. `undefined`: it is somebody else's. */
export function readHead(
  view: DataView,
  offset: number,
  length: number,
): { source: number; sentMs: number } | undefined {
  if (length < HEAD_BYTES || view.getUint32(offset + AT.magic) !== MAGIC) return undefined;
  return { source: view.getUint32(offset + AT.source), sentMs: view.getFloat64(offset + AT.sentMs) };
}
