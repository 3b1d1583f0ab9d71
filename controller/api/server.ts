/** The server of the API: routes from the table, who may ask, and the same shape for every refusal. */
import websocket from '@fastify/websocket';
import fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from 'fastify';
import type { z } from 'zod';
import { terminalQuery } from '../../proto/api/v1/endpoints.ts';
import { experimentName } from '../../proto/api/v1/names.ts';
import { openApiDocument } from '../../proto/api/v1/openapi.ts';
import {
  API_ROOT,
  NO_BODY,
  OPENAPI_PATH,
  RECORD_FILE_PATH,
  RECORD_FILE_QUERY,
  ROUTES,
  type Route,
  type RouteId,
  STREAM_PATH,
  TERMINAL_PATH,
} from '../../proto/api/v1/routes.ts';
import { CONTENT_TYPE } from '../../proto/metrics/text.ts';
import { PAGE, PAGE_PATH, PAGE_POLICY, PROGRAM_PATH, readProgram } from '../ui/page.ts';
import type { Allowance } from './access/allowance.ts';
import type { TlsIdentity } from './access/tls.ts';
import { metricsOf } from './answers/metrics.ts';
import { ApiError, malformed, refusalOf } from './errors.ts';
import type { Guard } from './guard.ts';
import type { Handlers } from './handler-types.ts';
import { endpointOf, handlersOf } from './handlers.ts';
import type { Experiments, Inside, TerminalQuery } from './ports.ts';
import { type StreamSocket, Streams } from './streams.ts';
import { type TerminalSocket, Terminals } from './terminals.ts';
import { askSoon } from './view.ts';

/** The longest request; a topology is the longest thing in one. */
const MAX_BODY_BYTES = 1 << 20;
/** A command's id with its author is the longest part of a path. */
const MAX_PARAM_LENGTH = 300;
/** Until a request is complete. */
const REQUEST_MS = 30_000;
const MOST_CONNECTIONS = 1000;
/** Readers of a stream say nothing, and what is typed in a terminal is short: `MAX_INPUT_LENGTH`, escaped. */
const MAX_MESSAGE_BYTES = 4096;

export interface ServerOptions {
  readonly experiments: Experiments;
  readonly inside: Inside;
  readonly guard: Guard;
  readonly allowance: Allowance;
  readonly version: string;
  readonly streams?: Streams;
  readonly tls?: TlsIdentity | undefined;
  /** Whoever reaches the server may read its metrics, without a token. */
  readonly openMetrics?: boolean;
}

export async function buildServer(options: ServerOptions): Promise<FastifyInstance> {
  const { experiments, inside, guard, allowance, version, tls } = options;
  const streams = options.streams ?? new Streams(experiments, () => performance.now());
  const settings: FastifyServerOptions = {
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_MS,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: (error, _, reply) => void refuse(reply, error),
  };
  const secure = tls && { https: { ...tls, minVersion: 'TLSv1.2' as const, handshakeTimeout: REQUEST_MS } };
  const server = fastify({ ...settings, ...secure });
  server.server.maxConnections = MOST_CONNECTIONS;
  // A text is no JSON, whatever it contains.
  server.removeContentTypeParser('text/plain');
  await server.register(websocket, { options: { maxPayload: MAX_MESSAGE_BYTES } });
  server.setErrorHandler((error, _, reply) => refuse(reply, error));
  server.setNotFoundHandler((request, reply) => refuse(reply, notFound(request, reply)));
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS);
    if (!allowance.take(request.ip))
      throw new ApiError('TOO_MANY_REQUESTS', `too many requests from ${request.ip}`, 'wait for a second');
    const asked = { method: request.method, headers: request.headers, isUpgrade: isUpgrade(request) };
    guard.requireOwn(asked);
    const needsNone = isOpen(request) || (options.openMetrics && request.routeOptions.url === METRICS_PATH);
    if (!needsNone) guard.requireRight(asked);
  });
  addRoutes(
    server,
    handlersOf(experiments, inside, () => guard.link()),
  );
  addStream(server, streams);
  const terminals = new Terminals(inside);
  addTerminal(server, experiments, terminals);
  addLogin(server, guard);
  addDashboard(server);
  addFiles(server, experiments);
  const agents = {
    list: () => experiments.list(),
    state: (name: string) => experiments.state(name),
    ask: (...of: Parameters<Experiments['ask']>) => askSoon(experiments.ask(...of)),
  };
  server.get(METRICS_PATH, async (_, reply) =>
    reply.type(CONTENT_TYPE).send(await metricsOf(agents, { version, streams: streams.count })),
  );
  const document = openApiDocument(version);
  server.get(`${API_ROOT}${OPENAPI_PATH}`, async () => document);
  server.addHook('onClose', async () => {
    streams.stop();
    terminals.stop();
  });
  return server;
}

