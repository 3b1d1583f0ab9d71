/**
 * A member of the mesh, with its key and a listed identity, that does one hostile thing for as long as it lives:
 * `node hostile-member.ts JSON` with a `Hostility`. Apart from that it behaves as a member does.
 */
import { randomBytes } from 'node:crypto';
import { SYSTEM_TIME, systemClock, systemTimers } from '../../agent/clock/clock.ts';
import { Mesh } from '../../agent/mesh/exchange/mesh.ts';
import { createLibp2pTransport } from '../../agent/mesh/libp2p/libp2p-transport.ts';
import { openIdentity } from '../../agent/mesh/trust/identity.ts';
import { decodeClockReply, encodeClockReply } from '../../agent/mesh/wire/clock-codec.ts';
import { encodeAgentMessage, encodeStateRequest } from '../../agent/mesh/wire/codec.ts';
import { EMPTY_DIGEST } from '../../agent/mesh/wire/digest.ts';
import { MAX_ADDRESSES_PER_ENDPOINT } from '../../agent/mesh/wire/limits.ts';
import { isRejection } from '../../agent/mesh/wire/rejections.ts';
import type { MeshTransport, TransportHandlers } from '../../agent/mesh/wire/transport.ts';

/**
 * `endpoints`: it has those of others, and their flows. `addresses`: its endpoint has the addresses of all others, and
 * more. `flows`: endpoints of others send without limit. `departures`: others leave. `time`: a year is over. `orders`: commands that
 * nobody has signed, and some in the user's name. `flood`: heartbeats. `garbage`: what is no message.
 * `replay`: what others have said, in its own name. `questions`: more than can be answered. `commands`: it has another one than
 * all others, which it gives to nobody.
 */
export const HOSTILE = [
  'endpoints',
  'addresses',
  'flows',
  'departures',
  'time',
  'orders',
  'flood',
  'garbage',
  'replay',
  'questions',
  'commands',
] as const;

export interface Hostility {
  readonly what: (typeof HOSTILE)[number];
  readonly experiment: string;
  readonly topology: string;
  readonly endpoints: readonly {
    readonly number: number;
    readonly name: string;
    readonly addresses: readonly string[];
  }[];
  readonly host: string;
  /** The endpoint that it may have. */
  readonly own: number;
  readonly others: readonly string[];
  /** Peer id of a key that may give commands. */
  readonly commander: string;
  readonly listen: string;
  readonly peers: readonly string[];
  /** Folder of the identity. */
  readonly identity: string;
  readonly key: string;
}

const PER_TICK = 100;
const TICK_MS = 50;
const YEAR_MICROS = 31_000_000 * 1e6;

if (import.meta.main) await take(JSON.parse(process.argv[2]!) as Hostility);

