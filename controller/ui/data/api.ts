/** Requests of the page to its server, with the types of the routes. The browser adds the cookie. */

import type { AnswerOf, BodyFor, RouteId } from '../../../proto/api/v1/routes.ts';
import type { ErrorFacts } from '../../../proto/errors.ts';
import { Refusal } from './refusal.ts';

export { Refusal };

const ROOT = '/api/v1';

/** Throws `Refusal`. */
export function get<Id extends RouteId>(_: Id, path: string): Promise<AnswerOf<Id>> {
  return ask(path, {}) as Promise<AnswerOf<Id>>;
}

/** Throws `Refusal`. */
export function post<Id extends RouteId>(_: Id, path: string, body: BodyFor<Id>): Promise<AnswerOf<Id>> {
  const headers = { 'content-type': 'application/json' };
  return ask(path, { method: 'POST', headers, body: JSON.stringify(body) }) as Promise<AnswerOf<Id>>;
}

/** Throws `Refusal`. */
export function remove<Id extends RouteId>(_: Id, path: string): Promise<AnswerOf<Id>> {
  return ask(path, { method: 'DELETE' }) as Promise<AnswerOf<Id>>;
}

async function ask(path: string, options: RequestInit): Promise<unknown> {
  let answer: Response;
  try {
    answer = await fetch(ROOT + path, options);
  } catch {
    const remedy = 'it may have ended; `netfold serve` starts another one on the same port';
    throw new Refusal({ code: 'UNREACHABLE', message: 'the server does not answer', remedy });
  }
  const value: unknown = await answer.json().catch(() => undefined);
  if (answer.ok) return value;
  throw new Refusal(
    (value as ErrorFacts | undefined) ?? { code: 'UNKNOWN', message: `the server says ${answer.status}` },
  );
}

export const experimentPath = (name: string, rest = ''): string =>
  `/experiments/${encodeURIComponent(name)}${rest}`;

export const endpointPath = (name: string, endpoint: string, rest: string): string =>
  experimentPath(name, `/endpoints/${encodeURIComponent(endpoint)}${rest}`);

/** A WebSocket of this server. */
export function openSocket(path: string): WebSocket {
  const { protocol, host } = window.location;
  return new WebSocket(`${protocol === 'https:' ? 'wss' : 'ws'}://${host}${ROOT}${path}`);
}
