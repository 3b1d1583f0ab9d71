/**
 * Packets of a trace as a text, which is what `trace: FILE` of traffic becomes, so that agents need no other file: of each, the
 * microseconds since the first and the bytes of its payload, e.g. `packets: 0 1000, 8000 1000, 8500 40`.
 */

export interface PacketTrace {
  /** Microseconds, ascending from 0. */
  readonly at: Float64Array;
  /** Bytes. */
  readonly size: Uint16Array;
}

export const MOST_PACKETS = 100_000;
const MARK = 'packets: ';
const PACKET = /^(\d{1,12}) (\d{1,5})$/;
/** What `readPacketTrace` accepts begins so. */
export const PACKET_TRACE_PATTERN = `^${MARK}0 `;

export const isPacketTraceText = (text: string): boolean => text.startsWith(`${MARK}0 `);

export function packetTraceText({ at, size }: PacketTrace): string {
  return `${MARK}${Array.from(at, (time, index) => `${time} ${size[index]}`).join(', ')}`;
}

/** `undefined`: it is none. */
export function readPacketTrace(text: string): PacketTrace | undefined {
  if (!isPacketTraceText(text)) return undefined;
  const packets = text.slice(MARK.length).split(', ');
  if (packets.length > MOST_PACKETS) return undefined;
  const [at, size] = [new Float64Array(packets.length), new Uint16Array(packets.length)];
  for (const [index, packet] of packets.entries()) {
    const found = PACKET.exec(packet);
    if (!found || Number(found[2]) > 0xffff) return undefined;
    at[index] = Number(found[1]);
    size[index] = Number(found[2]);
    if (index > 0 && at[index]! < at[index - 1]!) return undefined;
  }
  return { at, size };
}
