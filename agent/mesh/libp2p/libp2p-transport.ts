/**
 * The mesh on libp2p: TCP, noise, yamux; gossipsub for announcements, and a request-response protocol for each kind
 * of request. Sockets belong to the network namespace of the process.
 */
import { TopicValidatorResult } from '@chainsafe/libp2p-gossipsub';
import { lpStream } from '@libp2p/utils';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { Micros } from '../../../proto/units.ts';
import type { Clock, Timers } from '../../clock/clock.ts';
import { MeshError } from '../errors.ts';
import { Admission } from '../trust/admission.ts';
import { fixedKey, type MeshKeys } from '../trust/key-ring.ts';
import { MAX_QUESTION_BYTES } from '../wire/limits.ts';
import {
  type MeshTransport,
  REQUEST_KINDS,
  REQUEST_TIMEOUT_MS,
  type RequestKind,
  type TransportHandlers,
} from '../wire/transport.ts';
import { ChosenPeers } from './chosen-peers.ts';
import { EdgeLimits } from './edge-limits.ts';
import { Gate } from './gate.ts';
import { guardGossip } from './gossip-refusals.ts';
import { GossipStreams, openGossip } from './gossip-streams.ts';
import { onHeardFrom } from './heard-from.ts';
import { serveInvitations } from './invitations.ts';
import { createNode, DIAL_TIMEOUT_MS, type NodeOptions, topicOf } from './libp2p-node.ts';
import { MeshSockets, type SocketPort, shorterOf, withoutPeer } from './mesh-sockets.ts';
import { dialable, directIpv4, parseAddress, peerIn } from './peer-addresses.ts';
import { isKept, QuestionStreams, tooLong } from './question-streams.ts';
import { Redialer } from './redialer.ts';
import { Unanswered } from './unanswered.ts';
import { protocolName } from './version.ts';

export interface Libp2pTransportOptions extends NodeOptions {
  /** Text of the mesh's key (mesh-key.ts); without one, every peer that reaches the port can join. */
  readonly meshKey?: string;
  /** Instead of it, where it may be replaced. */
  readonly keys?: MeshKeys | undefined;
  /** Which peers may connect; all if absent. */
  readonly admission?: Admission;
  /** Access to the kernel's socket data; absent: round-trip times and bytes stay unknown. */
  readonly sockets?: SocketPort;
  /** The invitation for a host that joins; absent: there is none. */
  readonly invitation?: () => Uint8Array;
  /** A host that joins, by its peer id, has received it. */
  readonly onInvited?: ((peer: string) => void) | undefined;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** Long enough for a leave message to be written, short enough for `netfold down`. */
const FLUSH_TIMEOUT_MS = 500;

/** How often connections are looked at for the keys by which they came in: an old one counts for so long too long. */
const KEEP_MS = 1000;

type Node = Awaited<ReturnType<typeof createNode>>;

/** Makes a transport with an identity; `start` opens its sockets. */
export async function createLibp2pTransport(options: Libp2pTransportOptions): Promise<MeshTransport> {
  const { meshKey, keys = meshKey === undefined ? undefined : fixedKey(meshKey) } = options;
  const gate = new Gate(options.admission ?? new Admission(), keys);
  const sockets = new MeshSockets(options.sockets);
  return new Libp2pTransport(await createNode(options, gate, sockets), gate, sockets, options);
}

class Libp2pTransport implements MeshTransport {
  readonly #node: Node;
  readonly #gate: Gate;
  readonly #sockets: MeshSockets;
  readonly #topic: string;
  readonly #experiment: string;
  readonly #options: Libp2pTransportOptions;
  readonly #redialer: Redialer<DialTarget>;
  readonly #questions = new QuestionStreams<Stream>();
  readonly #gossip: GossipStreams<NodeConnection>;
  readonly #unanswered = new Unanswered<NodeConnection>();
  readonly #chosen: ChosenPeers<NodeConnection>;
  readonly #publishing = new Set<Promise<unknown>>();
  #running = false;
  #cancelKeep = (): void => {};

