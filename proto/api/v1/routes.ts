/**
 * The routes of the API, once for all: the server's validation, the OpenAPI document and the client's types follow from this
 * table. Paths are relative to `API_ROOT`.
 */
import { z } from 'zod';
import {
  commandIdSchema,
  commandRequestSchema,
  commandStateSchema,
  commandsSchema,
  eventsSchema,
  givenSchema,
  logQuery,
  runLogSchema,
} from './control.ts';
import {
  execSchema,
  executedSchema,
  logsQuery,
  logsSchema,
  terminalEndSchema,
  terminalInputSchema,
} from './endpoints.ts';
import { errorSchema, linkSchema } from './errors.ts';
import {
  experimentDetailSchema,
  experimentsSchema,
  removedSchema,
  startedSchema,
  startSchema,
} from './experiments.ts';
import {
  injectionAnswerSchema,
  injectionExecSchema,
  injectionLogsRequestSchema,
  injectionLogsSchema,
  injectionNetworkRequestSchema,
  injectionNetworkSchema,
  injectionParams,
  injectionRequestSchema,
} from './injections.ts';
import {
  explanationQuery,
  explanationSchema,
  pictureQuery,
  pictureSchema,
  trafficTableSchema,
} from './insight.ts';
import { experimentName, nodeName } from './names.ts';
import {
  endpointsSchema,
  flowsSchema,
  pathsQuery,
  pathsSchema,
  topologyQuery,
  topologySchema,
} from './network.ts';
import { recordFileQuery, recordSchema } from './record.ts';
import { checkedSchema, checkRequestSchema, startIdSchema, startStateSchema } from './starts.ts';
import { streamMessageSchema } from './stream.ts';
import { toolAnswerSchema, toolParams, toolRequestSchema } from './tools.ts';
import { experimentVerdictSchema } from './verdict.ts';

export const API_ROOT = '/api/v1';

const none = z.strictObject({});
const ofExperiment = z.strictObject({ experiment: experimentName });
const ofEndpoint = ofExperiment.extend({ endpoint: nodeName });
const ofStart = z.strictObject({ id: startIdSchema });
const ofCommand = ofExperiment.extend({ id: commandIdSchema });

type Shape = z.ZodObject;

export interface Route<
  Params extends Shape = Shape,
  Query extends Shape = Shape,
  Body extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With its parameters as OpenAPI writes them. */
  readonly path: string;
  readonly summary: string;
  readonly params: Params;
  readonly query: Query;
  /** `z.undefined()`: it has none. */
  readonly body: Body;
  readonly answer: Answer;
  /** 200 unless it makes something. */
  readonly status: 200 | 201 | 202;
}

export const NO_BODY = z.undefined();

function get<P extends Shape, Q extends Shape, A extends z.ZodType>(
  path: string,
  summary: string,
  params: P,
  query: Q,
  answer: A,
): Route<P, Q, typeof NO_BODY, A> {
  return { method: 'GET', path, summary, params, query, body: NO_BODY, answer, status: 200 };
}

function post<P extends Shape, B extends z.ZodType, A extends z.ZodType>(
  path: string,
  summary: string,
  params: P,
  body: B,
  answer: A,
  status: Route['status'] = 200,
): Route<P, typeof none, B, A> {
  return { method: 'POST', path, summary, params, query: none, body, answer, status };
}

const ONE = '/experiments/{experiment}';
const INSIDE = `${ONE}/endpoints/{endpoint}`;

