/**
 * Requests for the API, made from its OpenAPI document: of each operation, values that its schemas allow, values that are nearly so,
 * and hostile ones. Every answer has a status that the document names and the shape that goes with it, in time.
 */
import type { FastifyInstance } from 'fastify';
import { errorSchema } from '../../proto/api/v1/errors.ts';
import { API_ROOT, ROUTES, type Route } from '../../proto/api/v1/routes.ts';
import { megabytes, micros, toMillis } from '../../proto/units.ts';
import { SeededRandom } from '../../topology/model/random.ts';

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
}

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<Record<string, unknown>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

export interface ApiFault {
  readonly request: number;
  readonly what: string;
  readonly problem: string;
}

export interface ApiFuzzReport {
  readonly faults: readonly ApiFault[];
  /** Status → how many answers had it. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  readonly peakMegabytes: number;
}

/** Names that exist, so that some requests get far. */
const USUAL: Readonly<Record<string, readonly string[]>> = {
  experiment: ['fake'],
  endpoint: ['client.0', 'server', 'server.0'],
  from: ['client', 'client.1', 'server.0', '0'],
  to: ['client.0', 'server'],
  host: ['host0', 'host1'],
  at: ['+1s', '10m', '2h'],
  for: ['1s'],
  text: [
    'set s1--server latency=9ms',
    'heal',
    'reset',
    'crash client.0',
    'flap s1--server every 1s',
    'run a "b"',
  ],
  topology: ['services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, latency: 1ms }]\n'],
  waitMs: ['0'],
  timeout: ['1s'],
};
const HOSTILE: readonly unknown[] = [
  ...[
    '',
    ' ',
    '..',
    '../../etc/passwd',
    '/etc/shadow',
    '%2e%2e',
    '\0',
    '\ud800',
    '<script>alert(1)</script>',
    "'; --",
  ],
  ...[
    '$(id)',
    '`id`',
    '--name',
    '-1',
    '1e999',
    'NaN',
    '0x10',
    '__proto__',
    'constructor',
    'é'.repeat(300),
    '🦊',
    '*',
  ],
  ...[
    '9'.repeat(400),
    'a'.repeat(5000),
    'services: &a [*a]',
    '[[[[[[[[',
    '{{{{{{{{',
    '<!DOCTYPE a [<!ENTITY b "c">]><a/>',
  ],
  ...[null, true, 0, -1, 1e308, 2 ** 53, [], {}, [[[[]]]], { __proto__: null }, { toString: 1 }],
];
/** Of processor time: a busy machine lets everything wait. */
const MAX_MS = 1000;
const MAX_FAULTS = 10;

export async function fuzzApi(
  server: FastifyInstance,
  headers: Readonly<Record<string, string>>,
  { seed, requests }: { readonly seed: number; readonly requests: number },
): Promise<ApiFuzzReport> {
  const document: Document = (await server.inject({ url: `${API_ROOT}/openapi.json`, headers })).json();
  const maker = new RequestMaker(document, new SeededRandom(seed));
  const faults: ApiFault[] = [];
  const statuses: Record<string, number> = {};
  let slowestMs = 0;
  let peak = 0;
  for (let request = 0; request < requests && faults.length < MAX_FAULTS; request++) {
    const { operation, ...sent } = maker.next();
    const start = process.cpuUsage();
    const answer = await server.inject({ ...sent, headers: { ...headers, ...sent.headers } } as never);
    const { user, system } = process.cpuUsage(start);
    const ms = toMillis(micros(user + system));
    slowestMs = Math.max(slowestMs, ms);
    if (request % 1000 === 0) peak = Math.max(peak, process.memoryUsage.rss());
    statuses[answer.statusCode] = (statuses[answer.statusCode] ?? 0) + 1;
    const problem =
      ms > MAX_MS ? `it took ${ms.toFixed(0)} ms` : problemOf(operation, answer.statusCode, answer.body);
    if (problem !== undefined)
      faults.push({
        request,
        what: `${sent.method} ${sent.url} ${JSON.stringify(sent.payload)}`.slice(0, 500),
        problem,
      });
  }
  return { faults, statuses, slowestMs, peakMegabytes: megabytes(peak) };
}

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

class RequestMaker {
  readonly #schemas: Document['components']['schemas'];
  readonly #random: SeededRandom;
  readonly #operations: { readonly path: string; readonly method: string; readonly operation: Operation }[];

  constructor({ paths, components }: Document, random: SeededRandom) {
    this.#schemas = components.schemas;
    this.#random = random;
    this.#operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        path,
        method: method.toUpperCase(),
        operation,
      })),
    );
  }

  next() {
    const { path, method, operation } = this.#pick(this.#operations);
    const parameters = operation.parameters ?? [];
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
      const { schema } = parameters.find((one) => one.name === name)!;
      return escaped(this.#value(schema, name));
    });
    const query = parameters
      .filter((one) => one.in === 'query' && this.#chance(0.5))
      .map(({ name, schema }) => `${name}=${escaped(this.#value(schema, name))}`);
    const body = operation.requestBody?.content['application/json']?.schema;
    // Whoever deletes the only experiment tests nothing afterwards.
    const isDelete = method === 'DELETE';
    const url = API_ROOT + (isDelete ? filled.replace(/fake$/, 'other') : filled);
    return {
      operation,
      method: this.#chance(0.02) && !isDelete ? 'PUT' : method,
      url: query.length > 0 ? `${url}?${query.join('&')}` : url,
      headers: body ? { 'content-type': this.#chance(0.97) ? 'application/json' : 'text/plain' } : {},
      payload: body && this.#text(JSON.stringify(this.#value(body, 'body'))),
    };
  }

  /** Mostly what the schema allows. */
  #value(schema: Schema, name: string): unknown {
    if (this.#chance(0.1)) return this.#pick(HOSTILE);
    const usual = USUAL[name];
    if (usual && this.#chance(0.8)) return this.#pick(usual);
    if (schema.$ref) return this.#value(this.#schemas[schema.$ref.split('/').at(-1)!]!, name);
    if (schema.enum) return this.#pick(schema.enum);
    if (schema.properties) return this.#object(schema, schema.properties);
    if (schema.type === 'array')
      return Array.from({ length: Math.floor(this.#random.next() * 4) }, () =>
        this.#value(schema.items ?? {}, ''),
      );
    if (schema.type === 'integer' || schema.type === 'number')
      return Math.floor(this.#random.next() * 2000) - 5;
    if (schema.type === 'boolean') return this.#chance(0.5);
    return Array.from({ length: Math.floor(this.#random.next() * 12) }, () =>
      this.#pick('abc.-_~019 '.split('')),
    ).join('');
  }

  #object({ required = [] }: Schema, properties: Readonly<Record<string, Schema>>): object {
    const kept = Object.entries(properties).filter(([name]) =>
      this.#chance(required.includes(name) ? 0.97 : 0.3),
    );
    const object = Object.fromEntries(kept.map(([name, schema]) => [name, this.#value(schema, name)]));
    return this.#chance(0.03) ? { ...object, [JSON.stringify(this.#pick(HOSTILE))]: 1 } : object;
  }

  /** Mostly whole JSON. */
  #text(json: string): string {
    if (this.#chance(0.95)) return json;
    return json.slice(0, Math.floor(this.#random.next() * json.length));
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#random.next() * items.length)]!;
  }

  #chance(of: number): boolean {
    return this.#random.next() < of;
  }
}

/** Lone surrogates have no bytes in UTF-8. */
function escaped(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return encodeURIComponent(text.toWellFormed());
}
