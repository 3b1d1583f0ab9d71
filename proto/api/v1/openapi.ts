/** The OpenAPI document (version 3.1), made of the table of routes and its schemas. */
import { z } from 'zod';
import { terminalQuery } from './endpoints.ts';
import {
  API_ROOT,
  NO_BODY,
  OPENAPI_PATH,
  RECORD_FILE_PATH,
  RECORD_FILE_QUERY,
  ROUTES,
  type Route,
  SCHEMAS,
  STREAM_PATH,
  TERMINAL_PATH,
} from './routes.ts';

type Json = Record<string, unknown>;

const JSON_TYPE = 'application/json';

/** Each refusal that any route may have; those of its own are in its summary. */
const REFUSALS: Readonly<Record<string, string>> = {
  400: 'The request is malformed, or names or values in it are wrong.',
  401: 'There is no token, or a wrong one.',
  403: 'The Host or Origin is foreign, or the key may not give this command.',
  404: 'There is no such experiment, endpoint or command.',
  409: 'There is one of this name already.',
  413: 'The body is too large.',
  414: 'A part of the path is too long.',
  415: 'The body is not JSON.',
  429: 'Too many requests.',
  500: 'A fault of netfold.',
  503: "The machine can't, or no agent answers.",
};

export function openApiDocument(version: string): Json {
  const paths: Record<string, Json> = {};
  for (const [id, route] of Object.entries(ROUTES) as [string, Route][]) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(id, route) };
  }
  paths[STREAM_PATH] = { get: streamOperation() };
  paths[TERMINAL_PATH] = { get: terminalOperation() };
  paths[RECORD_FILE_PATH] = { get: fileOperation() };
  paths[OPENAPI_PATH] = {
    get: {
      operationId: 'getOpenApi',
      summary: 'This document.',
      responses: { 200: { description: 'It.' }, ...refusals() },
    },
  };
  return {
    openapi: '3.1.0',
    info: {
      title: 'netfold',
      version,
      description:
        'Starts, watches and changes experiments of a machine. Times are in the unit of their name.',
    },
    servers: [{ url: API_ROOT }],
    security: [{ bearer: [] }, { cookie: [] }],
    paths,
    components: {
      schemas: componentSchemas(),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        cookie: { type: 'apiKey', in: 'cookie', name: 'netfold_PORT' },
      },
    },
  };
}

function operation(id: string, { summary, params, query, body, answer, status }: Route): Json {
  const parameters = [...parametersOf(params, 'path'), ...parametersOf(query, 'query')];
  return {
    operationId: id,
    summary,
    ...(parameters.length > 0 && { parameters }),
    ...(body !== NO_BODY && {
      requestBody: { required: true, content: { [JSON_TYPE]: { schema: refTo(body) } } },
    }),
    responses: {
      [status]: { description: 'Done.', content: { [JSON_TYPE]: { schema: refTo(answer) } } },
      ...refusals(),
    },
  };
}

function streamOperation(): Json {
  const { experiment } = ROUTES.getExperiment.params.shape;
  return {
    operationId: 'stream',
    summary: 'A WebSocket: a snapshot, then what changed. Each message is a StreamMessage as JSON.',
    parameters: parametersOf(z.strictObject({ experiment }), 'path'),
    responses: { 101: { description: 'The stream begins.' }, ...refusals() },
  };
}

function terminalOperation(): Json {
  return {
    operationId: 'terminal',
    summary:
      'A WebSocket: a shell in the endpoint. Messages to it are a TerminalInput as JSON; from it, bytes of its output, at last a TerminalEnd as JSON.',
    parameters: [...parametersOf(ROUTES.getLogs.params, 'path'), ...parametersOf(terminalQuery, 'query')],
    responses: { 101: { description: 'The terminal is open.' }, ...refusals() },
  };
}

function fileOperation(): Json {
  const { experiment } = ROUTES.getRecord.params.shape;
  return {
    operationId: 'getRecordFile',
    summary: 'A file of the record; of the database, a copy that is whole at this instant.',
    parameters: [
      ...parametersOf(z.strictObject({ experiment }), 'path'),
      ...parametersOf(RECORD_FILE_QUERY, 'query'),
    ],
    responses: {
      200: { description: 'It.', content: { 'application/octet-stream': { schema: {} } } },
      ...refusals(),
    },
  };
}

function refusals(): Json {
  const schema = refTo(SCHEMAS.Error);
  return Object.fromEntries(
    Object.entries(REFUSALS).map(([status, description]) => [
      status,
      { description, content: { [JSON_TYPE]: { schema } } },
    ]),
  );
}

function parametersOf(of: z.ZodObject, where: 'path' | 'query'): Json[] {
  const { properties = {}, required = [] } = z.toJSONSchema(of, { io: 'input' }) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    ...(description !== undefined && { description }),
    schema,
  }));
}

const NAMES = new Map<z.ZodType, string>(Object.entries(SCHEMAS).map(([name, schema]) => [schema, name]));
const uri = (name: string): string => `#/components/schemas/${name}`;

function refTo(schema: z.ZodType): Json {
  const name = NAMES.get(schema);
  if (name === undefined) throw new Error('a schema of a route has no name in SCHEMAS');
  return { $ref: uri(name) };
}

function componentSchemas(): Record<string, Json> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(SCHEMAS)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { uri, io: 'input' }) as { schemas: Record<string, Json> };
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $id: _, $schema: __, id: ___, ...schema }]) => [name, schema]),
  );
}
