/**
 * Makes schema.json of Kubernetes' own schema: the definitions that the kinds netfold writes need, without descriptions.
 *
 *   node test/support/kubernetes/reduce-schema.ts api/openapi-spec/swagger.json
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KINDS } from './kinds.ts';

type Json = Readonly<Record<string, unknown>>;
const KEPT = new Set(['$ref', 'type', 'format', 'properties', 'additionalProperties', 'required', 'items']);

function reduced(schema: Json): Json {
  return Object.fromEntries(
    Object.entries(schema).flatMap(([key, value]) => {
      if (!KEPT.has(key)) return [];
      if (key === 'properties')
        return [
          [
            key,
            Object.fromEntries(
              Object.entries(value as Json).map(([name, one]) => [name, reduced(one as Json)]),
            ),
          ],
        ];
      const isSchema = key === 'items' || key === 'additionalProperties';
      return [[key, isSchema ? reduced(value as Json) : value]];
    }),
  );
}

const { definitions } = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as {
  definitions: Record<string, Json>;
};
const made = new Map<string, Json>();
const waiting = Object.values(KINDS);
for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
  if (made.has(name)) continue;
  const schema = reduced(definitions[name]!);
  made.set(name, schema);
  for (const [, other] of JSON.stringify(schema).matchAll(/#\/definitions\/([^"]+)/g)) waiting.push(other!);
}
const sorted = [...made].sort(([a], [b]) => (a < b ? -1 : 1));
writeFileSync(join(import.meta.dirname, 'schema.json'), `${JSON.stringify(Object.fromEntries(sorted))}\n`);
