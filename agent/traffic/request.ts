/** What a source of pages asks for: so many bytes. */

/** As long as requests of the models are (models.ts). */
export const REQUEST_BYTES = 350;
/** No object is larger (models.ts). */
export const MOST_ANSWER = 2_000_000;

/** Writes the beginning of a request; the rest is zeros. */
export function writeRequest(data: Buffer, bytes: number): void {
  data.writeUInt32BE(bytes, 0);
}

/** `undefined`: it is none. */
export function readRequest(data: Buffer): number | undefined {
  const bytes = data.readUInt32BE(0);
  return bytes >= 1 && bytes <= MOST_ANSWER ? bytes : undefined;
}
