/**
 * Access to a libp2p node: the mesh's key, the allow-list, and the names of refused peers. Refusals are passed to
 * `onRefused`, which may be set after the node was made.
 */
import { noise } from '@libp2p/noise';
import { preSharedKey } from '@libp2p/pnet';
import type { Libp2pOptions } from 'libp2p';
import type { Admission } from '../trust/admission.ts';
import type { MeshKeys } from '../trust/key-ring.ts';
import { type Origin, type Rejection, reject } from '../wire/rejections.ts';
import { NONCE_BYTES, protectByAny } from './any-key.ts';
import { boundCipherMemory } from './bounded-cipher.ts';

type Gater = Required<NonNullable<Libp2pOptions['connectionGater']>>;
type Connection = Parameters<Gater['denyInboundConnection']>[0];
type PeerId = Parameters<Gater['denyDialPeer']>[0];
type Protector = NonNullable<Libp2pOptions['connectionProtector']>;
type Protect = (
  connection: Connection,
  options: Parameters<ReturnType<Protector>['protect']>[1],
) => Promise<{ readonly inner: Awaited<ReturnType<ReturnType<Protector>['protect']>>; readonly key: string }>;
type Encrypter = NonNullable<Libp2pOptions['connectionEncrypters']>[number];

/** A connection that is there: by which key, and from whom, as soon as that is known. */
interface Live {
  readonly key: string;
  peer?: string;
}

export class Gate {
  onRefused: (rejection: Rejection, origin: Origin) => void = () => {};
  readonly #admission: Admission;
  readonly #keys: MeshKeys | undefined;
  /** Raw connections, by the protected ones that pnet makes of them. */
  readonly #raw = new WeakMap<object, object>();
  /** Those whose other end was understood, so it has the key. */
  readonly #understood = new WeakSet<object>();
  readonly #live = new Map<Connection, Live>();
  /** Dialled in vain with several keys: how often, by address. */
  readonly #attempts = new Map<string, number>();

  constructor(admission: Admission, keys: MeshKeys | undefined) {
    this.#admission = admission;
    this.#keys = keys;
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
      ...(this.#keys !== undefined && { connectionProtector: this.#protector(this.#keys) }),
    };
  }

  /**
   * Closes what came in by keys that don't admit it any more; and one connection that this agent has dialled by an older key than the
   * present, to a peer that has the new one (`hasNewest`): it is dialled again. One at a time, since the mesh is thinner meanwhile.
   */
  keep(hasNewest: (peer: string) => boolean): void {
    const open = this.#keys?.open ?? [];
    let isRenewed = false;
    for (const [connection, { key, peer }] of this.#live) {
      const isPresent = key === open[0]?.key;
      if (isPresent || peer === undefined) continue;
      const isAdmitted = open.some((one) => one.key === key && one.admits(peer));
      const isOld = !isRenewed && connection.direction === 'outbound' && hasNewest(peer);
      if (isAdmitted && !isOld) continue;
      isRenewed ||= isAdmitted;
      connection.abort(new Error("the mesh's key was replaced"));
    }
  }

  #protector(keys: MeshKeys): Protector {
    boundCipherMemory();
    return () => ({
      protect: async (stream, options) => {
        // Only connections are protected, whatever its type says.
        const connection = stream as Connection;
        const isIncoming = connection.direction === 'inbound';
        const protect = isIncoming && keys.known.length > 1 ? this.#byAny(keys) : this.#byOne(keys);
        const { inner, key } = await protect(connection, options);
        this.#raw.set(inner, connection);
        this.#live.set(connection, { key });
        connection.addEventListener('close', () => this.#live.delete(connection));
        return inner;
      },
    });
  }

  /** Dialling, or where there is one alone. What has failed with one is tried with the next. */
  #byOne({ open }: MeshKeys): Protect {
    return async (connection, options) => {
      const address = connection.remoteAddr.toString();
      const isDialled = connection.direction === 'outbound' && open.length > 1;
      const attempts = (isDialled && this.#attempts.get(address)) || 0;
      const { key } = open[attempts % open.length]!;
      if (open.length === 1) this.#attempts.clear();
      if (isDialled)
        connection.addEventListener('close', () => {
          if (this.#understood.has(connection)) this.#attempts.delete(address);
          else this.#attempts.set(address, attempts + 1);
        });
      return { key, inner: await preSharedKey({ psk: Buffer.from(key) })().protect(connection, options) };
    };
  }

  #byAny({ open, known }: MeshKeys): Protect {
    return async (connection, options) => {
      const found = await protectByAny(connection, known, options);
      if (found && open.some(({ key }) => key === found.key))
        return { key: found.key, inner: found.connection };
      // Who has neither is named when the connection is closed.
      if (found) this.#refuseOld(connection);
      throw new Error(found ? 'a key that was replaced' : 'no key of this mesh');
    };
  }

  #refuseOld(connection: Connection): void {
    const address = addressOf(connection);
    this.#understood.add(connection);
    const reason = `the peer at ${address} has a key of this mesh that was replaced: give its host the present one`;
    this.onRefused(reject('KEY_REPLACED', reason), { address });
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
        secureOutbound: (connection, options) => {
          this.#understood.add(this.#raw.get(connection) ?? connection);
          return inner.secureOutbound(connection, options);
        },
      };
    };
  }

  /** Without the key nothing can be read, not even the peer id: only the address is known. */
  #watch(connection: Connection): boolean {
    connection.addEventListener('close', () => {
      if (this.#understood.has(connection) || !hasSpoken(connection)) return;
      const address = addressOf(connection);
      const why = this.#keys === undefined ? 'is no agent' : "has not the mesh's key";
      this.onRefused(reject('HANDSHAKE_FAILED', `the peer at ${address} ${why}`), { address });
    });
    return false;
  }

  #denies(peerId: PeerId, connection?: Connection): boolean {
    const peer = peerId.toString();
    const refused = this.#admission.refusePeer(peer) ?? (connection && this.#refuseKey(peer, connection));
    if (refused) this.onRefused(refused, { peer, ...(connection && { address: addressOf(connection) }) });
    return refused !== undefined;
  }

  /** By an old key, only those come in for whom the new one is. */
  #refuseKey(peer: string, connection: Connection): Rejection | undefined {
    const live = this.#live.get(connection);
    if (!live) return undefined;
    live.peer = peer;
    if (this.#keys!.open.some(({ key, admits }) => key === live.key && admits(peer))) return undefined;
    return reject(
      'KEY_REPLACED',
      `${peer} has a key of this mesh that was replaced, and the new one is not for it`,
    );
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
