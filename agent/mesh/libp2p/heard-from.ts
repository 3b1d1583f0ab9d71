/**
 * Reports from which peer gossip comes, even if the message is known already: only this shows that a connection is
 * alive.
 */

/** In gossipsub's code (src/gossipsub.ts), not in its interface; called for everything that a peer sends. */
interface Receiver {
  handleReceivedRpc?(from: { toString(): string }, rpc: unknown): Promise<void>;
}

/** Calls `heard` with the id of the neighbour, before its messages are processed. */
export function onHeardFrom(pubsub: object, heard: (peer: string) => void): void {
  const receiver = pubsub as Receiver;
  const handle = receiver.handleReceivedRpc?.bind(pubsub);
  // Without it, no host seems to send directly, and all messages are forwarded.
  if (!handle) return;
  receiver.handleReceivedRpc = (from, rpc) => {
    heard(from.toString());
    return handle(from, rpc);
  };
}
