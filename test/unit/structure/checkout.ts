/** The sources of this checkout. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Files } from './import-rules.ts';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FOLDERS = ['topology', 'proto', 'bpf', 'agent', 'controller', 'sdk', 'deploy', 'bench', 'test'];
/** This folder's own files contain what they forbid. */
const EXEMPT = /^(proto\/generated|controller\/ui\/built|test\/unit\/structure)\//;

export function readCheckout(): Files {
  const files = new Map<string, string>();
  for (const folder of FOLDERS.filter((name) => existsSync(join(ROOT, name)))) {
    for (const entry of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })) {
      const file = `${folder}/${entry}`;
      if (/\.(tsx?|mjs|js)$/.test(file) && !EXEMPT.test(file))
        files.set(file, readFileSync(join(ROOT, file), 'utf8'));
    }
  }
  return files;
}
