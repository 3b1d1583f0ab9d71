/** How a host that knows the address of one agent, and the mesh's key, learns the experiment: one request. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify } from '@libp2p/identify';
import { noise } from '@libp2p/noise';
import { preSharedKey } from '@libp2p/pnet';
import { tcp } from '@libp2p/tcp';
import { lpStream } from '@libp2p/utils';
import { yamux } from '@libp2p/yamux';
import type { Multiaddr } from '@multiformats/multiaddr';
import { createLibp2p, type Libp2pOptions } from 'libp2p';
import { MeshError } from '../errors.ts';
import { MAX_INVITATION_BYTES, MAX_QUESTION_BYTES } from '../wire/limits.ts';
import { parseAddress } from './peer-addresses.ts';
import { otherVersion, protocolName, selfDescription } from './version.ts';

/** Without the experiment's name, so that a host that asks for another one receives the name of this one. */
const KIND = 'invitation';
const QUESTION = Buffer.from('invitation');
/** For a large topology through a slow line. */
const TIMEOUT_MS = 20_000;
const DIAL_TIMEOUT_MS = 3000;
/** Each answer contains the whole topology; an agent asks once in its life. */
const ANSWERS_PER_SECOND = 4;
/**
 * Of several that ask at once, each asks again at random until it is answered: 12 of them need three seconds. Where these start on one
 * busy machine, handshakes take longer than `DIAL_TIMEOUT_MS`.
 */
const BUSY_MS = 15_000;
const ASKED_AGAIN_MS = 500;
/** What fails sooner was not given up by a clock on either side. */
const LATE = 0.9;

type Handles = Pick<Awaited<ReturnType<typeof createLibp2p>>, 'handle'>;
type Node = Awaited<ReturnType<typeof createAsker>>;
type Connection = Awaited<ReturnType<Node['dial']>>;
type Stream = Awaited<ReturnType<Connection['newStream']>>;

export interface ServeOptions {
  readonly invitation: () => Uint8Array;
  /** The peer has received one. */
  readonly onInvited?: ((peer: string) => void) | undefined;
  /** In milliseconds. */
  readonly now: () => number;
  /** As in `NodeOptions`. */
  readonly protocol?: number | undefined;
}

/** Answers every peer that may connect, `ANSWERS_PER_SECOND` times a second. */
export async function serveInvitations(
  node: Handles,
  { invitation, onInvited, now, protocol }: ServeOptions,
): Promise<void> {
  let latest: number[] = [];
  const answer = async (stream: Stream, { remotePeer }: Pick<Connection, 'remotePeer'>): Promise<void> => {
    try {
      const frames = framesOf(stream, MAX_QUESTION_BYTES);
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      await frames.read({ signal });
      latest = latest.filter((at) => at > now() - 1000);
      if (latest.length >= ANSWERS_PER_SECOND) throw new MeshError('MESH_NO_ANSWER', 'asked too often');
      latest.push(now());
      await frames.write(invitation(), { signal });
      await stream.close({ signal });
      onInvited?.(remotePeer.toString());
    } catch (error) {
      stream.abort(error as Error);
    }
  };
  await node.handle(protocolName(KIND, protocol), answer, { maxInboundStreams: 1 });
}

export interface AskOptions {
  /** Multiaddrs; the first agent that answers is used. */
  readonly addresses: readonly string[];
  /** Text of the mesh's key (mesh-key.ts). */
  readonly meshKey?: string;
  /** Identity that the agent will have. */
  readonly privateKey?: Libp2pOptions['privateKey'];
  /** How long to ask an agent that is asked by many others, or is slow; default `BUSY_MS`. */
  readonly patienceMs?: number;
  /** How long a connection may take; default `DIAL_TIMEOUT_MS`. */
  readonly dialMs?: number;
}

/**
 * The invitation as bytes, and its sender. Throws `MeshError`: `MESH_UNREACHABLE` if no program listens there,
 * `MESH_NOT_UNDERSTOOD` if one does but has another key or doesn't allow this agent, `MESH_ADDRESS`.
 */
export async function askForInvitation(options: AskOptions) {
  const { addresses, meshKey, privateKey, patienceMs = BUSY_MS, dialMs = DIAL_TIMEOUT_MS } = options;
  const parsed = addresses.map(parseAddress);
  const node = await createAsker(meshKey, privateKey);
  let failure: unknown;
  try {
    for (const address of parsed) {
      try {
        return { bytes: await askUntilAnswered(node, address, patienceMs, dialMs), from: address.toString() };
      } catch (error) {
        failure = error;
      }
    }
  } finally {
    await node.stop();
  }
  throw await failureOf(addresses, failure, meshKey !== undefined);
}

