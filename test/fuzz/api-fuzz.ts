/**
 * Asks the API what its OpenAPI document leads to, and hostile things. Every answer has a status that the document names and the shape
 * that goes with it, in time, and the server's memory is bounded.
 */
import type { FastifyInstance } from 'fastify';
import { errorSchema } from '../../proto/api/v1/errors.ts';
import { API_ROOT, OPENAPI_PATH, ROUTES, type Route } from '../../proto/api/v1/routes.ts';
import { fromMillis, megabytes, micros, toMillis, toSeconds } from '../../proto/units.ts';
import {
  type Document,
  type MadeRequest,
  type MakerOptions,
  type Operation,
  RequestMaker,
} from './api-requests.ts';

export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

/** Who answers: the server of this process, or a real one. */
export interface AskedApi {
  send(request: Omit<MadeRequest, 'operation'>): Promise<ApiAnswer>;
  /** Processor time that it has taken so far. */
  cpuMs(): number;
  /** The most memory that it has had, or has now. */
  memoryBytes(): number;
  /** After each answer: what was made goes. */
  settle?(request: MadeRequest, answer: ApiAnswer): Promise<void>;
}

export interface ApiFault {
  readonly request: number;
  readonly what: string;
  readonly problem: string;
}

export interface ApiFuzzReport {
  readonly faults: readonly ApiFault[];
  readonly requests: number;
  readonly seconds: number;
  /** Status → how many answers had it. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Of processor time. */
  readonly slowestMs: number;
  readonly peakMegabytes: number;
}

export interface ApiFuzzOptions extends MakerOptions {
  readonly seed: number;
  readonly requests: number;
  /** Asked before each request. */
  readonly isOver?: () => boolean;
}

/** Of processor time: a busy machine lets everything wait. */
const MAX_MS = 1000;
const MAX_FAULTS = 10;
/** Of the process that answers. */
const MAX_MEGABYTES = 500;
const LOOK_EVERY = 1000;

/** The server of this process, without sockets. */
export function injected(server: FastifyInstance, headers: Readonly<Record<string, string>>): AskedApi {
  return {
    send: async (request) => {
      const answer = await server.inject({
        ...request,
        headers: { ...headers, ...request.headers },
      } as never);
      return { status: answer.statusCode, body: answer.body };
    },
    cpuMs: () => {
      const { user, system } = process.cpuUsage();
      return toMillis(micros(user + system));
    },
    memoryBytes: () => process.memoryUsage.rss(),
  };
}

export async function fuzzApi(
  api: AskedApi,
  { seed, requests, isOver = () => false, ...options }: ApiFuzzOptions,
): Promise<ApiFuzzReport> {
  const document = await api.send({
    method: 'GET',
    url: API_ROOT + OPENAPI_PATH,
    headers: {},
    payload: undefined,
  });
  const maker = new RequestMaker(JSON.parse(document.body) as Document, seed, options);
  const began = performance.now();
  const faults: ApiFault[] = [];
  const statuses: Record<string, number> = {};
  let slowestMs = 0;
  let peakBytes = 0;
  let request = 0;
  for (; request < requests && faults.length < MAX_FAULTS && !isOver(); request++) {
    const made = maker.next();
    const note = (problem: string): void => void faults.push({ request, what: describe(made), problem });
    const before = api.cpuMs();
    const answer = await api.send(made).catch((error: Error) => error);
    if (answer instanceof Error) {
      note(`no answer: ${answer.message}`);
      continue;
    }
    const ms = api.cpuMs() - before;
    slowestMs = Math.max(slowestMs, ms);
    statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
    if (request % LOOK_EVERY === 0) peakBytes = Math.max(peakBytes, api.memoryBytes());
    const problem =
      ms > MAX_MS ? `it took ${ms.toFixed(0)} ms` : problemOf(made.operation, answer.status, answer.body);
    if (problem !== undefined) note(problem);
    await api.settle?.(made, answer).catch((error: Error) => note(`afterwards: ${error.message}`));
  }
  const peakMegabytes = megabytes(Math.max(peakBytes, api.memoryBytes()));
  if (peakMegabytes > MAX_MEGABYTES)
    faults.push({
      request,
      what: 'all of them',
      problem: `the server has had ${peakMegabytes.toFixed(0)} MB`,
    });
  const seconds = toSeconds(fromMillis(performance.now() - began));
  return { faults, requests: request, seconds, statuses, slowestMs, peakMegabytes };
}

const describe = ({ method, url, payload }: MadeRequest): string =>
  `${method} ${url} ${JSON.stringify(payload)}`.slice(0, 500);

function problemOf({ operationId, responses }: Operation, status: number, body: string): string | undefined {
  const text = body.slice(0, 500);
  if (status === 500) return `500: ${text}`;
  // 405: another method of the same path.
  if (!(status in responses) && status !== 405)
    return `status ${status}, which the document does not name: ${text}`;
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return `no JSON: ${text}`;
  }
  const route = (ROUTES as Record<string, Route>)[operationId];
  const schema = status >= 400 ? errorSchema : route?.answer;
  const error = schema?.safeParse(value).error;
  return (
    error && `status ${status}, ${error.issues[0]!.path.join('.')}: ${error.issues[0]!.message}: ${text}`
  );
}
