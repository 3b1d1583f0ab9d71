/**
 * Carries what endpoints send to all or to many to those on their segment.
 *
 *   sender's eth0 ── the host's end of it: the frame is read here; the host's own stack drops it
 *     └─ one UDP datagram for each receiver, sent in the sender's namespace: it takes the path, as all else does
 *   receiver's namespace: the datagram arrives, delayed or lost
 *     └─ the host's end of the receiver's eth0: the frame is sent into it
 */
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import { familyBytes } from '../kernel/netlink/addresses.ts';
import { within } from '../kernel/netns/namespaces.ts';
import { receiveFrom, sendTo } from '../kernel/sys/datagrams.ts';
import { close } from '../kernel/sys/descriptors.ts';
import {
  LINK_ADDRESS_BYTES,
  LINK_ADDRESS_INTERFACE,
  linkAddress,
  openFrameSender,
  openGroupReceiver,
  VNET_HEADER_BYTES,
} from '../kernel/sys/group-sockets.ts';
import { boundUdp, hostKey, socketAddress } from '../kernel/sys/inet-sockets.ts';
import type { Poller } from '../kernel/sys/poller.ts';
import { ethertypeOf, isApplications } from './frames.ts';
import { SegmentMap } from './segment-map.ts';

/** Of the datagrams between endpoints; the next one after the agents' own. */
export const RELAY_PORT = 4647;
const GROUPS = 0xfffffffe;
/** Of one descriptor, before others have their turn. */
const AT_ONCE = 64;
const MOST_BYTES = VNET_HEADER_BYTES + 65_536;

export type RelayPlace = Pick<LocalEndpoint, 'number' | 'namespace' | 'addresses'>;

/** An endpoint of this host. */
interface Local {
  readonly fd: number;
  /** The interface at the host's end. */
  readonly port: number;
}

export class Relay {
  readonly #firstPort: number;
  readonly #poller: Poller;
  readonly #groups = openGroupReceiver();
  readonly #frames = openFrameSender();
  readonly #local = new Map<number, Local>();
  /** By number: where datagrams are sent to. */
  #addresses: ReadonlyMap<number, Uint8Array> = new Map();
  #numbers: ReadonlyMap<string, number> = new Map();
  #segments = new SegmentMap(0, new Int32Array());
  readonly #data = new Uint8Array(MOST_BYTES);
  readonly #from = new Uint8Array(LINK_ADDRESS_BYTES + 8);
  readonly #fromView = new DataView(this.#from.buffer);

  /** In the host's namespace, where endpoint N has the interface `firstPort` + N. Tokens of `poller` are numbers of endpoints. */
  constructor(firstPort: number, poller: Poller) {
    this.#firstPort = firstPort;
    this.#poller = poller;
    poller.add(this.#groups, GROUPS);
  }

  /** Throws `KernelError`, for instance if an application has the port. */
  attach({ number, namespace, addresses }: RelayPlace): void {
    this.detach(number);
    const fd = within(namespace, () => boundUdp(familyBytes(addresses[0]!), RELAY_PORT));
    this.#local.set(number, { fd, port: this.#firstPort + number });
    this.#poller.add(fd, number);
  }

  detach(number: number): void {
    const local = this.#local.get(number);
    if (!local) return;
    this.#local.delete(number);
    this.#poller.remove(local.fd);
    close(local.fd);
  }

  /** Of all endpoints that are known, on any host. */
  setAddresses(known: readonly Pick<LocalEndpoint, 'number' | 'addresses'>[]): void {
    this.#addresses = new Map(
      known.map(({ number, addresses }) => [number, socketAddress(familyBytes(addresses[0]!), RELAY_PORT)]),
    );
    this.#numbers = new Map([...this.#addresses].map(([number, address]) => [hostKey(address), number]));
  }

  setSegments(segments: SegmentMap): void {
    this.#segments = segments;
  }

  /** Carries what waits at the descriptor with this token. */
  serve(token: number): void {
    for (let count = 0; count < AT_ONCE; count++)
      if (!(token === GROUPS ? this.#send() : this.#deliver(token))) return;
  }

  /** Returns whether there was a frame. */
  #send(): boolean {
    const length = receiveFrom(this.#groups, this.#data, this.#from);
    if (length < 0) return false;
    const sender = this.#fromView.getInt32(LINK_ADDRESS_INTERFACE, true) - this.#firstPort;
    const local = this.#local.get(sender);
    if (!local || !isApplications(this.#data.subarray(VNET_HEADER_BYTES, length))) return true;
    for (const receiver of this.#segments.receivers(sender)) {
      const address = this.#addresses.get(receiver);
      if (address) sendTo(local.fd, this.#data, length, address);
    }
    return true;
  }

  /** Returns whether there was a datagram. Those of others than the segment's endpoints are discarded. */
  #deliver(receiver: number): boolean {
    const local = this.#local.get(receiver);
    if (!local) return false;
    const length = receiveFrom(local.fd, this.#data, this.#from);
    if (length < 0) return false;
    const frame = this.#data.subarray(VNET_HEADER_BYTES, length);
    if (isApplications(frame) && this.#isNeighbour(receiver))
      sendTo(this.#frames, this.#data, length, linkAddress(ethertypeOf(frame), local.port));
    return true;
  }

  #isNeighbour(receiver: number): boolean {
    const sender = this.#numbers.get(hostKey(this.#from));
    return sender !== undefined && this.#segments.receivers(sender).has(receiver);
  }

  close(): void {
    for (const number of [...this.#local.keys()]) this.detach(number);
    this.#poller.remove(this.#groups);
    close(this.#groups);
    close(this.#frames);
  }
}