export const ROUTES = {
  listExperiments: get('/experiments', 'The experiments of this machine.', none, none, experimentsSchema),
  startExperiment: post(
    '/experiments',
    'Starts an experiment in the local lab, in containers, or on hosts over SSH.',
    none,
    startSchema,
    startedSchema,
    201,
  ),
  checkTopology: post('/check', 'Checks a topology.', none, checkRequestSchema, checkedSchema),
  runTool: post(
    '/tools/{tool}',
    'Runs a command of netfold’s that reads and writes files, with files of the request.',
    toolParams,
    toolRequestSchema,
    toolAnswerSchema,
  ),
  beginStart: post(
    '/starts',
    'Starts an experiment as POST /experiments does, and answers at once.',
    none,
    startSchema,
    startStateSchema,
    202,
  ),
  getStart: get('/starts/{id}', 'How far a start is.', ofStart, none, startStateSchema),
  askHosts: post(
    '/injections/{action}',
    'Checks hosts over SSH, installs netfold there, asks for what was started there, and ends it.',
    injectionParams,
    injectionRequestSchema,
    injectionAnswerSchema,
  ),
  hostLogs: post(
    '/injections/logs',
    'What agents and applications on hosts over SSH have written.',
    none,
    injectionLogsRequestSchema,
    injectionLogsSchema,
  ),
  hostExec: post(
    '/injections/exec',
    'Runs a command on a host over SSH, or in an endpoint there, to its end.',
    none,
    injectionExecSchema,
    executedSchema,
  ),
  hostNetwork: post(
    '/injections/measure',
    'Measures the real network between hosts over SSH; installs nothing.',
    none,
    injectionNetworkRequestSchema,
    injectionNetworkSchema,
  ),
  getExperiment: get(
    ONE,
    'An experiment, with what its agents say.',
    ofExperiment,
    none,
    experimentDetailSchema,
  ),
  removeExperiment: {
    ...get(ONE, 'Ends an experiment, and removes everything of it.', ofExperiment, none, removedSchema),
    method: 'DELETE',
  },
  getTopology: get(
    `${ONE}/topology`,
    'The topology that is in force now.',
    ofExperiment,
    topologyQuery,
    topologySchema,
  ),
  getPaths: get(`${ONE}/paths`, 'Folded paths.', ofExperiment, pathsQuery, pathsSchema),
  getFlows: get(`${ONE}/flows`, 'Flows, their rates and shares.', ofExperiment, none, flowsSchema),
  getEndpoints: get(
    `${ONE}/endpoints`,
    'Endpoints, with their addresses.',
    ofExperiment,
    none,
    endpointsSchema,
  ),
  getLogs: get(
    `${INSIDE}/logs`,
    "What an endpoint's commands have written.",
    ofEndpoint,
    logsQuery,
    logsSchema,
  ),
  exec: post(
    `${INSIDE}/exec`,
    'Runs a command inside of an endpoint, to its end.',
    ofEndpoint,
    execSchema,
    executedSchema,
  ),
  getEvents: get(
    `${ONE}/events`,
    'The events of the file, past and coming.',
    ofExperiment,
    none,
    eventsSchema,
  ),
  getVerdict: get(
    `${ONE}/verdict`,
    'Whether the run is what its topology says.',
    ofExperiment,
    none,
    experimentVerdictSchema,
  ),
  getExplanation: get(
    `${ONE}/explanation`,
    'Why a path has its latency, its bandwidth and its share.',
    ofExperiment,
    explanationQuery,
    explanationSchema,
  ),
  getPicture: get(
    `${ONE}/picture`,
    'The topology that is in force now, drawn.',
    ofExperiment,
    pictureQuery,
    pictureSchema,
  ),
  getTraffic: get(
    `${ONE}/traffic`,
    "What netfold's own traffic has sent, and what has arrived.",
    ofExperiment,
    none,
    trafficTableSchema,
  ),
  getRecord: get(`${ONE}/record`, 'What is kept of the run so far.', ofExperiment, none, recordSchema),
  getLog: get(`${ONE}/log`, 'What has happened, as an agent saw it.', ofExperiment, logQuery, runLogSchema),
  listCommands: get(`${ONE}/commands`, 'All commands, in their order.', ofExperiment, none, commandsSchema),
  giveCommand: post(
    `${ONE}/commands`,
    'Gives a command to all agents.',
    ofExperiment,
    commandRequestSchema,
    givenSchema,
    202,
  ),
  getCommand: get(
    `${ONE}/commands/{id}`,
    'A command, and who has applied it.',
    ofCommand,
    none,
    commandStateSchema,
  ),
  makeLink: post('/links', 'A link for a browser, which can be opened once.', none, NO_BODY, linkSchema, 201),
} as const satisfies Record<string, Route>;

/** WebSockets, so no routes of the table. */
export const STREAM_PATH = `${ONE}/stream`;
export const TERMINAL_PATH = `${INSIDE}/terminal`;
/** The answer is the file itself, so no route of the table. */
export const RECORD_FILE_PATH = `${ONE}/record/file`;
export const RECORD_FILE_QUERY = recordFileQuery;
export const OPENAPI_PATH = '/openapi.json';

export type RouteId = keyof typeof ROUTES;
type Table = typeof ROUTES;
export type ParamsOf<Id extends RouteId> = z.infer<Table[Id]['params']>;
export type QueryOf<Id extends RouteId> = z.infer<Table[Id]['query']>;
export type BodyOf<Id extends RouteId> = z.infer<Table[Id]['body']>;
export type AnswerOf<Id extends RouteId> = z.infer<Table[Id]['answer']>;
/** As a client writes them: what has a default may be left out. */
export type QueryFor<Id extends RouteId> = z.input<Table[Id]['query']>;
export type BodyFor<Id extends RouteId> = z.input<Table[Id]['body']>;

/** Names of the schemas in the OpenAPI document. */
export const SCHEMAS = {
  Error: errorSchema,
  Experiments: experimentsSchema,
  ExperimentDetail: experimentDetailSchema,
  StartRequest: startSchema,
  Started: startedSchema,
  CheckRequest: checkRequestSchema,
  Checked: checkedSchema,
  ToolRequest: toolRequestSchema,
  ToolAnswer: toolAnswerSchema,
  StartState: startStateSchema,
  InjectionRequest: injectionRequestSchema,
  InjectionAnswer: injectionAnswerSchema,
  InjectionLogsRequest: injectionLogsRequestSchema,
  InjectionLogs: injectionLogsSchema,
  InjectionExecRequest: injectionExecSchema,
  InjectionNetworkRequest: injectionNetworkRequestSchema,
  InjectionNetwork: injectionNetworkSchema,
  Removed: removedSchema,
  Topology: topologySchema,
  Paths: pathsSchema,
  Flows: flowsSchema,
  Endpoints: endpointsSchema,
  Logs: logsSchema,
  ExecRequest: execSchema,
  Executed: executedSchema,
  Events: eventsSchema,
  Explanation: explanationSchema,
  Picture: pictureSchema,
  Traffic: trafficTableSchema,
  Record: recordSchema,
  RunLog: runLogSchema,
  Verdict: experimentVerdictSchema,
  Commands: commandsSchema,
  CommandRequest: commandRequestSchema,
  Given: givenSchema,
  CommandState: commandStateSchema,
  Link: linkSchema,
  StreamMessage: streamMessageSchema,
  TerminalInput: terminalInputSchema,
  TerminalEnd: terminalEndSchema,
} as const satisfies Record<string, z.ZodType>;
