/** Echo requests from inside of endpoints, and when their answers arrived: the kernel at the other end answers by itself (RFC 792). */
import { isIPv4 } from 'node:net';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';
import type { Micros } from '../../../proto/units.ts';
import { familyBytes } from '../../kernel/netlink/addresses.ts';
import { within } from '../../kernel/netns/namespaces.ts';
import { arrivedAt, dateMicros, receiveFrom, sendTo } from '../../kernel/sys/datagrams.ts';
import { close } from '../../kernel/sys/descriptors.ts';
import { echoSocket, socketAddress } from '../../kernel/sys/inet-sockets.ts';

/** `nf`: by this, and by the text, they are known as netfold's. */
export const PROBE_IDENTIFIER = 0x6e66;
const MARK = 'netfold probe';
const HEADER_BYTES = 8;
const TEXT_BYTES = 16;
const TOKEN_AT = HEADER_BYTES + TEXT_BYTES;
const MESSAGE_BYTES = TOKEN_AT + 8;
/** An IPv4 header with all options. */
const MOST_RECEIVED = 60 + MESSAGE_BYTES;
const ECHO_REQUEST = 8;

interface Opened {
  readonly fd: number;
  readonly namespace: string;
  /** The source of its requests; absent: as routes give it. */
  readonly source: string | undefined;
  /** Token → when it was sent. */
  readonly sent: Map<number, Micros>;
}

/** Answers that were not read; a lost one stays, and goes with the oldest. */
const MOST_SENT = 1000;

export class EchoProbes {
  /** `false`: answers are stamped when they arrive, before the delay line holds them. */
  readonly measuresBack: boolean;
  /** Number of an endpoint → its socket; `undefined`: it can have none. */
  readonly #open = new Map<number, Opened | undefined>();
  readonly #received = Buffer.alloc(MOST_RECEIVED);

  constructor(measuresBack: boolean) {
    this.measuresBack = measuresBack;
  }

  /** `address`: IPv4. Returns whether the kernel has taken it. */
  send(from: LocalEndpoint, address: string, token: number): boolean {
    const socket = this.#socketOf(from);
    if (!socket) return false;
    const { fd, sent } = socket;
    const message = messageOf(token);
    sent.set(token, dateMicros());
    if (sent.size > MOST_SENT) sent.delete(sent.keys().next().value!);
    if (sendTo(fd, message, message.length, socketAddress(familyBytes(address), 0))) return true;
    sent.delete(token);
    return false;
  }

  collect(): { token: number; roundTripMicros: number }[] {
    const answers: { token: number; roundTripMicros: number }[] = [];
    for (const socket of this.#open.values()) {
      if (!socket || socket.sent.size === 0) continue;
      for (;;) {
        const bytes = receiveFrom(socket.fd, this.#received, NO_ADDRESS);
        if (bytes < 0) break;
        const token = tokenIn(this.#received.subarray(0, bytes));
        const at = token === undefined ? undefined : socket.sent.get(token);
        const arrived = arrivedAt(socket.fd);
        if (token === undefined || at === undefined || arrived === undefined) continue;
        socket.sent.delete(token);
        answers.push({ token, roundTripMicros: arrived - at });
      }
    }
    return answers;
  }

  keep(local: readonly LocalEndpoint[]): void {
    const here = new Map(local.map((endpoint) => [endpoint.number, endpoint]));
    for (const [number, socket] of this.#open) {
      // A namespace or an address that is another one has another socket.
      const endpoint = here.get(number);
      const isSame = socket?.namespace === endpoint?.namespace && socket?.source === sourceOf(endpoint);
      if (endpoint && (!socket || isSame)) continue;
      if (socket) close(socket.fd);
      this.#open.delete(number);
    }
  }

  close(): void {
    this.keep([]);
  }

  #socketOf(endpoint: LocalEndpoint): Opened | undefined {
    const { number } = endpoint;
    if (!this.#open.has(number)) this.#open.set(number, opened(endpoint));
    return this.#open.get(number);
  }
}

/** Other endpoints may be in the same namespace: answers of a path are to its own address. */
const sourceOf = (endpoint: LocalEndpoint | undefined): string | undefined =>
  endpoint?.addresses.find(isIPv4);

/** `undefined` where the namespace is gone, or the kernel gives none. */
function opened(endpoint: LocalEndpoint): Opened | undefined {
  const { namespace } = endpoint;
  const source = sourceOf(endpoint);
  try {
    const fd = within(namespace, () =>
      echoSocket(PROBE_IDENTIFIER, source === undefined ? undefined : familyBytes(source)),
    );
    // From now on, arrivals have a time.
    arrivedAt(fd);
    return { fd, namespace, source, sent: new Map() };
  } catch {
    return undefined;
  }
}

const NO_ADDRESS = new Uint8Array(16);

/** An echo request (RFC 792) with the text and the token. */
export function messageOf(token: number): Buffer {
  const message = Buffer.alloc(MESSAGE_BYTES);
  message.writeUInt8(ECHO_REQUEST, 0);
  message.writeUInt16BE(PROBE_IDENTIFIER, 4);
  message.writeUInt16BE(token & 0xffff, 6);
  message.write(MARK, HEADER_BYTES, 'latin1');
  message.writeUInt32BE(token, TOKEN_AT);
  message.writeUInt16BE(checksumOf(message), 2);
  return message;
}

/** RFC 1071. */
export function checksumOf(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at + 1 < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** Of a packet with its IPv4 header; `undefined`: it is none of netfold's. */
export function tokenIn(packet: Buffer): number | undefined {
  if (packet.length < 1) return undefined;
  const header = (packet[0]! & 0xf) * 4;
  const message = packet.subarray(header);
  if (
    message.length < MESSAGE_BYTES ||
    message.toString('latin1', HEADER_BYTES, HEADER_BYTES + MARK.length) !== MARK
  )
    return undefined;
  return message.readUInt32BE(TOKEN_AT);
}