const isUpgrade = ({ headers }: FastifyRequest): boolean => headers.upgrade?.toLowerCase() === 'websocket';

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** Where Prometheus looks if it is not told otherwise. */
const METRICS_PATH = '/metrics';
const LOGIN = '/login';
/** Whoever opens a link has no cookie yet; the dashboard's page says what to do without one, and shows nothing. */
const OPEN: ReadonlySet<string | undefined> = new Set([LOGIN, PAGE_PATH, PROGRAM_PATH]);

const isOpen = ({ method, routeOptions }: FastifyRequest): boolean =>
  method === 'GET' && OPEN.has(routeOptions.url);

function addRoutes(server: FastifyInstance, handlers: Handlers): void {
  for (const [id, route] of Object.entries(ROUTES) as [RouteId, Route][]) {
    const handle = handlers[id] as (input: object) => Promise<unknown>;
    server.route({
      method: route.method,
      url: urlOf(route.path),
      handler: async (request, reply) => {
        const input = {
          params: parsed(route.params, request.params, 'path'),
          query: parsed(route.query, request.query, 'query'),
          body: route.body === NO_BODY ? undefined : parsed(route.body, request.body, 'body'),
        };
        const gone = new AbortController();
        reply.raw.on('close', () => gone.abort());
        const answer = await handle({ ...input, signal: gone.signal });
        return reply.code(route.status).type('application/json; charset=utf-8').send(answer);
      },
    });
  }
}

const urlOf = (path: string): string => API_ROOT + path.replace(/\{(\w+)\}/g, ':$1');

/** Throws `ApiError` (`REQUEST_MALFORMED`). */
function parsed(schema: z.ZodType, value: unknown, where: string): unknown {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  throw malformed(error, where);
}

function addStream(server: FastifyInstance, streams: Streams): void {
  const { params } = ROUTES.getExperiment;
  server.route({
    method: 'GET',
    url: urlOf(STREAM_PATH),
    preValidation: async (request) => {
      const { experiment } = parsed(params, request.params, 'path') as { experiment: string };
      requireUpgrade(request);
      await streams.requireRoom(experiment);
    },
    handler: async () => undefined,
    wsHandler: (socket, request) =>
      streams.open(socket as StreamSocket, (request.params as { experiment: string }).experiment),
  });
}

/** Throws `REQUEST_MALFORMED`. */
function requireUpgrade(request: FastifyRequest): void {
  if (isUpgrade(request)) return;
  throw new ApiError('REQUEST_MALFORMED', 'this path is a WebSocket', 'open it as one (upgrade: websocket)');
}

