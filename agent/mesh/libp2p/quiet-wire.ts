/**
 * Fewer packets for the same messages. libp2p writes the parts of a message one by one into a socket without Nagle's
 * delay, so that each becomes a packet with 66 bytes of headers. And yamux answers every message with a packet that
 * updates its window. Heartbeats are small: these two were four of five bytes of the mesh's traffic.
 */
import type { Socket } from 'node:net';
import type { tcp } from '@libp2p/tcp';
import type { yamux } from '@libp2p/yamux';

type TransportFactory = ReturnType<typeof tcp>;
type Transport = ReturnType<TransportFactory>;
type Upgrader = Parameters<Transport['dial']>[1]['upgrader'];
type MultiaddrConnection = Parameters<Upgrader['upgradeOutbound']>[0];
type MuxerFactory = ReturnType<typeof yamux>;
type Muxer = ReturnType<ReturnType<MuxerFactory>['createStreamMuxer']>;

/** Called for each TCP connection when it is established, with the multiaddr of its other end. */
export type SocketListener = (socket: Socket, address: string) => void;

/** A TCP transport that sends everything that is written within one turn of the event loop in one piece. */
export function wholeWrites(factory: TransportFactory, onSocket?: SocketListener): TransportFactory {
  return (components) => {
    const transport = factory(components);
    const dial = transport.dial.bind(transport);
    const createListener = transport.createListener.bind(transport);
    transport.dial = (address, options) =>
      dial(address, { ...options, upgrader: joining(options.upgrader, onSocket) });
    transport.createListener = (options) =>
      createListener({ ...options, upgrader: joining(options.upgrader, onSocket) });
    return transport;
  };
}

/** The upgrader is the first to receive a connection, before anything was written to it. */
function joining(upgrader: Upgrader, onSocket: SocketListener | undefined): Upgrader {
  return {
    upgradeOutbound: (connection: MultiaddrConnection, options: never) =>
      upgrader.upgradeOutbound(joinWrites(connection, onSocket), options),
    upgradeInbound: (connection: MultiaddrConnection, options: never) =>
      upgrader.upgradeInbound(joinWrites(connection, onSocket), options),
    createInboundAbortSignal: (signal) => upgrader.createInboundAbortSignal(signal),
    getStreamMuxers: () => upgrader.getStreamMuxers(),
    getConnectionEncrypters: () => upgrader.getConnectionEncrypters(),
  };
}

function joinWrites(connection: MultiaddrConnection, onSocket?: SocketListener): MultiaddrConnection {
  // Not in libp2p's interface; without it everything works, in more packets.
  const { socket } = connection as { socket?: Socket };
  if (typeof socket?.cork !== 'function') return connection;
  onSocket?.(socket, connection.remoteAddr.toString());
  const write = socket.write.bind(socket) as Socket['write'];
  socket.write = ((...data: Parameters<Socket['write']>) => {
    if (socket.writableCorked === 0) {
      socket.cork();
      process.nextTick(() => socket.uncork());
    }
    return write(...data);
  }) as Socket['write'];
  return connection;
}

/** A receiver's window is at least 256 KiB, so the sender of a large message never has to wait. */
export const WINDOW_STEP_BYTES = 64 * 1024;
/** More streams than one peer ever has open at once. */
const MANY_STREAMS = 64;

/** Frames of https://github.com/hashicorp/yamux/blob/master/spec.md: version, type, flags, stream, length. */
const FRAME_BYTES = 12;
const TYPE = { window: 1, at: 1 } as const;
const FLAGS_AT = 2;
const STREAM_AT = 4;
const LENGTH_AT = 8;

/** A muxer that updates windows in steps of 64 KiB instead of after every message. */
export function rareWindowUpdates(factory: MuxerFactory): MuxerFactory {
  return () => {
    const muxers = factory();
    const createStreamMuxer = muxers.createStreamMuxer.bind(muxers);
    muxers.createStreamMuxer = (connection) => {
      const muxer = createStreamMuxer(connection);
      holdUpdates(muxer);
      return muxer;
    };
    return muxers;
  };
}

function holdUpdates(muxer: Muxer): void {
  const send = muxer.send.bind(muxer);
  const held = new Map<number, number>();
  muxer.send = (data) => {
    const update = data instanceof Uint8Array ? windowUpdate(data) : undefined;
    if (!update) return send(data);
    const bytes = update.bytes + (held.get(update.stream) ?? 0);
    if (bytes >= WINDOW_STEP_BYTES) {
      held.delete(update.stream);
      update.frame.setUint32(LENGTH_AT, bytes);
      return send(data);
    }
    held.set(update.stream, bytes);
    if (held.size > MANY_STREAMS) forgetClosed(held, muxer);
    return true;
  };
}

/** Frames with flags open and close streams, and are sent unchanged. */
function windowUpdate(data: Uint8Array): { frame: DataView; stream: number; bytes: number } | undefined {
  if (data.byteLength !== FRAME_BYTES) return undefined;
  const frame = new DataView(data.buffer, data.byteOffset, FRAME_BYTES);
  if (frame.getUint8(TYPE.at) !== TYPE.window || frame.getUint16(FLAGS_AT) !== 0) return undefined;
  return { frame, stream: frame.getUint32(STREAM_AT), bytes: frame.getUint32(LENGTH_AT) };
}

function forgetClosed(held: Map<number, number>, { streams }: Muxer): void {
  const open = new Set(streams.map(({ id }) => Number(id)));
  for (const stream of held.keys()) if (!open.has(stream)) held.delete(stream);
}
