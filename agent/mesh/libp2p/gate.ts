/**
 * Access to a libp2p node: the mesh's key, the allow-list, and the names of refused peers. Refusals are passed to
 * `onRefused`, which may be set after the node was made.
 */
import { noise } from '@libp2p/noise';
import { preSharedKey } from '@libp2p/pnet';
import type { Libp2pOptions } from 'libp2p';
import type { Admission } from '../trust/admission.ts';
import { type Origin, type Rejection, reject } from '../wire/rejections.ts';
import { boundCipherMemory } from './bounded-cipher.ts';

type Gater = Required<NonNullable<Libp2pOptions['connectionGater']>>;
type Connection = Parameters<Gater['denyInboundConnection']>[0];
type PeerId = Parameters<Gater['denyDialPeer']>[0];
type Protector = NonNullable<Libp2pOptions['connectionProtector']>;
type Encrypter = NonNullable<Libp2pOptions['connectionEncrypters']>[number];

/** What pnet sends first. Without more, it is not known whether the sender has the key. */
const NONCE_BYTES = 24;

export class Gate {
  onRefused: (rejection: Rejection, origin: Origin) => void = () => {};
  readonly #admission: Admission;
  readonly #meshKey: string | undefined;
  /** Raw connections, by the protected ones that pnet makes of them. */
  readonly #raw = new WeakMap<object, object>();
  /** Those whose other end was understood, so it has the key. */
  readonly #understood = new WeakSet<object>();

  constructor(admission: Admission, meshKey: string | undefined) {
    this.#admission = admission;
    this.#meshKey = meshKey;
  }

  /** Options of `createLibp2p`. */
  get options(): Pick<Libp2pOptions, 'connectionGater' | 'connectionProtector' | 'connectionEncrypters'> {
    return {
      connectionGater: {
        denyInboundConnection: (connection) => this.#watch(connection),
        denyInboundEncryptedConnection: (peer, connection) => this.#denies(peer, connection),
        denyOutboundEncryptedConnection: (peer, connection) => this.#denies(peer, connection),
        denyDialPeer: (peer) => this.#denies(peer),
      },
      connectionEncrypters: [this.#encrypter()],
      ...(this.#meshKey !== undefined && { connectionProtector: this.#protector(this.#meshKey) }),
    };
  }

  #protector(meshKey: string): Protector {
    boundCipherMemory();
    const pnet = preSharedKey({ psk: Buffer.from(meshKey) })();
    return () => ({
      protect: async (connection, options) => {
        const inner = await pnet.protect(connection, options);
        this.#raw.set(inner, connection);
        return inner;
      },
    });
  }

  #encrypter(): Encrypter {
    return (components) => {
      const inner = noise()(components);
      return {
        protocol: inner.protocol,
        secureInbound: (connection, options) => {
          this.#understood.add(this.#raw.get(connection) ?? connection);
          return inner.secureInbound(connection, options);
        },
        secureOutbound: (connection, options) => inner.secureOutbound(connection, options),
      };
    };
  }

  /** Without the key nothing can be read, not even the peer id: only the address is known. */
  #watch(connection: Connection): boolean {
    connection.addEventListener('close', () => {
      if (this.#understood.has(connection) || !hasSpoken(connection)) return;
      const address = addressOf(connection);
      const why = this.#meshKey === undefined ? 'is no agent' : "has not the mesh's key";
      this.onRefused(reject('HANDSHAKE_FAILED', `the peer at ${address} ${why}`), { address });
    });
    return false;
  }

  #denies(peerId: PeerId, connection?: Connection): boolean {
    const peer = peerId.toString();
    const refused = this.#admission.refusePeer(peer);
    if (refused) this.onRefused(refused, { peer, ...(connection && { address: addressOf(connection) }) });
    return refused !== undefined;
  }
}

/** An agent that was busy for too long closes the connection after its nonce; it is no stranger. */
function hasSpoken(connection: Connection): boolean {
  const { socket } = connection as { readonly socket?: { readonly bytesRead?: number } };
  return socket?.bytesRead !== 0 && socket?.bytesRead !== NONCE_BYTES;
}

/** The other end's IP address. */
function addressOf({ remoteAddr }: Connection): string {
  return /^\/ip[46]\/([^/]+)/.exec(remoteAddr.toString())?.[1] ?? remoteAddr.toString();
}
