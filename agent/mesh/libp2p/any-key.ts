/**
 * An incoming connection of a mesh with several keys: whoever dials speaks first, and what he says shows which key he has. Otherwise
 * as @libp2p/pnet, which takes one key alone.
 */
import { randomBytes } from 'node:crypto';
import { AbstractMultiaddrConnection, byteStream } from '@libp2p/utils';
import type { Libp2pOptions } from 'libp2p';
import XSalsa20 from 'xsalsa20';
import { bytesOfMeshKey } from '../trust/mesh-key.ts';

type Protector = ReturnType<NonNullable<Libp2pOptions['connectionProtector']>>;
type RawConnection = Parameters<
  Required<NonNullable<Libp2pOptions['connectionGater']>>['denyInboundConnection']
>[0];
type Options = Parameters<Protector['protect']>[1];

/** Of each side, in clear. */
export const NONCE_BYTES = 24;
/** What every dialler begins with: multistream-select's header, with its length. */
const HELLO = Buffer.from('\x13/multistream/1.0.0\n');

export interface ByKey {
  readonly connection: AbstractMultiaddrConnection;
  readonly key: string;
}

/** `undefined`: the other end has none of these keys. */
export async function protectByAny(
  raw: RawConnection,
  keys: readonly string[],
  options: Options,
): Promise<ByKey | undefined> {
  const bytes = byteStream(raw);
  const ownNonce = randomBytes(NONCE_BYTES);
  const [nonce] = await Promise.all([
    bytes.read({ bytes: NONCE_BYTES, ...options }),
    bytes.write(ownNonce, options),
  ]);
  const theirs = nonce.subarray();
  const hello = (await bytes.read({ bytes: HELLO.length, ...options })).subarray();
  const key = keys.find((one) => HELLO.equals(tried(hello, theirs, one)));
  bytes.unwrap();
  if (key === undefined) return undefined;
  raw.unshift(hello);
  const secret = bytesOfMeshKey(key);
  const ciphers = { inbound: new XSalsa20(theirs, secret), outbound: new XSalsa20(ownNonce, secret) };
  return { key, connection: new ProtectedConnection(raw, ciphers) };
}

function tried(text: Uint8Array, nonce: Uint8Array, key: string): Uint8Array {
  const cipher = new XSalsa20(nonce, bytesOfMeshKey(key));
  const result = cipher.update(text);
  cipher.finalize();
  return result;
}

class ProtectedConnection extends AbstractMultiaddrConnection {
  readonly #raw: RawConnection;
  readonly #outbound: XSalsa20;

  constructor(raw: RawConnection, { inbound, outbound }: Record<'inbound' | 'outbound', XSalsa20>) {
    const { remoteAddr, direction } = raw;
    super({ remoteAddr, direction, log: raw.log.newScope('any-key') });
    this.#raw = raw;
    this.#outbound = outbound;
    raw.addEventListener('message', ({ data }) => {
      const parts = data instanceof Uint8Array ? [data] : [...data];
      for (const part of parts) this.onData(inbound.update(part));
    });
    raw.addEventListener('drain', () => this.onMuxerDrain());
    raw.addEventListener('close', ({ error, local }) => {
      if (error === undefined) this.onTransportClosed();
      else if (local) this.abort(error);
      else this.onRemoteReset();
    });
  }

  override async sendClose(options?: Parameters<RawConnection['close']>[0]): Promise<void> {
    await this.#raw.close(options);
  }

  override sendData(data: Parameters<AbstractMultiaddrConnection['sendData']>[0]) {
    const canSendMore = this.#raw.send(this.#outbound.update(data.subarray()));
    return { sentBytes: data.byteLength, canSendMore };
  }

  override sendReset(error: Error): void {
    this.#raw.abort(error);
  }

  override sendPause(): void {
    this.#raw.pause();
  }

  override sendResume(): void {
    this.#raw.resume();
  }
}
