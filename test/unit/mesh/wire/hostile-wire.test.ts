/** Real sockets on 127.0.0.1: messages of a peer that has the mesh's key and violates the protocol. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { identify } from '@libp2p/identify';
import { noise } from '@libp2p/noise';
import { preSharedKey } from '@libp2p/pnet';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import protobuf from 'protobufjs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SYSTEM_TIME, systemClock, systemTimers } from '../../../../agent/clock/clock.ts';
import { Mesh } from '../../../../agent/mesh/exchange/mesh.ts';
import { createLibp2pTransport } from '../../../../agent/mesh/libp2p/libp2p-transport.ts';
import { generateMeshKey } from '../../../../agent/mesh/trust/mesh-key.ts';
import { MAX_GOSSIP_BYTES, MAX_QUESTION_BYTES } from '../../../../agent/mesh/wire/limits.ts';
import type { RejectCode } from '../../../../agent/mesh/wire/rejections.ts';
import type { MeshTransport } from '../../../../agent/mesh/wire/transport.ts';

const KEY = generateMeshKey();
const GOSSIP = '/meshsub/1.2.0';
const TOPIC = '/netfold/mesh/1/test';

interface Agent {
  readonly mesh: Mesh;
  readonly transport: MeshTransport;
  /** What was refused, and whose it was. */
  readonly named: { code?: string; peer?: string }[];
}

let agent: Agent;
let hostile: Awaited<ReturnType<typeof newNode>>;
const running: { stop(): unknown }[] = [];

beforeEach(async () => {
  agent = await startAgent('alpha');
  hostile = await newNode();
  running.push(hostile);
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

async function startAgent(host: string): Promise<Agent> {
  const listen = ['/ip4/127.0.0.1/tcp/0'];
  const transport = await createLibp2pTransport({ ...SYSTEM_TIME, experiment: 'test', listen, meshKey: KEY });
  const named: Agent['named'] = [];
  const log = { info: () => {}, warn: (fields: object) => void named.push(fields) };
  const mesh = new Mesh(
    { transport, clock: systemClock, timers: systemTimers, log },
    { topology: '0123456789abcdef', endpointNames: ['a.0', 'b.0'], host },
  );
  running.push(mesh);
  await mesh.start();
  return { mesh, transport, named };
}

/** Says that it speaks gossip, and reads what comes. */
async function newNode() {
  const node = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    streamMuxers: [yamux()],
    connectionEncrypters: [noise()],
    connectionProtector: preSharedKey({ psk: Buffer.from(KEY) }),
    connectionMonitor: { enabled: false },
    services: { identify: identify() },
  });
  await node.handle(GOSSIP, (stream) => void drain(stream));
  return node;
}

type Stream = Awaited<ReturnType<Connection['newStream']>>;
type Connection = Awaited<ReturnType<(typeof hostile)['dial']>>;

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  try {
    for await (const _ of stream);
  } catch {
    // The agent has hung up.
  }
}

const dial = (): Promise<Connection> => hostile.dial(multiaddr(agent.transport.addresses[0]!));

async function open(protocol: string): Promise<Stream> {
  return (await dial()).newStream(protocol);
}

async function send(stream: Stream, bytes: Uint8Array): Promise<void> {
  if (!stream.send(bytes)) await stream.onDrain();
}

/** With its length before it, as libp2p's protocols have it. */
function framed(bytes: Uint8Array): Uint8Array {
  return protobuf.Writer.create().bytes(bytes).finish();
}

/** An RPC of gossipsub's with one message (its src/message/rpc.proto). */
function rpcOf(data: Uint8Array, signature: Uint8Array): Uint8Array {
  const from = hostile.peerId.toMultihash().bytes;
  const message = protobuf.Writer.create().uint32(10).bytes(from).uint32(18).bytes(data);
  message.uint32(26).bytes(new Uint8Array(8).fill(1)).uint32(34).string(TOPIC).uint32(42).bytes(signature);
  return protobuf.Writer.create().uint32(18).bytes(message.finish()).finish();
}

/** A stream that the agent's gossipsub reads: it takes one only of peers that it knows by then. */
async function gossipStream(): Promise<Stream> {
  for (;;) {
    const stream = await open(GOSSIP);
    await send(stream, framed(new Uint8Array([0xff])));
    const counted = (): number => agent.mesh.stats.rejected.MESSAGE_MALFORMED ?? 0;
    for (let look = 0; look < 20 && counted() === 0; look++) await turn(10);
    if (counted() > 0) return stream;
    stream.abort(new Error('not read'));
  }
}

const turn = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function counted(code: RejectCode, before = 0): Promise<void> {
  await expect.poll(() => agent.mesh.stats.rejected[code] ?? 0, { timeout: 10_000 }).toBeGreaterThan(before);
}

