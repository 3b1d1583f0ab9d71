/** The packet that the thread handles: a view of what the kernel has handed over, overwritten by the next one. */
export class Packet {
  data: Uint8Array = new Uint8Array();
  /** Of its network header. */
  offset = 0;
  /** All of its bytes; 0 where not all of them are there. */
  length = 0;
  /** So many are there. */
  present = 0;

  take(data: Uint8Array, offset: number, present: number, length: number): void {
    this.data = data;
    this.offset = offset;
    this.present = present;
    this.length = present < length ? 0 : present;
  }

  /** Nothing of it is there any more. */
  forget(): void {
    this.length = this.present = 0;
  }
}
