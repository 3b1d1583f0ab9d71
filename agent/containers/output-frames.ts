/**
 * What a container without a terminal has written, as the engine sends it: frames of eight bytes of header (stream, three zeros, length
 * in network order) and the bytes. https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach
 */
const HEADER_BYTES = 8;

export class OutputFrames {
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes of the current frame that have not come yet. */
  #left = 0;

  /** The output in a chunk of the stream; both streams in their order. */
  take(chunk: Buffer): Buffer {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const output: Buffer[] = [];
    for (;;) {
      if (this.#left === 0) {
        if (bytes.length < HEADER_BYTES) break;
        this.#left = bytes.readUInt32BE(4);
        bytes = bytes.subarray(HEADER_BYTES);
      }
      const part = bytes.subarray(0, this.#left);
      if (part.length > 0) output.push(part);
      this.#left -= part.length;
      bytes = bytes.subarray(part.length);
      if (this.#left > 0) break;
    }
    this.#rest = Buffer.from(bytes);
    return Buffer.concat(output);
  }
}