async function take(hostility: Hostility): Promise<void> {
  const { what, experiment, topology, endpoints, host, own, others, listen, peers, identity, key } =
    hostility;
  const transport = await createLibp2pTransport({
    ...SYSTEM_TIME,
    experiment,
    listen: [listen],
    privateKey: await openIdentity(identity),
    meshKey: key,
  });
  const heard: Uint8Array[] = [];
  const connected: string[] = [];
  const mesh = new Mesh(
    { transport: listening(transport, { what, heard, connected }), clock: systemClock, timers: systemTimers },
    { topology, endpointNames: endpoints.map(({ name }) => name), host },
  );
  if (what === 'commands') {
    const digest = { entries: 1, low: 7, high: 7 };
    Object.defineProperty(mesh.view.commands, 'digest', { get: () => digest });
  }
  await mesh.start();
  for (const peer of peers) transport.connect(peer).catch(() => undefined);
  const mine = endpoints.find(({ number }) => number === own)!;
  mesh.announceEndpoints([mine]);

  const incarnation = Date.now();
  const message = (name: string, sequence: number, leaving: boolean): Uint8Array =>
    encodeAgentMessage({
      topology,
      host: name,
      incarnation: leaving ? Number.MAX_SAFE_INTEGER : incarnation,
      sequence,
      digest: EMPTY_DIGEST,
      leaving,
      commands: [],
      commandDigest: EMPTY_DIGEST,
      timed: false,
    });
  let sequence = 1000;
  let turn = 0;
  const acts: Readonly<Record<Hostility['what'], () => void>> = {
    endpoints: () => {
      mesh.announceEndpoints([]);
      mesh.announceEndpoints(endpoints);
      const flows = endpoints.flatMap(({ number: source }) =>
        endpoints.map(({ number: destination }) => ({ source, destination, rateBps: 1e9, greedy: true })),
      );
      mesh.announceFlows(flows.filter(({ source, destination }) => source !== destination));
    },
    addresses: () => {
      const more = Array.from({ length: MAX_ADDRESSES_PER_ENDPOINT }, (_, index) => `10.77.0.${index + 1}`);
      const all = new Set([...mine.addresses, ...endpoints.flatMap(({ addresses }) => addresses), ...more]);
      mesh.announceEndpoints([]);
      mesh.announceEndpoints([{ number: own, addresses: [...all].slice(0, MAX_ADDRESSES_PER_ENDPOINT) }]);
    },
    flows: () => {
      // What is known already is not announced again.
      const rateBps = ++turn % 2 === 0 ? 1e9 : 2e9;
      const sources = endpoints.filter(({ number }) => number !== own);
      mesh.announceFlows(
        sources.map(({ number }) => ({ source: number, destination: own, rateBps, greedy: true })),
      );
    },
    departures: () => {
      for (const other of others) transport.publish(message(other, 1, true));
    },
    time: () => mesh.announceEndpoints([mine]),
    orders: () => {
      const { commander: author } = hostility;
      const signature = randomBytes(64).toString('base64');
      const now = Math.round(Math.max(0, mesh.time.now() ?? 0));
      const placed = { origin: host, incarnation, issuedAt: now, at: now };
      mesh.own.give({ ...placed, number: ++turn, text: 'crash *' });
      mesh.own.give({ ...placed, number: ++turn, text: 'quit', author, signature });
    },
    flood: () => {
      for (let count = 0; count < PER_TICK; count++) transport.publish(message(host, ++sequence, false));
    },
    garbage: () => {
      for (let count = 0; count < PER_TICK; count++) transport.publish(randomBytes(40 + count));
    },
    replay: () => {
      for (const bytes of heard.splice(0)) transport.publish(bytes);
    },
    questions: () => {
      const question = (): Uint8Array =>
        encodeStateRequest({ topology, host, incarnation, commandDigest: EMPTY_DIGEST });
      for (const peer of connected)
        for (let count = 0; count < PER_TICK / 10; count++)
          transport.request('state', peer, question).catch(() => undefined);
    },
    commands: () => {},
  };
  systemTimers.every(TICK_MS, acts[what]);
}

/** The transport, but for what is heard, who is connected, and what the time is. */
function listening(
  transport: MeshTransport,
  { what, heard, connected }: { what: Hostility['what']; heard: Uint8Array[]; connected: string[] },
): MeshTransport {
  const start = (handlers: TransportHandlers): Promise<void> =>
    transport.start({
      ...handlers,
      onGossip: (bytes, peer, via) => {
        heard.push(bytes);
        return handlers.onGossip(bytes, peer, via);
      },
      onPeer: (peer) => {
        connected.push(peer);
        handlers.onPeer(peer);
      },
      onRequest: (kind, bytes, peer) => {
        const answer = handlers.onRequest(kind, bytes, peer);
        if (kind !== 'clock' || what !== 'time' || !answer) return answer;
        const told = decodeClockReply(answer);
        if (isRejection(told)) return answer;
        const [received, sent] = [told.received + YEAR_MICROS, told.sent + YEAR_MICROS];
        return encodeClockReply({ ...told, timed: true, received, sent });
      },
    });
  return new Proxy(transport, {
    get: (target, name) => {
      if (name === 'start') return start;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
