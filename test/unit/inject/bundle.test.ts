/** What is copied to hosts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { type Bundle, readBundle } from '../../../controller/inject/bundle.ts';
import { importsOf } from '../structure/import-rules.ts';

const ROOT = join(import.meta.dirname, '../../..');
let bundle: Bundle;
let files: ReadonlySet<string>;

beforeAll(() => {
  bundle = readBundle();
  files = new Set(bundle.files);
});

test('everything that its own code imports is in it, and each package', () => {
  const lacking = new Set<string>();
  for (const file of bundle.files) {
    if (file.startsWith('node_modules/') || !file.endsWith('.ts')) continue;
    for (const { specifier, target } of importsOf(file, readFileSync(join(ROOT, file), 'utf8'))) {
      const [first = '', second = ''] = specifier.split('/');
      const name = first.startsWith('@') ? `${first}/${second}` : first;
      const needed = target ?? `node_modules/${name}/package.json`;
      if (!specifier.startsWith('node:') && !files.has(needed)) lacking.add(`${file}: ${specifier}`);
    }
  }
  expect([...lacking]).toEqual([]);
});

test('Node and the programs for the kernel are in it; tests and tools are not', () => {
  expect([...files]).toEqual(
    expect.arrayContaining([
      'bin/netfold',
      'bpf/netfold.bpf.o',
      'controller/ui/built/dashboard.js',
      'node_modules/.bin/node',
      'node_modules/node/bin/node',
    ]),
  );
  expect(
    bundle.files.filter((file) => /^(test|bench|deploy|node_modules\/(typescript|vitest))\//.test(file)),
  ).toEqual([]);
  expect(bundle.hash).toMatch(/^[0-9a-f]{16}$/);
});
