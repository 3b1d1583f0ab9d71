/** Echo requests from inside of endpoints, and when their answers arrived: the kernel at the other end answers by itself (RFC 792). */
import { randomInt } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';
import { type Micros, toMillis } from '../../../proto/units.ts';
import { familyBytes } from '../../kernel/netlink/addresses.ts';
import { within } from '../../kernel/netns/namespaces.ts';
import { arrivedAt, dateMicros, receiveFrom, sendTo } from '../../kernel/sys/datagrams.ts';
import { close } from '../../kernel/sys/descriptors.ts';
import { echoSocket, socketAddress } from '../../kernel/sys/inet-sockets.ts';
import { Poller } from '../../kernel/sys/poller.ts';
import { processorMicros } from '../../kernel/sys/this-thread.ts';
import { PROBE_PRIORITY } from '../objects/bpf-layout.ts';

/** `nf`: by this, and by the text, they are known as netfold's. */
export const PROBE_IDENTIFIER = 0x6e66;
const MARK = 'netfold probe';
const HEADER_BYTES = 8;
const TEXT_BYTES = 16;
const TOKEN_AT = HEADER_BYTES + TEXT_BYTES;
const MESSAGE_BYTES = TOKEN_AT + 8;
const CHECKSUM_AT = 2;
const SEQUENCE_AT = 6;
/** An IPv4 header with all options. */
const MOST_RECEIVED = 60 + MESSAGE_BYTES;
const ECHO_REQUEST = 8;

interface Opened {
  readonly fd: number;
  /** `undefined`: that of this process. */
  readonly namespace: string | undefined;
  /** The source of its requests; absent: as routes give it. */
  readonly source: string | undefined;
  /** Token → when it was sent. */
  readonly sent: Map<number, Micros>;
}

/** Where they are sent: an endpoint. */
type Source = Pick<LocalEndpoint, 'number' | 'namespace' | 'addresses'>;

/** Answers that were not read; a lost one stays, and goes with the oldest. */
const MOST_SENT = 1000;
/** Addresses in the form of the kernel, kept. */
const MOST_ADDRESSES = 4096;
/** In the place of an endpoint's number: where this process is. No endpoint has it. */
const HERE = 0xffffffff;

export class EchoProbes {
  /** `false`: answers are stamped when they arrive, before the delay line holds them. */
  readonly measuresBack: boolean;
  /** Number of an endpoint → its socket; `undefined`: it can have none. */
  readonly #open = new Map<number, Opened | undefined>();
  /** Of all sockets: those without an answer are not asked. Its tokens are numbers of endpoints. */
  #poller: Poller | undefined;
  readonly #received = Buffer.alloc(MOST_RECEIVED);
  readonly #message = messageOf(0);
  /** Makes tokens others than those of other agents in the namespace of this one: each reads all answers there. */
  readonly #salt = randomInt(2 ** 32);
  readonly #addresses = new Map<string, Uint8Array>();

  constructor(measuresBack: boolean) {
    this.measuresBack = measuresBack;
  }

  /** From inside of an endpoint, or from where this process is. `address`: IPv4. Returns whether the kernel has taken it. */
  send(from: Source | undefined, address: string, token: number): boolean {
    const socket = this.#socketOf(from);
    if (!socket) return false;
    const { fd, sent } = socket;
    writeToken(this.#message, (token ^ this.#salt) >>> 0);
    const to = this.#addressOf(address);
    sent.set(token, dateMicros());
    if (sent.size > MOST_SENT) sent.delete(sent.keys().next().value!);
    if (sendTo(fd, this.#message, this.#message.length, to)) return true;
    sent.delete(token);
    return false;
  }

  #addressOf(address: string): Uint8Array {
    const known = this.#addresses.get(address);
    if (known) return known;
    if (this.#addresses.size >= MOST_ADDRESSES) this.#addresses.clear();
    const made = socketAddress(familyBytes(address), 0);
    this.#addresses.set(address, made);
    return made;
  }

  /** One system call without answers; of each answer two, and one more for some dozens of them. */
  collect(): { token: number; roundTripMicros: number }[] {
    const answers: { token: number; roundTripMicros: number }[] = [];
    const poller = this.#poller;
    if (!poller) return answers;
    // Each of those that are ready has an answer; who has more is ready again.
    for (let rounds = 0; rounds < MOST_SENT; rounds++) {
      const ready = poller.wait(0);
      if (ready === 0) break;
      for (let at = 0; at < ready; at++) {
        const socket = this.#open.get(poller.token(at));
        if (socket) this.#receive(socket, answers);
      }
    }
    return answers;
  }

  #receive({ fd, sent }: Opened, answers: { token: number; roundTripMicros: number }[]): void {
    const bytes = receiveFrom(fd, this.#received, NO_ADDRESS);
    if (bytes < 0) return;
    const salted = tokenIn(this.#received.subarray(0, bytes));
    const token = salted === undefined ? undefined : (salted ^ this.#salt) >>> 0;
    const at = token === undefined ? undefined : sent.get(token);
    if (token === undefined || at === undefined) return;
    const arrived = arrivedAt(fd);
    sent.delete(token);
    if (arrived !== undefined) answers.push({ token, roundTripMicros: arrived - at });
  }

  keep(local: readonly LocalEndpoint[]): void {
    const here = new Map(local.map((endpoint) => [endpoint.number, endpoint]));
    for (const [number, socket] of this.#open) {
      if (number === HERE) continue;
      // A namespace or an address that is another one has another socket.
      const endpoint = here.get(number);
      const isSame = socket?.namespace === endpoint?.namespace && socket?.source === sourceOf(endpoint);
      if (endpoint && (!socket || isSame)) continue;
      this.#close(number);
    }
  }

  usedMs(): number {
    return toMillis(processorMicros());
  }

  close(): void {
    for (const number of this.#open.keys()) this.#close(number);
    this.#poller?.close();
    this.#poller = undefined;
  }

  #close(number: number): void {
    const socket = this.#open.get(number);
    this.#open.delete(number);
    if (!socket) return;
    this.#poller?.remove(socket.fd);
    close(socket.fd);
  }

  #socketOf(from: Source | undefined): Opened | undefined {
    const number = from?.number ?? HERE;
    if (!this.#open.has(number)) {
      const socket = opened(from);
      this.#open.set(number, socket);
      if (socket) {
        this.#poller ??= new Poller();
        this.#poller.add(socket.fd, number);
      }
    }
    return this.#open.get(number);
  }
}

/** Other endpoints may be in the same namespace: answers of a path are to its own address. */
const sourceOf = (endpoint: Source | undefined): string | undefined => endpoint?.addresses.find(isIPv4);

/** `undefined` where the namespace is gone, or the kernel gives none. */
function opened(from: Source | undefined): Opened | undefined {
  const source = sourceOf(from);
  const open = (): number =>
    echoSocket(PROBE_IDENTIFIER, PROBE_PRIORITY, source === undefined ? undefined : familyBytes(source));
  try {
    const fd = from ? within(from.namespace, open) : open();
    // From now on, arrivals have a time.
    arrivedAt(fd);
    return { fd, namespace: from?.namespace, source, sent: new Map() };
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
  message.write(MARK, HEADER_BYTES, 'latin1');
  writeToken(message, token);
  return message;
}

/** Makes another request of it. */
export function writeToken(message: Buffer, token: number): void {
  message.writeUInt16BE(token & 0xffff, SEQUENCE_AT);
  message.writeUInt32BE(token, TOKEN_AT);
  message.writeUInt16BE(0, CHECKSUM_AT);
  message.writeUInt16BE(checksumOf(message), CHECKSUM_AT);
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
