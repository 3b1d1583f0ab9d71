/** What is copied to hosts. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { type Bundle, readBundle } from '../../../controller/inject/bundle.ts';
import { COMPILED, compileForHosts, filesOf } from '../../../controller/inject/compiled.ts';
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

test('what Node has compiled of it is for root on a host, and nothing of it stays here', {
  timeout: 180_000,
}, async () => {
  const compiled = (await compileForHosts(ROOT))!;
  const entries = filesOf(ROOT, compiled.folder);
  compiled.remove();
  expect(entries.length).toBeGreaterThan(500);
  expect(new Set(entries.map((file) => dirname(file).replace(/.*-(\d+)$/, '$1')))).toEqual(new Set(['0']));
  expect(dirname(compiled.folder)).toBe(dirname(COMPILED));
  expect(existsSync(join(ROOT, compiled.folder))).toBe(false);
});
