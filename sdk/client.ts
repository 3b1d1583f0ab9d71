/** A client of the API: its routes by their names, with the types of their schemas, and the stream. */

import { errorSchema } from '../proto/api/v1/errors.ts';
import {
  type AnswerOf,
  API_ROOT,
  type BodyFor,
  type ParamsOf,
  type QueryFor,
  ROUTES,
  type Route,
  type RouteId,
  STREAM_PATH,
} from '../proto/api/v1/routes.ts';
import type { StreamMessage } from '../proto/api/v1/stream.ts';
import { NetfoldError } from '../proto/errors.ts';
import { millisToSeconds } from '../proto/units.ts';

/** Of requests that start nothing. */
const TIMEOUT_MS = 120_000;
/** These take as long as they take. */
const LONG: ReadonlySet<RouteId> = new Set([
  'startExperiment',
  'exec',
  'runTool',
  'askHosts',
  'hostLogs',
  'hostExec',
  'hostNetwork',
]);
/** Messages that a reader may be behind. */
const MOST_WAITING = 1000;

/** What Node says of certificates that it does not believe. */
const DISTRUST = /^(?:CERT_|ERR_TLS_CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

/** Parts that are empty may be left out. */
type Part<Name extends string, Value> = string extends keyof Value
  ? { readonly [N in Name]?: Value }
  : Partial<Value> extends Value
    ? { readonly [N in Name]?: Value }
    : { readonly [N in Name]: Value };
type BodyPart<Id extends RouteId> =
  undefined extends BodyFor<Id> ? { readonly body?: undefined } : { readonly body: BodyFor<Id> };
export type CallInput<Id extends RouteId> = Part<'params', ParamsOf<Id>> &
  Part<'query', QueryFor<Id>> &
  BodyPart<Id> & { readonly signal?: AbortSignal };

/** The same for any route. */
interface Given {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export class ApiClient {
  readonly #url: URL;
  readonly #token: string | undefined;

  /** `url`: of the server; a path in it is ignored. */
  constructor(url: string, token?: string) {
    this.#url = addressOf(url);
    this.#token = token;
  }

  get url(): string {
    return this.#url.origin;
  }

  /** Throws a `NetfoldError`: what the server refuses, with its code; `UNREACHABLE`; `CERTIFICATE_REFUSED`; `MALFORMED`. */
  async call<Id extends RouteId>(id: Id, input: CallInput<Id>): Promise<AnswerOf<Id>> {
    const route: Route = ROUTES[id];
    const { params = {}, query = {}, body, signal } = input as Given;
    const url = new URL(API_ROOT + fill(route.path, params), this.#url);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    const timeout = LONG.has(id) ? [] : [AbortSignal.timeout(TIMEOUT_MS)];
    const answer = await this.#fetch(url, {
      method: route.method,
      headers: { ...this.#headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.any([...timeout, ...(signal ? [signal] : [])]),
    });
    return readAnswer(answer, route) as Promise<AnswerOf<Id>>;
  }

  /**
   * A snapshot, then what changes, until the experiment ends, the signal comes, or the reader stops. Throws what `call` throws,
   * and `STREAM_LOST`.
   */
  async *stream(experiment: string, signal?: AbortSignal): AsyncGenerator<StreamMessage, void, void> {
    // A refused WebSocket does not say why.
    await this.call('getExperiment', { params: { experiment }, ...(signal && { signal }) });
    const url = new URL(API_ROOT + fill(STREAM_PATH, { experiment }), this.#url);
    url.protocol = url.protocol.replace('http', 'ws');
    const socket = new WebSocket(url, { headers: this.#headers });
    const waiting: StreamMessage[] = [];
    let over: Error | 'closed' | undefined;
    let wake = (): void => {};
    const end = (how: Error | 'closed'): void => {
      over ??= how;
      wake();
    };
    socket.onmessage = ({ data }) => {
      waiting.push(JSON.parse(String(data)) as StreamMessage);
      if (waiting.length > MOST_WAITING) end(lost('its reader is too slow'));
      wake();
    };
    socket.onclose = ({ code, reason }) => end(code === 1000 ? 'closed' : lost(reason || `code ${code}`));
    socket.onerror = () => end(lost('the connection failed'));
    const abort = (): void => end('closed');
    signal?.addEventListener('abort', abort, { once: true });
    try {
      for (;;) {
        for (let next = waiting.shift(); next; next = waiting.shift()) {
          yield next;
          if (next.type === 'end') return;
        }
        if (over === 'closed' || signal?.aborted) return;
        if (over) throw over;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      signal?.removeEventListener('abort', abort);
      socket.close();
    }
  }

  get #headers(): Record<string, string> {
    return this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` };
  }

  async #fetch(url: URL, init: RequestInit): Promise<Response> {
    try {
      return await fetch(url, init);
    } catch (cause) {
      if (init.signal?.aborted && (cause as Error).name !== 'TimeoutError') throw cause;
      const why = (cause as Error & { cause?: Error }).cause?.message ?? (cause as Error).message;
      const { code = '' } = ((cause as Error).cause ?? {}) as { readonly code?: string };
      if (DISTRUST.test(code))
        throw new NetfoldError({
          code: 'CERTIFICATE_REFUSED',
          blame: 'machine',
          message: `the certificate of ${this.url} is not to be trusted: ${why}`,
          remedy:
            'name it, or its authority, with --ca FILE or NODE_EXTRA_CA_CERTS, and use a name that it has',
          cause,
        });
      const late = `no answer within ${millisToSeconds(TIMEOUT_MS)} s`;
      const reason = (cause as Error).name === 'TimeoutError' ? late : why;
      throw new NetfoldError({
        code: 'UNREACHABLE',
        blame: 'machine',
        message: `${this.url} can't be reached: ${reason}`,
        remedy: 'see that `netfold serve` runs there, at which address, and whether by http:// or https://',
        cause,
      });
    }
  }
}

/** `127.0.0.1:4647`, `http://host:4647/login?code=…` → its origin. Throws `ADDRESS_INVALID`. */
function addressOf(text: string): URL {
  const withScheme = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`;
  if (URL.canParse(withScheme)) {
    const url = new URL(withScheme);
    if (url.protocol === 'http:' || url.protocol === 'https:') return new URL(url.origin);
  }
  throw new NetfoldError({
    code: 'ADDRESS_INVALID',
    blame: 'usage',
    message: `${JSON.stringify(text)} is no address of an API`,
    remedy: 'write e.g. http://192.0.2.7:4647',
  });
}

const lost = (why: string): NetfoldError =>
  new NetfoldError({ code: 'STREAM_LOST', blame: 'machine', message: `the stream ended: ${why}` });

function fill(path: string, params: Readonly<Record<string, string>>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
}

/** What the server sends is checked, and given as it is: a newer server may say more. */
async function readAnswer(answer: Response, route: Route): Promise<unknown> {
  const text = await answer.text();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed(`${answer.status}: ${text.slice(0, 200)}`);
  }
  if (!answer.ok) {
    const { data } = errorSchema.safeParse(value);
    if (!data) throw malformed(`${answer.status}: ${text.slice(0, 200)}`);
    const { remedy, ...facts } = data;
    throw new NetfoldError({ ...facts, ...(remedy !== undefined && { remedy }) });
  }
  const { error } = route.answer.safeParse(value);
  if (error) throw malformed(`${error.issues[0]!.path.join('.')}: ${error.issues[0]!.message}`);
  return value;
}

const malformed = (what: string): NetfoldError =>
  new NetfoldError({
    code: 'MALFORMED',
    blame: 'machine',
    message: `the server does not answer as netfold's API does: ${what}`,
    remedy: 'see that the address is that of `netfold serve`, of a version that goes with this one',
  });