  constructor(node: Node, gate: Gate, sockets: MeshSockets, options: Libp2pTransportOptions) {
    this.#node = node;
    this.#gate = gate;
    this.#sockets = sockets;
    this.#topic = topicOf(options.experiment);
    this.#experiment = options.experiment;
    this.#options = options;
    const { clock, timers } = options;
    this.#gossip = new GossipStreams<NodeConnection>({
      connections: () => node.getConnections(),
      open: (connection) => openGossip(node.services.pubsub, connection),
      timers,
    });
    this.#chosen = new ChosenPeers<NodeConnection>({ connections: () => node.getConnections(), timers });
    this.#redialer = new Redialer<DialTarget>({
      dial: (target) => this.#dial(target),
      isConnected: ({ peer }) => peer !== undefined && this.#connectionTo(peer) !== undefined,
      isWanted: ({ peer }) => peer === undefined || this.#chosen.isKept(peer),
      connections: () => node.getPeers().length,
      clock,
      timers,
    });
  }

  get selfId(): string {
    return this.#node.peerId.toString();
  }

  get addresses(): readonly string[] {
    const all = this.#node.getMultiaddrs().map(String);
    const reachable = all.filter((address) => !/^\/(ip4\/127\.|ip6\/::1\/)/.test(address));
    return reachable.length > 0 ? reachable : all;
  }

  async start(handlers: TransportHandlers): Promise<void> {
    const { pubsub } = this.#node.services;
    onHeardFrom(pubsub, (peer) => handlers.onHeard?.(peer));
    const { clock } = this.#options;
    const hosts = (): number => handlers.hostCount?.() ?? this.#node.getPeers().length + 1;
    const limits = new EdgeLimits(() => clock.now(), hosts);
    guardGossip(pubsub, limits, (rejection, peer) => handlers.onRefused?.(rejection, { peer }));
    // In the validator rather than in an event, because it decides whether a message is forwarded.
    pubsub.topicValidators.set(this.#topic, (passer, message) => {
      const peer = message.type === 'signed' ? message.from.toString() : undefined;
      const good = peer !== undefined && handlers.onGossip(message.data, peer, passer.toString());
      return good ? TopicValidatorResult.Accept : TopicValidatorResult.Ignore;
    });
    this.#gate.onRefused = (rejection, origin) => handlers.onRefused?.(rejection, origin);
    this.#node.addEventListener('peer:connect', ({ detail }) => handlers.onPeer(detail.toString()));
    for (const kind of REQUEST_KINDS) await this.#answer(kind, handlers);
    const { invitation, onInvited, protocol } = this.#options;
    const now = (): number => clock.now();
    if (invitation) await serveInvitations(this.#node, { invitation, onInvited, now, protocol });
    try {
      await this.#node.start();
    } catch (cause) {
      throw listenError(cause);
    }
    pubsub.subscribe(this.#topic);
    this.#running = true;
    this.#redialer.start();
    this.#gossip.start();
    this.#chosen.start();
    this.#cancelKeep = this.#options.timers.every(KEEP_MS, () =>
      this.#gate.keep((peer) => handlers.isInStep?.(peer) ?? false),
    );
  }

  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    this.#cancelKeep();
    this.#redialer.stop();
    this.#gossip.stop();
    this.#chosen.stop();
    await this.#flush();
    await this.#node.stop();
  }

  /** Waits until what was published is written, but not long. */
  async #flush(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#options.timers.after(FLUSH_TIMEOUT_MS, resolve);
    await Promise.race([Promise.allSettled(this.#publishing), promise]);
    cancel();
  }

  publish(bytes: Uint8Array): void {
    if (!this.#running) return;
    const publishing = this.#node.services.pubsub
      .publish(this.#topic, bytes)
      // A peer that refuses the stream gets no message; digests will make up for it.
      .catch(() => undefined)
      .finally(() => this.#publishing.delete(publishing));
    this.#publishing.add(publishing);
  }

  async request(kind: RequestKind, peer: string, question: () => Uint8Array): Promise<Uint8Array> {
    if (!this.#running)
      throw new MeshError('MESH_NOT_STARTED', `${peer} can't be asked: the mesh is stopped`);
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const connection = this.#connectionTo(peer) ?? (await this.#dialKnown(peer, signal));
    try {
      const protocol = protocolOf(kind, this.#experiment);
      const answer = await this.#questions.ask(connection, { kind, protocol }, question, signal);
      this.#unanswered.noteAnswer(connection);
      return answer;
    } catch (error) {
      if (signal.aborted) this.#unanswered.note(connection);
      throw error;
    }
  }

  async connect(address: string): Promise<void> {
    // A peer that is connected otherwise is not dialled at each of its addresses for ever.
    const target: DialTarget = { addresses: [parseAddress(address)], peer: peerIn(address) };
    try {
      await this.#dial(target);
    } catch (cause) {
      throw new MeshError('MESH_UNREACHABLE', `no agent answers at ${address}`, {
        remedy:
          "check that an agent runs there with this mesh's key, allows this one, and that its port is open; netfold goes on trying",
        cause,
      });
    } finally {
      if (this.#running) this.#redialer.keep(address, target);
    }
  }

  learn(peer: string, addresses: readonly string[]): void {
    if (!this.#running || peer === this.selfId) return;
    if (addresses.length === 0) this.#redialer.forget(peer);
    else this.#redialer.keep(peer, { addresses: dialable(peer, addresses), peer });
  }

  choose(peers: ReadonlySet<string> | undefined): void {
    this.#chosen.choose(peers);
  }

  renew(peer: string): void {
    for (const connection of this.#node.getConnections()) {
      if (connection.remotePeer.toString() === peer) connection.abort(new Error('no gossip comes over it'));
    }
  }

  async #dial(target: DialTarget, signal = AbortSignal.timeout(DIAL_TIMEOUT_MS)): Promise<void> {
    const connection = await this.#node.dial([...target.addresses], { signal });
    target.peer = connection.remotePeer.toString();
  }

  async #dialKnown(peer: string, signal: AbortSignal): Promise<NodeConnection> {
    const known = this.#redialer.get(peer);
    if (!known) throw new MeshError('MESH_UNREACHABLE', `no address of ${peer} is known`);
    return this.#node.dial([...known.addresses], { signal });
  }

  async #answer(kind: RequestKind, handlers: TransportHandlers): Promise<void> {
    const answer = async (stream: Stream, connection: NodeConnection): Promise<void> => {
      try {
        const frames = lpStream(stream, { maxDataLength: MAX_QUESTION_BYTES });
        // The first request has a time limit. A peer that asks again keeps the stream open, and closes it in the end.
        let wait: { signal?: AbortSignal } = { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) };
        do {
          const question = await frames.read(wait);
          const bytes = handlers.onRequest(kind, question.subarray(), connection.remotePeer.toString());
          if (bytes === undefined) throw new MeshError('MESH_NO_ANSWER', 'the question was refused');
          await frames.write(bytes, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
          wait = {};
        } while (isKept(kind));
        await stream.close({ signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
      } catch (error) {
        const refused = tooLong(error);
        if (refused) handlers.onRefused?.(refused, { peer: connection.remotePeer.toString() });
        stream.abort(toError(error));
      }
    };
    await this.#node.handle(protocolOf(kind, this.#experiment), answer, { maxInboundStreams: 8 });
  }

  unreachable(): readonly string[] {
    return this.#redialer.failing().flatMap(({ addresses }) => addresses[0]?.toString() ?? []);
  }

  shortestMicros(peer: string): Micros | undefined {
    return this.segments(peer).shortestMicros;
  }

  segments(peer: string): ReturnType<NonNullable<MeshTransport['segments']>> {
    let [sent, lost] = [0, 0];
    let shortestMicros: Micros | undefined;
    let address: string | undefined;
    for (const { remotePeer, remoteAddr } of this.#node.getConnections()) {
      if (remotePeer.toString() !== peer) continue;
      const remote = withoutPeer(remoteAddr.toString());
      const found = this.#sockets.segments(remote);
      sent += found.sent;
      lost += found.lost;
      shortestMicros = shorterOf(shortestMicros, found.shortestMicros);
      address ??= directIpv4(remote);
    }
    return { sent, lost, shortestMicros, address };
  }

  sentBytes(): number {
    return this.#sockets.sentBytes();
  }

  #connectionTo(peer: string): NodeConnection | undefined {
    return this.#node
      .getConnections()
      .find(({ remotePeer, status }) => status === 'open' && remotePeer.toString() === peer);
  }
}

type NodeConnection = Awaited<ReturnType<Node['dial']>>;
type Stream = Awaited<ReturnType<NodeConnection['newStream']>>;

interface DialTarget {
  readonly addresses: readonly Multiaddr[];
  /** Unknown before the first connection, for an address without a peer id. */
  peer: string | undefined;
}

const protocolOf = (kind: RequestKind, experiment: string): string => `${protocolName(kind)}/${experiment}`;

function listenError(cause: unknown): MeshError {
  // libp2p's message has one line per address, with the stack below it.
  const reasons = toError(cause).message.match(/E[A-Z]{3,}: .*/g) ?? [toError(cause).message];
  return new MeshError('MESH_LISTEN', `the mesh can't listen: ${reasons.join('; ')}`, {
    remedy:
      "check with `ip address` that the address is this machine's, and with `ss -ltnp` who has the port",
    cause,
  });
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
