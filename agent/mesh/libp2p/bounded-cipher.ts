/**
 * Keeps the cipher of the mesh's key within its memory. @libp2p/pnet encrypts with the package xsalsa20, whose streams share one
 * WebAssembly memory of 640 KB and each keep a view of it. One text that is longer makes the memory grow, which detaches the
 * views of all other streams; each of these then grows the memory again with its next text, and so on until nothing is left
 * and the process ends (RangeError, seen after some thousand texts on two connections). Texts in pieces never make it grow.
 */
import XSalsa20 from 'xsalsa20';

/** A multiple of the cipher's block of 64 bytes, far below 640 KB. */
const PIECE_BYTES = 64 * 1024;

const updateOnePiece = XSalsa20.prototype.update;

function update(this: XSalsa20, input: Uint8Array, output = new Uint8Array(input.length)): Uint8Array {
  for (let at = 0; at < input.length; at += PIECE_BYTES) {
    const end = at + PIECE_BYTES;
    updateOnePiece.call(this, input.subarray(at, end), output.subarray(at, end));
  }
  return output;
}

/** For all streams of this process, those that there are already, too. May be called again. */
export function boundCipherMemory(): void {
  XSalsa20.prototype.update = update;
}
