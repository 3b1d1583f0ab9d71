/** What of libp2p an agent is made of, and why with these settings. */
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

export interface NodeOptions {
  /** Name of the experiment: agents of others are not heard. */
  readonly experiment: string;
  /** Multiaddrs to listen at, such as `/ip4/0.0.0.0/tcp/7946`; port 0 takes a free one. */
  readonly listen: readonly string[];
  /** What to tell others instead of the addresses listened at, for a host behind NAT. */
  readonly announce?: readonly string[];
  /** Identity on the mesh; a new one if absent. */
  readonly privateKey?: Libp2pOptions['privateKey'];
}

/** Longer than any round trip between hosts; a dial into a cut link ends, and the next one may find it healed. */
export const DIAL_TIMEOUT_MS = 3000;
export const topicOf = (experiment: string): string => `/netfold/mesh/1/${experiment}`;

/** Not started. Throws `MESH_ADDRESS`. */
export function createNode(
  { experiment, listen, announce = [], privateKey }: NodeOptions,
  gate: Gate,
  sockets: MeshSockets,
) {
  for (const address of announce) parseAddress(address);
  return createLibp2p({
    start: false,
    ...gate.options,
    ...(privateKey && { privateKey }),
    addresses: { listen: [...listen], announce: [...announce] },
    transports: [wholeWrites(tcp(), (socket, address) => sockets.add(socket, withoutPeer(address)))],
    streamMuxers: [rareWindowUpdates(yamux())],
    connectionManager: {
      // The default of 5 a second from one address keeps hosts behind one NAT, or on one machine, from joining.
      inboundConnectionThreshold: 1000,
      maxIncomingPendingConnections: 200,
      // Who connects and says nothing takes one of these; honest handshakes take a few round trips.
      inboundUpgradeTimeout: DIAL_TIMEOUT_MS,
      // Redialling is ours (redialer.ts): the node's own gives up after five attempts.
      reconnectRetries: 0,
      dialTimeout: DIAL_TIMEOUT_MS,
      addressDialTimeout: DIAL_TIMEOUT_MS,
    },
    // Its pings would be half of all traffic. Heartbeats show as well who is there; see `request` for dead connections.
    connectionMonitor: { enabled: false },
    services: {
      identify: identify(),
      ping: ping(),
      pubsub: gossipsub({
        globalSignaturePolicy: StrictSign,
        allowedTopics: [topicOf(experiment)],
        allowPublishToZeroTopicPeers: true,
        // The publisher sends to all its peers itself, for one hop of delay. The mesh only fills in for connections
        // that are missing, so it is kept small: every peer in it costs each agent a copy of each message.
        floodPublish: true,
        D: 2,
        Dlo: 2,
        Dhi: 4,
        Dscore: 1,
        Dout: 0,
        // Peers outside of the mesh that hear which messages there are: of each, once, and in eight bytes.
        Dlazy: 2,
        gossipFactor: 0,
        mcacheGossip: 1,
        msgIdFn: shortId,
        // One after the other, else a publisher's messages overtake each other while signatures are checked.
        awaitRpcHandler: true,
        awaitRpcMessageHandler: true,
        maxInboundDataLength: MAX_GOSSIP_BYTES,
        // What waits for a peer that has stopped reading; it will ask for the whole when it reads again.
        maxOutboundBufferSize: MAX_STATE_BYTES,
        // Many hosts with one address are normal here.
        scoreParams: { IPColocationFactorWeight: 0 },
      }),
    },
  });
}

/** A fifth of gossipsub's own name of a message, which holds the sender's key; nobody can make another's. */
function shortId(message: Message): Uint8Array {
  // Unsigned ones are refused before they are named.
  const name = message.type === 'signed' ? `${message.from} ${message.sequenceNumber}` : '';
  return createHash('sha256').update(name).digest().subarray(0, 8);
}