/** Whoever has one may do what `exec` may. */
function addTerminal(server: FastifyInstance, experiments: Experiments, terminals: Terminals): void {
  const find = async ({ params, query }: FastifyRequest) => {
    const names = parsed(ROUTES.getLogs.params, params, 'path') as { experiment: string; endpoint: string };
    const size = parsed(terminalQuery, query, 'query') as TerminalQuery;
    const state = await experiments.state(names.experiment);
    return { state, endpoint: endpointOf(state, names.endpoint), size };
  };
  server.route({
    method: 'GET',
    url: urlOf(TERMINAL_PATH),
    preValidation: async (request) => {
      await find(request);
      requireUpgrade(request);
      terminals.requireRoom();
    },
    handler: async () => undefined,
    wsHandler: async (socket, request) => {
      const early: { toString(): string }[] = [];
      const keep = (data: { toString(): string }): void => void early.push(data);
      socket.on('message', keep);
      const { state, endpoint, size } = await find(request);
      socket.off('message', keep);
      terminals.open(socket as TerminalSocket, state, endpoint, size);
      for (const data of early) socket.emit('message', data);
    },
  });
}

/** Answers that are no JSON. */
function addFiles(server: FastifyInstance, experiments: Experiments): void {
  const { params } = ROUTES.getRecord;
  server.get(urlOf(RECORD_FILE_PATH), async (request, reply) => {
    const { experiment } = parsed(params, request.params, 'path') as { experiment: string };
    const { path } = parsed(RECORD_FILE_QUERY, request.query, 'query') as { path: string };
    const { name } = await experiments.state(experiment);
    return reply.type('application/octet-stream').send(await experiments.recordFile(name, path));
  });
}

function addLogin(server: FastifyInstance, guard: Guard): void {
  server.get(LOGIN, async (request, reply) => {
    const { code, show } = request.query as { code?: unknown; show?: unknown };
    const cookie = guard.redeem(typeof code === 'string' ? code : '');
    // Of what stands in the page's own address, nothing but a name comes into its text.
    const { data: name } = experimentName.safeParse(show);
    const to = name === undefined ? PAGE_PATH : `${PAGE_PATH}#${name}`;
    // By a page of its own: after a redirect, a browser would not send a strict cookie to whoever came from elsewhere.
    const page = `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=${to}"><title>netfold</title>`;
    return reply.header('set-cookie', cookie).type('text/html; charset=utf-8').send(page);
  });
}

function addDashboard(server: FastifyInstance): void {
  // Once: the file does not change below a running server.
  const program = readProgram();
  server.get(PAGE_PATH, async (_, reply) =>
    reply.header('content-security-policy', PAGE_POLICY).type('text/html; charset=utf-8').send(PAGE),
  );
  server.get(PROGRAM_PATH, async (_, reply) => reply.type('text/javascript; charset=utf-8').send(program));
}

/** All that there is. */
const ASKED: readonly Pick<Route, 'method' | 'path'>[] = [
  ...Object.values(ROUTES),
  ...[STREAM_PATH, TERMINAL_PATH, RECORD_FILE_PATH, OPENAPI_PATH].map((path) => ({
    method: 'GET' as const,
    path,
  })),
];

/** 405 where another method would do. */
function notFound({ method, url }: FastifyRequest, reply: FastifyReply): unknown {
  const path = url.split('?')[0]!;
  const others = ASKED.filter((route) => patternOf(route.path).test(path));
  const named = JSON.stringify(`${method} ${path}`.slice(0, 200));
  const isWrong = others.length === 0 || others.some((route) => route.method === method);
  if (isWrong) return { statusCode: 404, message: `there is no ${named}` };
  const allowed = [...new Set(others.map((route) => route.method))].join(', ');
  reply.header('allow', allowed);
  return new ApiError('METHOD_UNKNOWN', `${named} can't be asked for so`, `use ${allowed}`);
}

const patternOf = (path: string): RegExp => new RegExp(`^${API_ROOT}${path.replace(/\{\w+\}/g, '[^/]+')}$`);

function refuse(reply: FastifyReply, error: unknown): FastifyReply {
  const { status, facts } = refusalOf(error);
  return reply.code(status).type('application/json; charset=utf-8').send(facts);
}
