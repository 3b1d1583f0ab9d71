/** The parts of libp2p in an agent, and the reasons for these settings. */
import { createHash } from 'node:crypto';
import { gossipsub, type Message, StrictSign } from '@chainsafe/libp2p-gossipsub';
import { identify } from '@libp2p/identify';
import { ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { createLibp2p, type Libp2pOptions } from 'libp2p';
import { MAX_GOSSIP_BYTES, MAX_STATE_BYTES } from '../wire/limits.ts';
import type { Gate } from './gate.ts';
import { type MeshSockets, withoutPeer } from './mesh-sockets.ts';
import { parseAddress } from './peer-addresses.ts';
import { rareWindowUpdates, wholeWrites } from './quiet-wire.ts';
import { protocolName, selfDescription } from './version.ts';

export interface NodeOptions {
  /** Name of the experiment: agents of others are ignored. */
  readonly experiment: string;
  /** Multiaddrs to listen at, such as `/ip4/0.0.0.0/tcp/7946`; port 0 takes a free one. */
  readonly listen: readonly string[];
  /** What to announce instead of the addresses listened at, for a host behind NAT. */
  readonly announce?: readonly string[];
  /** Identity on the mesh; a new one if absent. */
  readonly privateKey?: Libp2pOptions['privateKey'];
  /** Version of the mesh's protocol that it tells of itself; for tests of others than this one's. */
  readonly protocol?: number;
}

/** Longer than any round trip between hosts. A dial into a cut link ends, and the next one may find it healed. */
export const DIAL_TIMEOUT_MS = 3000;
export const topicOf = (experiment: string): string => `${protocolName('mesh')}/${experiment}`;

/** Not started. Throws `MESH_ADDRESS`. */
export function createNode(
  { experiment, listen, announce = [], privateKey, protocol }: NodeOptions,
  gate: Gate,
  sockets: Pick<MeshSockets, 'add'>,
) {
  for (const address of announce) parseAddress(address);
  return createLibp2p({
    start: false,
    nodeInfo: { userAgent: selfDescription(protocol) },
    ...gate.options,
    ...(privateKey && { privateKey }),
    addresses: { listen: [...listen], announce: [...announce] },
    transports: [wholeWrites(tcp(), (socket, address) => sockets.add(socket, withoutPeer(address)))],
    streamMuxers: [rareWindowUpdates(yamux())],
    connectionManager: {
      // The default of 5 a second from one address would keep hosts behind one NAT, or on one machine, from joining.
      inboundConnectionThreshold: 1000,
      maxIncomingPendingConnections: 200,
      // A connection that sends nothing occupies one of these; normal handshakes take a few round trips.
      inboundUpgradeTimeout: DIAL_TIMEOUT_MS,
      // Redialling is our own (redialer.ts): the node's gives up after five attempts.
      reconnectRetries: 0,
      dialTimeout: DIAL_TIMEOUT_MS,
      addressDialTimeout: DIAL_TIMEOUT_MS,
    },
    // Its pings would be half of all traffic. Heartbeats show which hosts are present; see `request` for dead
    // connections.
    connectionMonitor: { enabled: false },
    services: {
      identify: identify(),
      ping: ping(),
      pubsub: gossipsub({
        globalSignaturePolicy: StrictSign,
        allowedTopics: [topicOf(experiment)],
        allowPublishToZeroTopicPeers: true,
        // The publisher sends to all its peers itself, with one hop of delay. gossipsub's mesh only replaces missing
        // connections, so it is kept small: every peer in it costs each agent a copy of each message.
        floodPublish: true,
        D: 2,
        Dlo: 2,
        Dhi: 4,
        Dscore: 1,
        Dout: 0,
        // Peers outside of gossipsub's mesh that receive the ids of messages: each once, in eight bytes.
        Dlazy: 2,
        gossipFactor: 0,
        mcacheGossip: 1,
        msgIdFn: shortId,
        // One after the other; otherwise a publisher's messages overtake each other while signatures are checked.
        awaitRpcHandler: true,
        awaitRpcMessageHandler: true,
        maxInboundDataLength: MAX_GOSSIP_BYTES,
        // Messages that wait for a peer that has stopped reading. It will request the whole table when it reads
        // again.
        maxOutboundBufferSize: MAX_STATE_BYTES,
        // Many hosts with one address are normal here.
        scoreParams: { IPColocationFactorWeight: 0 },
      }),
    },
  });
}

/**
 * A fifth of the length of gossipsub's own message id, which contains the sender's key; no other peer can make it.
 */
function shortId(message: Message): Uint8Array {
  // Messages without a signature are refused before they get an id.
  const name = message.type === 'signed' ? `${message.from} ${message.sequenceNumber}` : '';
  return createHash('sha256').update(name).digest().subarray(0, 8);
}
