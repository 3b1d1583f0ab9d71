/** JSON over HTTP to a unix socket or a TCP address: how the parts of one machine communicate. */
import { type IncomingMessage, type RequestOptions, request } from 'node:http';
import { z } from 'zod';
import { type ErrorFacts, NetfoldError } from './errors.ts';
import { millisToSeconds } from './units.ts';

/** `unix:/run/netfold/lab/host0.sock` or `http://10.0.0.1:4600`. */
export type Address = string;

const TIMEOUT_MS = 10_000;
const MAX_BODY_BYTES = 64 << 20;

export class HttpError extends NetfoldError {
  declare readonly code: 'UNREACHABLE' | 'REFUSED' | 'MALFORMED';
  constructor(code: 'UNREACHABLE' | 'REFUSED' | 'MALFORMED', message: string, cause?: unknown) {
    super({ code, blame: 'machine', message, ...(cause !== undefined && { cause }) });
  }
}

/**
 * Sends `body` (POST), or a GET without a body, and returns the answer. Throws `HttpError`, also if nothing comes within
 * `timeoutMs`.
 */
export async function callJson(
  address: Address,
  path: string,
  body?: unknown,
  timeoutMs = TIMEOUT_MS,
): Promise<unknown> {
  const options: RequestOptions = {
    ...target(address, path),
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'content-type': 'application/json' },
    timeout: timeoutMs,
  };
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const sent = request(options, resolve);
  sent.on('timeout', () => sent.destroy(new Error(`no answer within ${millisToSeconds(timeoutMs)} s`)));
  sent.on('error', (cause) =>
    reject(new HttpError('UNREACHABLE', `${address} can't be reached: ${cause.message}`, cause)),
  );
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const response = await promise;
  const text = await readAll(response);
  if (response.statusCode !== 200)
    throw (
      refusal(text) ?? new HttpError('REFUSED', `${address}${path} answered ${response.statusCode}: ${text}`)
    );
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HttpError('MALFORMED', `${address}${path} did not answer with JSON`, cause);
  }
}

const refusalSchema = z.object({
  code: z.string(),
  blame: z.enum(['input', 'usage', 'machine', 'internal']),
  message: z.string(),
  remedy: z.string().optional(),
});

/** What a server sends for a coded error, so that the client gets the same error. */
export function toRefusal({ code, blame, message, remedy }: NetfoldError): ErrorFacts {
  return { code, blame, message, ...(remedy !== undefined && { remedy }) };
}

/** HTTP's status → code and remedy of what a server refuses before it looks into the body. */
const REFUSED_BODIES: Readonly<Record<number, readonly [code: string, remedy: string]>> = {
  400: ['REQUEST_MALFORMED', 'send the JSON that this path takes'],
  404: ['PATH_UNKNOWN', 'use a path and a method that the API has'],
  413: ['REQUEST_TOO_LARGE', 'send less than a mebibyte'],
  414: ['PATH_TOO_LONG', 'names have some dozens of characters'],
  415: ['MEDIA_TYPE', 'send content-type: application/json'],
};

/**
 * The answer to a request that failed: its status, and the same facts as those of coded errors. `error`: a
 * `NetfoldError`, one of zod, or one of the HTTP server, which has a `statusCode`. Everything else is a fault of ours.
 */
export function answerTo(error: unknown): { readonly status: number; readonly facts: ErrorFacts } {
  if (error instanceof NetfoldError)
    return { status: error.blame === 'internal' ? 500 : 400, facts: toRefusal(error) };
  const message = String(Object(error).message ?? error);
  const status = error instanceof z.ZodError ? 400 : Number(Object(error).statusCode ?? 500);
  const [code, remedy] = REFUSED_BODIES[status] ?? [];
  if (code === undefined) return { status: 500, facts: { code: 'INTERNAL', blame: 'internal', message } };
  return { status, facts: { code, blame: 'input', message, ...(remedy !== undefined && { remedy }) } };
}

function refusal(text: string): NetfoldError | undefined {
  try {
    const { remedy, ...facts } = refusalSchema.parse(JSON.parse(text));
    return new NetfoldError({ ...facts, ...(remedy !== undefined && { remedy }) });
  } catch {
    return undefined;
  }
}

function target(address: Address, path: string): RequestOptions {
  if (address.startsWith('unix:')) return { socketPath: address.slice('unix:'.length), path };
  const { hostname, port } = new URL(address);
  return { hostname, port, path };
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES)
      throw new HttpError('MALFORMED', `the answer is longer than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
