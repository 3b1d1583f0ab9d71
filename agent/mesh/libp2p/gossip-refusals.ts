/**
 * Limits what gossipsub gets to decode and to verify, and reports what it refuses before any other code receives it:
 * gossipsub only writes it into its own log.
 */

import { type Rejection, reject } from '../wire/rejections.ts';
import type { EdgeLimits } from './edge-limits.ts';

interface Frame {
  readonly byteLength?: number;
  subarray(): Uint8Array;
}
interface PeerId {
  toString(): string;
}

/** In gossipsub's code (src/gossipsub.ts), not in its interface. */
interface Internals {
  pipePeerReadStream?(peer: PeerId, frames: AsyncIterable<Frame>): Promise<void>;
  decodeRpc?(bytes: Uint8Array): { messages?: unknown[] } | undefined;
  handlePeerReadStreamError?(error: Error, peer: PeerId): void;
  readonly score?: { rejectInvalidMessage?(from: string, topic: string): void };
}

/** Of it-length-prefixed; all others are of connections that end. */
const TOO_LONG: ReadonlySet<string> = new Set(['InvalidDataLengthError', 'InvalidDataLengthLengthError']);

type Refused = (rejection: Rejection, peer: string) => void;

/**
 * Calls `refused` with the neighbour from which it came. If gossipsub's internals have changed, fewer refusals are
 * reported, and only publishers are limited.
 */
export function guardGossip(pubsub: object, limits: EdgeLimits, refused: Refused): void {
  const internals = pubsub as Internals;
  const decode = internals.decodeRpc?.bind(pubsub);
  const read = internals.pipePeerReadStream?.bind(pubsub);
  const fail = internals.handlePeerReadStreamError?.bind(pubsub);
  const { score } = internals;
  const distrust = score?.rejectInvalidMessage?.bind(score);
  /** The sender of these bytes: gossipsub does not pass it to the decoder. */
  const senders = new WeakMap<Uint8Array, string>();
  if (read && decode) {
    internals.pipePeerReadStream = (peer, frames) => {
      const sender = peer.toString();
      return read(peer, noted(allowed(frames, sender, { limits, refused }), sender, senders));
    };
    internals.decodeRpc = (bytes) => {
      try {
        const rpc = decode(bytes);
        takeSome(rpc, senders.get(bytes) ?? '?', { limits, refused });
        return rpc;
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        refused(
          reject('MESSAGE_MALFORMED', `gossip that can't be decoded: ${why}`),
          senders.get(bytes) ?? '?',
        );
        throw error;
      }
    };
  }
  if (fail)
    internals.handlePeerReadStreamError = (error, peer) => {
      if (TOO_LONG.has(error.name))
        refused(
          reject('MESSAGE_TOO_LARGE', `gossip in a frame that is too long: ${error.message}`),
          peer.toString(),
        );
      fail(error, peer);
    };
  if (score && distrust)
    score.rejectInvalidMessage = (from, topic) => {
      refused(reject('SIGNATURE_WRONG', 'gossip without a valid signature of its sender'), from);
      distrust(from, topic);
    };
}

interface Guard {
  readonly limits: EdgeLimits;
  readonly refused: Refused;
}

async function* allowed(
  frames: AsyncIterable<Frame>,
  sender: string,
  { limits, refused }: Guard,
): AsyncGenerator<Frame> {
  for await (const frame of frames) {
    const rejection = limits.refuseFrame(sender, frame.byteLength ?? frame.subarray().length);
    if (rejection) refused(rejection, sender);
    else yield frame;
  }
}

/** Removes messages beyond the allowance from a decoded frame, before their signatures are verified. */
function takeSome(
  rpc: { messages?: unknown[] } | undefined,
  sender: string,
  { limits, refused }: Guard,
): void {
  const messages = rpc?.messages;
  if (!messages || messages.length === 0) return;
  const taken = limits.take(sender, messages.length);
  if (taken === messages.length) return;
  messages.length = taken;
  refused(reject('GOSSIP_RATE', 'more messages than all hosts may send'), sender);
}

async function* noted(
  frames: AsyncIterable<Frame>,
  sender: string,
  senders: WeakMap<Uint8Array, string>,
): AsyncGenerator<Frame> {
  for await (const frame of frames)
    yield {
      subarray: () => {
        const bytes = frame.subarray();
        senders.set(bytes, sender);
        return bytes;
      },
    };
}