function createAsker(meshKey: string | undefined, privateKey: Libp2pOptions['privateKey']) {
  return createLibp2p({
    ...(privateKey && { privateKey }),
    nodeInfo: { userAgent: selfDescription() },
    addresses: { listen: [] },
    transports: [tcp()],
    streamMuxers: [yamux()],
    connectionEncrypters: [noise()],
    ...(meshKey !== undefined && { connectionProtector: preSharedKey({ psk: Buffer.from(meshKey) }) }),
    connectionMonitor: { enabled: false },
    connectionManager: { dialTimeout: DIAL_TIMEOUT_MS, reconnectRetries: 0 },
    // Asked of an agent only that does not know this protocol.
    services: { identify: identify({ runOnConnectionOpen: false }) },
  });
}

/**
 * An agent that is asked by too many at once resets the stream. One whose machine is busy accepts a connection, and does not get to the
 * handshake in time; so does a program with another key, sometimes, which costs who has the wrong one the patience.
 */
async function askUntilAnswered(
  node: Node,
  address: Multiaddr,
  patienceMs: number,
  dialMs: number,
): Promise<Uint8Array> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const began = performance.now();
    try {
      return await ask(node, address, dialMs);
    } catch (error) {
      const isBusy = (error as Error).name === 'StreamResetError';
      const isLate = performance.now() - began > LATE * dialMs;
      if (performance.now() > deadline || !(isBusy || isLate)) throw error;
      // Where nothing accepts connections, nobody is late.
      if (!isBusy && !(await listens(address.toString()))) throw error;
    }
    await sleep(ASKED_AGAIN_MS * (0.5 + Math.random()));
  }
}

async function ask(node: Node, address: Multiaddr, dialMs: number): Promise<Uint8Array> {
  const connection = await node.dial(address, { signal: AbortSignal.timeout(dialMs) });
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const stream = await connection.newStream(protocolName(KIND), { signal }).catch(async (cause: Error) => {
    if (cause.name !== 'UnsupportedProtocolError') throw cause;
    const told = await node.services.identify.identify(connection, { signal }).catch(() => undefined);
    throw otherVersion(address.toString(), protocolName(KIND), told?.agentVersion, cause);
  });
  const frames = framesOf(stream, MAX_INVITATION_BYTES);
  await frames.write(QUESTION, { signal });
  const answer = await frames.read({ signal });
  return answer.subarray();
}

function framesOf(stream: Stream, maxDataLength: number) {
  return lpStream(stream, { maxDataLength, maxBufferSize: 2 * MAX_INVITATION_BYTES });
}

/** A program with another key may close the connection, or wait for more of what it can't read. */
async function failureOf(addresses: readonly string[], cause: unknown, hasKey: boolean): Promise<MeshError> {
  const where = addresses.join(', ');
  const isThere = await Promise.all(addresses.map(listens));
  if (!isThere.includes(true)) {
    return new MeshError('MESH_UNREACHABLE', `no agent answers at ${where}`, {
      remedy: 'check the address, that an agent runs there, and that its port is open',
      cause,
    });
  }
  if (cause instanceof MeshError) return cause;
  return new MeshError('MESH_NOT_UNDERSTOOD', `the program at ${where} does not answer`, {
    remedy: hasKey
      ? "its mesh key is another one, or it doesn't allow this agent (`netfold mesh identity`), or it is no agent"
      : "give the mesh's key with --mesh-key FILE",
    blame: 'input',
    cause,
  });
}

/** Whether a program accepts a TCP connection there. */
async function listens(address: string): Promise<boolean> {
  const found = /^\/(?:ip4|ip6|dns[46]?)\/([^/]+)\/tcp\/(\d+)/.exec(address);
  if (!found) return false;
  const socket = connect({ host: found[1]!, port: Number(found[2]), timeout: DIAL_TIMEOUT_MS });
  try {
    return await new Promise((resolve) => {
      socket.once('connect', () => resolve(true));
      for (const event of ['error', 'timeout'] as const) socket.once(event, () => resolve(false));
    });
  } finally {
    socket.destroy();
  }
}
