/** What is used of the package xsalsa20, which has no types of its own. */
declare module 'xsalsa20' {
  class XSalsa20 {
    /** 24 and 32 bytes. */
    constructor(nonce: Uint8Array, key: Uint8Array);
    /** The stream's next bytes, XORed. */
    update(input: Uint8Array, output?: Uint8Array): Uint8Array;
    /** Gives its memory back. */
    finalize(): void;
  }
  export default XSalsa20;
}
