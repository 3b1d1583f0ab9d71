/**
 * Checks manifests against Kubernetes' published schema, strictly: what it does not name is a breach. schema.json is a part of
 * api/openapi-spec/swagger.json of Kubernetes 1.20, made by reduce-schema.ts.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KINDS } from './kinds.ts';

export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly required?: readonly string[];
  readonly items?: Schema;
}

const DEFINITIONS = JSON.parse(readFileSync(join(import.meta.dirname, 'schema.json'), 'utf8')) as Record<
  string,
  Schema
>;
/** One sentence for each breach, with its place. */
export function schemaBreaches(manifest: object): string[] {
  const { apiVersion, kind } = manifest as { apiVersion?: string; kind?: string };
  const definition = KINDS[`${apiVersion} ${kind}`];
  if (definition === undefined) return [`${apiVersion} ${kind}: is not known`];
  return breaches(manifest, DEFINITIONS[definition]!, []);
}

function breaches(value: unknown, schema: Schema, path: readonly string[]): string[] {
  const at = path.join('.');
  if (schema.$ref !== undefined)
    return breaches(value, DEFINITIONS[schema.$ref.slice('#/definitions/'.length)]!, path);
  if (schema.items) {
    if (!Array.isArray(value)) return [`${at}: is no list`];
    return value.flatMap((one, index) => breaches(one, schema.items!, [...path, `${index}`]));
  }
  const { type, properties, additionalProperties, required = [] } = schema;
  if (type === 'string') {
    // A quantity, or a port by number or name, may be a number as well.
    const isText =
      typeof value === 'string' || (schema.format === 'int-or-string' && Number.isInteger(value));
    return isText ? [] : [`${at}: is no string`];
  }
  if (type === 'integer') return Number.isInteger(value) ? [] : [`${at}: is no integer`];
  if (type === 'number') return typeof value === 'number' ? [] : [`${at}: is no number`];
  if (type === 'boolean') return typeof value === 'boolean' ? [] : [`${at}: is no boolean`];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${at}: is no object`];
  const missing = required.filter((name) => !Object.hasOwn(value, name));
  return [
    ...missing.map((name) => `${[...path, name].join('.')}: is missing`),
    ...Object.entries(value).flatMap(([name, one]) => {
      const its = (properties && Object.hasOwn(properties, name) && properties[name]) || additionalProperties;
      const inside = [...path, name];
      return its ? breaches(one, its, inside) : [`${inside.join('.')}: is not known`];
    }),
  ];
}
