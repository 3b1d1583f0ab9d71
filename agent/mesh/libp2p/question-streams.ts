/**
 * Streams for requests that repeat. To open a stream, agree on its protocol and close it takes ten packets; a request
 * and its answer take two.
 */
import { type LengthPrefixedStream, lpStream } from '@libp2p/utils';
import { type Rejection, reject } from '../wire/rejections.ts';
import { MAX_ANSWER_BYTES, type RequestKind } from '../wire/transport.ts';

type Stream = Parameters<typeof lpStream>[0] & {
  readonly status: string;
  close(options: { signal: AbortSignal }): Promise<void>;
  abort(error: Error): void;
};

/** The part of a node's connection that is used here. */
export interface Connection<S extends Stream> {
  readonly id: string;
  newStream(protocol: string, options: { signal: AbortSignal }): Promise<S>;
}

interface Idle<S> {
  readonly stream: S;
  readonly frames: LengthPrefixedStream;
}

/** Whether a stream for such requests stays open. Whole tables are requested rarely. */
export const isKept = (kind: RequestKind): boolean => kind === 'clock';

/** Of @libp2p/utils. */
const TOO_LONG: ReadonlySet<string> = new Set(['InvalidDataLengthError', 'InvalidDataLengthLengthError']);

/** Connections come and go. The data of closed ones is forgotten, the oldest first. */
const MAX_KEPT = 1024;

export class QuestionStreams<S extends Stream> {
  readonly #idle = new Map<string, Idle<S>>();

  /** Sends a request on the connection's open stream, or on a new one. */
  async ask(
    connection: Connection<S>,
    { kind, protocol }: { readonly kind: RequestKind; readonly protocol: string },
    question: () => Uint8Array,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const key = `${kind} ${connection.id}`;
    const { stream, frames } =
      this.#take(key) ?? (await open(connection, protocol, MAX_ANSWER_BYTES[kind], signal));
    try {
      await frames.write(question(), { signal });
      const answer = await frames.read({ signal });
      if (isKept(kind)) this.#keep(key, { stream, frames });
      else await stream.close({ signal });
      return answer.subarray();
    } catch (error) {
      stream.abort(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }

  /** A free stream; two requests at once have two streams. */
  #take(key: string): Idle<S> | undefined {
    const idle = this.#idle.get(key);
    this.#idle.delete(key);
    return idle?.stream.status === 'open' ? idle : undefined;
  }

  #keep(key: string, idle: Idle<S>): void {
    this.#idle.get(key)?.stream.abort(new Error('another is kept'));
    this.#idle.delete(key);
    this.#idle.set(key, idle);
    if (this.#idle.size > MAX_KEPT) this.#idle.delete(this.#idle.keys().next().value!);
  }
}

async function open<S extends Stream>(
  connection: Connection<S>,
  protocol: string,
  maxDataLength: number,
  signal: AbortSignal,
): Promise<Idle<S>> {
  const stream = await connection.newStream(protocol, { signal });
  return { stream, frames: lpStream(stream, { maxDataLength }) };
}

/** The error with which reading a request ended, if the request was longer than any valid one. */
export function tooLong(error: unknown): Rejection | undefined {
  if (!(error instanceof Error) || !TOO_LONG.has(error.name)) return undefined;
  return reject('MESSAGE_TOO_LARGE', `a question that is too long: ${error.message}`);
}
