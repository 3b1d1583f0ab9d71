/**
 * Packets, and flows, of a trace as a text, which is what `trace: FILE` and `flows: FILE` of traffic become, so that agents need no other
 * file. Of each packet, the microseconds since the first and the bytes of its payload: `packets: 0 1000, 8000 1000, 8500 40`. Of each
 * flow, the microseconds since the first of its file, its bytes, and for how long it lasts: `flows: 0 120000 0, 500000 80000 2000000`.
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

/** Flows from one endpoint to another. */
export interface FlowTrace {
  /** Microseconds, ascending. */
  readonly at: Float64Array;
  readonly bytes: Float64Array;
  /** Microseconds. */
  readonly lasts: Float64Array;
}

export const MOST_FLOWS = 100_000;
export const MOST_FLOW_BYTES = 1e12;
/** Payload of a datagram. */
const DATAGRAM_BYTES = 1472;
const FLOWS_MARK = 'flows: ';
const FLOW = /^(\d{1,12}) (\d{1,13}) (\d{1,12})$/;
/** What `readFlowTrace` accepts begins so. */
export const FLOW_TRACE_PATTERN = `^${FLOWS_MARK}\\d`;
const BEGINNING = new RegExp(FLOW_TRACE_PATTERN);

export const isFlowTraceText = (text: string): boolean => BEGINNING.test(text);

export function flowTraceText({ at, bytes, lasts }: FlowTrace): string {
  return `${FLOWS_MARK}${Array.from(at, (time, index) => `${time} ${bytes[index]} ${lasts[index]}`).join(', ')}`;
}

/** `undefined`: it is none. */
export function readFlowTrace(text: string): FlowTrace | undefined {
  if (!isFlowTraceText(text)) return undefined;
  const flows = text.slice(FLOWS_MARK.length).split(', ');
  if (flows.length > MOST_FLOWS) return undefined;
  const [at, bytes, lasts] = [0, 1, 2].map(() => new Float64Array(flows.length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (const [index, flow] of flows.entries()) {
    const found = FLOW.exec(flow);
    if (!found) return undefined;
    at[index] = Number(found[1]);
    bytes[index] = Number(found[2]);
    lasts[index] = Number(found[3]);
    const isWrong = bytes[index] === 0 || bytes[index]! > MOST_FLOW_BYTES;
    if (isWrong || (index > 0 && at[index]! < at[index - 1]!)) return undefined;
  }
  return { at, bytes, lasts };
}

/** Datagrams of the flows. */
export const datagramsOf = ({ bytes }: FlowTrace): number =>
  bytes.reduce((sum, one) => sum + Math.ceil(one / DATAGRAM_BYTES), 0);

/** The flows as datagrams: those of a flow at equal distances over its time, the last one with the rest. In order of time. */
export function packetsOfFlows(flows: FlowTrace): PacketTrace {
  const count = datagramsOf(flows);
  const [times, sizes] = [new Float64Array(count), new Uint16Array(count)];
  let place = 0;
  for (const [flow, begin] of flows.at.entries()) {
    const [bytes, lasts] = [flows.bytes[flow]!, flows.lasts[flow]!];
    const datagrams = Math.ceil(bytes / DATAGRAM_BYTES);
    for (let one = 0; one < datagrams; one++, place++) {
      times[place] = begin + Math.round((one * lasts) / datagrams);
      sizes[place] = one + 1 < datagrams ? DATAGRAM_BYTES : bytes - one * DATAGRAM_BYTES;
    }
  }
  const order = Uint32Array.from(times.keys()).sort((a, b) => times[a]! - times[b]! || a - b);
  return {
    at: Float64Array.from(order, (index) => times[index]!),
    size: Uint16Array.from(order, (index) => sizes[index]!),
  };
}
