/**
 * Requests to a Docker engine over its socket, without a client's package: an agent has hundreds of them open, and commands that only
 * look must start at once. The API: https://docs.docker.com/reference/api/engine/
 */
import { type IncomingMessage, request } from 'node:http';
import { millisToSeconds } from '../../proto/units.ts';

/** Making a container may take seconds where a hundred are made at once. */
const DEADLINE_MS = 60_000;

/** What went wrong, in the engine's words. */
export class EngineRequestError extends Error {
  /** HTTP's; `undefined`: the engine has not answered. */
  readonly status: number | undefined;
  /** The system's, such as `ENOENT`. */
  readonly errno: string | undefined;

  constructor(message: string, facts: { status?: number; errno?: string | undefined }, cause?: unknown) {
    super(message, { cause });
    this.status = facts.status;
    this.errno = facts.errno;
  }
}

export const isStatus = (error: unknown, ...statuses: readonly number[]): boolean =>
  error instanceof EngineRequestError && error.status !== undefined && statuses.includes(error.status);

export type Method = 'GET' | 'POST' | 'DELETE';

export interface RequestOptions {
  /** JSON, or bytes of a tar archive. */
  readonly body?: unknown;
  /** Infinite: the engine may answer after days. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export class EngineRequests {
  readonly socket: string;

  constructor(socket: string) {
    this.socket = socket;
  }

  /** The answer's JSON, of several lines the last; `undefined` if it is empty. Throws `EngineRequestError`. */
  async send(method: Method, path: string, options: RequestOptions = {}): Promise<unknown> {
    const response = await this.open(method, path, options);
    const text = await textOf(response);
    const last = text.trim().split('\n').at(-1)!;
    try {
      return last === '' ? undefined : JSON.parse(last);
    } catch (cause) {
      throw new EngineRequestError(`the engine's answer to ${path} is no JSON`, {}, cause);
    }
  }

  /** The answer as a stream. Throws `EngineRequestError`. */
  async open(
    method: Method,
    path: string,
    { body, deadlineMs = DEADLINE_MS, signal }: RequestOptions = {},
  ): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const isTar = body instanceof Uint8Array;
    const sent = request(
      {
        ...{ socketPath: this.socket, path, method, agent: false },
        headers: { host: 'docker', 'content-type': isTar ? 'application/x-tar' : 'application/json' },
        ...(signal && { signal }),
      },
      resolve,
    );
    const late = Number.isFinite(deadlineMs)
      ? setTimeout(
          () => sent.destroy(new Error(`no answer within ${millisToSeconds(deadlineMs)} s`)),
          deadlineMs,
        )
      : undefined;
    sent.on('error', (cause: NodeJS.ErrnoException) =>
      reject(new EngineRequestError(`${this.socket}: ${cause.message}`, { errno: cause.code }, cause)),
    );
    sent.on('close', () => clearTimeout(late));
    sent.end(isTar ? body : body === undefined ? undefined : JSON.stringify(body));
    const response = await promise;
    const status = response.statusCode ?? 0;
    if (status < 400) return response;
    throw new EngineRequestError(messageOf(await textOf(response)), { status });
  }
}

const MAX_BYTES = 64 << 20;

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new EngineRequestError("the engine's answer is too long", {});
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function messageOf(text: string): string {
  try {
    return String((JSON.parse(text) as { message: unknown }).message).trim();
  } catch {
    return text.slice(0, 500);
  }
}