/** The others still connect, and their messages are accepted. */
async function expectAlive(): Promise<void> {
  const other = await startAgent('beta');
  await other.transport.connect(agent.transport.addresses[0]!);
  other.mesh.announceEndpoints([{ number: 1, addresses: ['10.0.0.2'] }]);
  await expect.poll(() => agent.mesh.view.endpoints().length, { timeout: 10_000 }).toBe(1);
  await expect.poll(() => other.mesh.view.hosts().length, { timeout: 10_000 }).toBe(2);
  expect(agent.mesh.view.hosts().map(({ name }) => name)).toEqual(['alpha', 'beta']);
}

test('gossip that is no message, in no frame, or not signed, is counted and named, and the rest continues', async () => {
  const stream = await gossipStream();
  expect(agent.named).toContainEqual(
    expect.objectContaining({ code: 'MESSAGE_MALFORMED', peer: hostile.peerId.toString() }),
  );
  await send(stream, framed(rpcOf(new Uint8Array([1, 2, 3]), new Uint8Array(64))));
  await counted('SIGNATURE_WRONG');
  await send(stream, framed(new Uint8Array(MAX_GOSSIP_BYTES + 1)));
  await counted('MESSAGE_TOO_LARGE');
  for (const code of ['SIGNATURE_WRONG', 'MESSAGE_TOO_LARGE'])
    expect(agent.named).toContainEqual(expect.objectContaining({ code, peer: hostile.peerId.toString() }));
  await expectAlive();
});

test('a length without an end, and a frame that ends too early', async () => {
  const stream = await gossipStream();
  await send(stream, new Uint8Array(20).fill(0xff));
  await counted('MESSAGE_TOO_LARGE');
  const cut = await open('/netfold/state/1/test');
  await send(cut, framed(new Uint8Array(100)).subarray(0, 40));
  await cut.close();
  await expectAlive();
});

test('questions that are too long, are none, or never end', async () => {
  for (const kind of ['state', 'clock']) {
    const before = agent.mesh.stats.rejected.MESSAGE_TOO_LARGE ?? 0;
    const long = await open(`/netfold/${kind}/1/test`);
    await send(long, framed(new Uint8Array(MAX_QUESTION_BYTES + 1)));
    await counted('MESSAGE_TOO_LARGE', before);
    const none = await open(`/netfold/${kind}/1/test`);
    const malformed = agent.mesh.stats.rejected.MESSAGE_MALFORMED ?? 0;
    await send(none, framed(new Uint8Array([0xff, 0xff])));
    await counted('MESSAGE_MALFORMED', malformed);
  }
  // More than the agent has streams for, of which nothing ever comes.
  const connection = await dial();
  const streams = Array.from({ length: 50 }, () => connection.newStream('/netfold/state/1/test'));
  await Promise.allSettled(streams);
  await expectAlive();
});

test('of messages without end, signatures of only so many are verified, in one frame or in many', async () => {
  const stream = await gossipStream();
  const message = rpcOf(new Uint8Array([1, 2, 3]), new Uint8Array(64));
  const frame = framed(Buffer.concat(Array.from({ length: 1000 }, () => message)));
  for (let sent = 0; sent < 20; sent++) await send(stream, frame);
  await counted('GOSSIP_RATE', 10);
  for (let sent = 0; sent < 2000; sent++) await send(stream, framed(message));
  await counted('GOSSIP_RATE', 1000);
  // The stock, and what comes in the seconds of this test.
  expect(agent.mesh.stats.rejected.SIGNATURE_WRONG ?? 0).toBeLessThan(5000);
  const peer = hostile.peerId.toString();
  expect(agent.named).toContainEqual(expect.objectContaining({ code: 'GOSSIP_RATE', peer }));
  await expectAlive();
});

test('100 MB of nonsense leave no more than they came with', { timeout: 120_000 }, async () => {
  const stream = await gossipStream();
  const frame = framed(new Uint8Array(128 * 1024).fill(0xff));
  const flood = async (frames: number): Promise<void> => {
    const refused = (): number => {
      const { MESSAGE_MALFORMED: malformed = 0, GOSSIP_RATE: tooMuch = 0 } = agent.mesh.stats.rejected;
      return malformed + tooMuch;
    };
    const before = refused();
    // Whoever is faster than the agent reads has his stream ended by libp2p.
    for (let sent = 1; sent <= frames; sent++) {
      await send(stream, frame);
      if (sent % 10 === 0) await expect.poll(refused, { timeout: 10_000 }).toBeGreaterThan(before + sent - 1);
    }
  };
  await flood(100);
  const before = heldBytes();
  await flood(700);
  // Buffers of a connection under way, and what is given back a little after it was collected.
  await expect.poll(heldBytes, { timeout: 20_000 }).toBeLessThan(before + 32e6);
  await expectAlive();
});

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heldBytes(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
