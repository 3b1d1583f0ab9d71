/**
 * Writes `topology/netfold.schema.json` from the zod schema. `--check`: writes nothing, and fails if the file is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { jsonSchemaText } from './author-schema.ts';

const target = new URL('../../netfold.schema.json', import.meta.url);

if (process.argv.includes('--check')) {
  if (currentText() !== jsonSchemaText()) {
    console.error(
      'topology/netfold.schema.json is stale: run npm run build:schema and commit what it writes',
    );
    process.exitCode = 1;
  }
} else {
  writeFileSync(target, jsonSchemaText());
}

function currentText(): string | undefined {
  try {
    return readFileSync(target, 'utf8');
  } catch {
    return undefined;
  }
}
