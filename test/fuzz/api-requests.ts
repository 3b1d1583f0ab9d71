/** Requests for the API, made from its OpenAPI document: values that its schemas allow, values that are nearly so, and hostile ones. */
import { API_ROOT } from '../../proto/api/v1/routes.ts';
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

export interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<Record<string, unknown>>;
}

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

export interface MadeRequest {
  readonly operation: Operation;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: string | undefined;
}

export interface MakerOptions {
  /** The name of the experiment that is there. */
  readonly experiment: string;
  /** Ids of operations that cost much: one in a hundred of their turns is theirs. */
  readonly rare?: ReadonlySet<string>;
}

/** Names that exist, so that some requests get far. */
const USUAL: Readonly<Record<string, readonly unknown[]>> = {
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
  hosts: [1, 2],
  command: [['true'], ['echo', 'a'], ['ip', '-j', 'address']],
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
const RARELY = 1 / 100;
const NO_HEADERS: Readonly<Record<string, string>> = {};

export class RequestMaker {
  readonly #schemas: Document['components']['schemas'];
  readonly #random: SeededRandom;
  readonly #experiment: string;
  readonly #rare: ReadonlySet<string>;
  readonly #operations: { readonly path: string; readonly method: string; readonly operation: Operation }[];

  constructor({ paths, components }: Document, seed: number, { experiment, rare = new Set() }: MakerOptions) {
    this.#schemas = components.schemas;
    this.#random = new SeededRandom(seed);
    this.#experiment = experiment;
    this.#rare = rare;
    this.#operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        path,
        method: method.toUpperCase(),
        operation,
      })),
    );
  }

  next(): MadeRequest {
    const { path, method, operation } = this.#operation();
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
    const url = API_ROOT + (isDelete && filled.endsWith(`/${this.#experiment}`) ? `${filled}x` : filled);
    return {
      operation,
      method: this.#chance(0.02) && !isDelete ? 'PUT' : method,
      url: query.length > 0 ? `${url}?${query.join('&')}` : url,
      headers: body ? { 'content-type': this.#chance(0.97) ? 'application/json' : 'text/plain' } : NO_HEADERS,
      payload: body && this.#text(JSON.stringify(this.#value(body, 'body'))),
    };
  }

  #operation(): { readonly path: string; readonly method: string; readonly operation: Operation } {
    const one = this.#pick(this.#operations);
    const isLeftOut = this.#rare.has(one.operation.operationId) && !this.#chance(RARELY);
    return isLeftOut ? this.#operation() : one;
  }

  /** Mostly what the schema allows. */
  #value(schema: Schema, name: string): unknown {
    if (this.#chance(0.1)) return this.#pick(HOSTILE);
    const usual = name === 'experiment' ? [this.#experiment] : USUAL[name];
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
