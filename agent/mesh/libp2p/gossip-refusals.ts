/**
 * Reports what gossipsub itself refuses before any other code receives it: gossipsub only writes it into its own log.
 */
import { type Rejection, reject } from '../wire/rejections.ts';

interface Frame {
  subarray(): Uint8Array;
}
interface PeerId {
  toString(): string;
}

/** In gossipsub's code (src/gossipsub.ts), not in its interface. */
interface Internals {
  pipePeerReadStream?(peer: PeerId, frames: AsyncIterable<Frame>): Promise<void>;
  decodeRpc?(bytes: Uint8Array): unknown;
  handlePeerReadStreamError?(error: Error, peer: PeerId): void;
  readonly score?: { rejectInvalidMessage?(from: string, topic: string): void };
}

/** Of it-length-prefixed; all others are of connections that end. */
const TOO_LONG: ReadonlySet<string> = new Set(['InvalidDataLengthError', 'InvalidDataLengthLengthError']);

/**
 * Calls `refused` with the neighbour from which it came. If gossipsub's internals have changed, fewer refusals are
 * reported.
 */
export function onGossipRefused(pubsub: object, refused: (rejection: Rejection, peer: string) => void): void {
  const internals = pubsub as Internals;
  const decode = internals.decodeRpc?.bind(pubsub);
  const read = internals.pipePeerReadStream?.bind(pubsub);
  const fail = internals.handlePeerReadStreamError?.bind(pubsub);
  const { score } = internals;
  const distrust = score?.rejectInvalidMessage?.bind(score);
  /** The sender of these bytes: gossipsub does not pass it to the decoder. */
  const senders = new WeakMap<Uint8Array, string>();
  if (read && decode) {
    internals.pipePeerReadStream = (peer, frames) => read(peer, noted(frames, peer.toString(), senders));
    internals.decodeRpc = (bytes) => {
      try {
        return decode(bytes);
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
