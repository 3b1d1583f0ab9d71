/** The API of an agent: a unix socket on its machine. */
import { chmodSync, rmSync } from 'node:fs';
import fastify, { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import { type Bootstrap, localEndpointSchema } from '../../proto/bootstrap.ts';
import {
  type AcceptedCommand,
  type ControlAnswer,
  type ControlRequest,
  controlRequestSchema,
  type KnownMember,
  type PlacedCommand,
  type PlaceRequest,
  placeRequestSchema,
  type SignedRequest,
  signedRequestSchema,
} from '../../proto/control.ts';
import { answerTo } from '../../proto/http-json.ts';
import type { Sample } from '../../proto/metrics/table.ts';
import { type RunLogPage, type RunLogQuery, runLogQuerySchema } from '../../proto/run-log.ts';
import type { AgentFlows, AgentStatus, AgentVerdict } from '../../proto/status.ts';
import {
  type AgentNews,
  type AgentProofs,
  type AgentRecord,
  type AgentView,
  type LiveGraph,
  type NewsQuery,
  newsQuerySchema,
} from '../../proto/view.ts';

const runSchema = z.strictObject({ startAt: z.number() });
const detachSchema = localEndpointSchema.pick({ number: true });
const MOST_PROBLEMS = 1000;
const LONGEST_PROBLEM = 1000;
const MOST_PEERS = 1000;
const LONGEST_ADDRESS = 300;
const peersSchema = z.strictObject({ addresses: z.array(z.string().max(LONGEST_ADDRESS)).max(MOST_PEERS) });
const problemsSchema = z.strictObject({
  problems: z.array(z.string().max(LONGEST_PROBLEM)).max(MOST_PROBLEMS),
});

export interface AgentDoor {
  status(): AgentStatus;
  /** Of the status, what changes with every tick. */
  flows(): AgentFlows;
  view(): AgentView;
  /** The topology of this instant. */
  graph(): LiveGraph;
  record(): AgentRecord;
  /** With all causes that are kept, and since when the rules of paths are in force. */
  verdict(): AgentVerdict & AgentProofs;
  /** What a recorder asks for each second. */
  news(query: NewsQuery): Promise<AgentNews>;
  /** Its metrics (proto/metrics/table.ts). */
  metrics(): readonly Sample[];
  /** Entries of the run log, at once or as soon as there are any. */
  log(query: RunLogQuery): Promise<RunLogPage>;
  /** The agent's bootstrap, with the start of the experiment as soon as it is known. It contains the mesh's key. */
  bootstrap(): Bootstrap;
  /** Starts applications and timeline at this time, in milliseconds since 1970. */
  run(startAt: number): void;
  /** Accepts a command, as its own. Throws a `NetfoldError` if it refuses it. */
  control(request: ControlRequest): AcceptedCommand;
  /** Gives a command its place, which then comes back signed. Both throw a `NetfoldError` if they refuse it. */
  place(request: PlaceRequest): PlacedCommand;
  signed(request: SignedRequest): AcceptedCommand;
  commands(): ControlAnswer;
  /** All hosts that it has met, those that are away, too. */
  members(): readonly KnownMember[];
  /**
   * Adds an endpoint to this host; it replaces one with the same number. Throws a `NetfoldError` if it can't be
   * shaped.
   */
  attach(endpoint: Bootstrap['endpoints'][number]): Promise<void>;
  /** Removes an endpoint from this host; does nothing if it is not here. */
  detach(number: number): Promise<void>;
  /** What is wrong now at the place of the endpoints, as who watches it says; it is in the status until the next call. */
  setProblems(problems: readonly string[]): void;
  /** Other agents are at these multiaddrs, too: connections to them are kept. */
  connect(addresses: readonly string[]): void;
  /** Ends the agent after the answer was sent. */
  stop(): void;
}

export async function openApi(agent: AgentDoor, socket: string): Promise<FastifyInstance> {
  const server = fastify();
  // A text is no JSON, whatever it contains.
  server.removeContentTypeParser('text/plain');
  server.get('/status', async () => agent.status());
  server.get('/flows', async () => agent.flows());
  server.get('/view', async () => agent.view());
  server.get('/graph', async () => agent.graph());
  server.get('/verdict', async () => agent.verdict());
  server.get('/news', async ({ query }) => agent.news(newsQuerySchema.parse(query)));
  server.get('/record', async () => agent.record());
  server.get('/samples', async () => agent.metrics());
  server.get('/metrics', async (_, reply) => {
    // Few ask, and loading it takes as long as a tick.
    const { CONTENT_TYPE, exposition } = await import('../../proto/metrics/text.ts');
    return reply.type(CONTENT_TYPE).send(await exposition(agent.metrics()));
  });
  server.get('/log', async ({ query }) => agent.log(runLogQuerySchema.parse(query)));
  server.get('/bootstrap', async () => agent.bootstrap());
  server.post('/run', async ({ body }) => {
    agent.run(runSchema.parse(body).startAt);
    return {};
  });
  server.get('/control', async () => agent.commands());
  server.get('/members', async () => agent.members());
  server.post('/control', async ({ body }) => agent.control(controlRequestSchema.parse(body)));
  server.post('/control/place', async ({ body }) => agent.place(placeRequestSchema.parse(body)));
  server.post('/control/signed', async ({ body }) => agent.signed(signedRequestSchema.parse(body)));
  server.post('/attach', async ({ body }) => {
    await agent.attach(localEndpointSchema.parse(body));
    return {};
  });
  server.post('/detach', async ({ body }) => {
    await agent.detach(detachSchema.parse(body).number);
    return {};
  });
  server.post('/problems', async ({ body }) => {
    agent.setProblems(problemsSchema.parse(body).problems);
    return {};
  });
  server.post('/peers', async ({ body }) => {
    agent.connect(peersSchema.parse(body).addresses);
    return {};
  });
  server.setErrorHandler((error, _, reply) => {
    const { status, facts } = answerTo(error);
    return reply.code(status).send(facts);
  });
  server.setNotFoundHandler(({ method, url }, reply) => {
    const { status, facts } = answerTo({ statusCode: 404, message: `there is no ${method} ${url}` });
    return reply.code(status).send(facts);
  });
  server.post('/stop', async () => {
    setImmediate(() => agent.stop());
    return {};
  });
  rmSync(socket, { force: true });
  await server.listen({ path: socket });
  // Needed because of commands and of the mesh's key.
  chmodSync(socket, 0o600);
  return server;
}
