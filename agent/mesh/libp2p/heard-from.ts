/** Tells from whom gossip comes, also when it is known already: only so is a connection seen to be alive. */

/** In gossipsub's code (src/gossipsub.ts), not in its interface; it is called for whatever a peer sends. */
interface Receiver {
  handleReceivedRpc?(from: { toString(): string }, rpc: unknown): Promise<void>;
}

/** Calls `heard` with the id of the neighbour, before its messages are looked at. */
export function onHeardFrom(pubsub: object, heard: (peer: string) => void): void {
  const receiver = pubsub as Receiver;
  const handle = receiver.handleReceivedRpc?.bind(pubsub);
  // Without it all hosts seem to be heard through others only, and all messages are passed on.
  if (!handle) return;
  receiver.handleReceivedRpc = (from, rpc) => {
    heard(from.toString());
    return handle(from, rpc);
  };
}
