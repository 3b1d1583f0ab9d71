import { expect, test } from 'vitest';
import { bill, npmComponents } from '../../../deploy/image/sbom.ts';

const LOCK = {
  packages: {
    '': { version: '1.0.0' },
    'node_modules/zod': { version: '4.0.0', integrity: 'sha512-AAEC' },
    'node_modules/@grpc/grpc-js': { version: '1.14.7' },
    'node_modules/a/node_modules/b': { version: '2.0.0' },
    'node_modules/vitest': { version: '3.0.0', dev: true },
    'node_modules/for-macs': { version: '1.0.0', optional: true },
  },
};

test('the bill of materials has what is in the image, by package URL, and no tools of the build', () => {
  const components = npmComponents(LOCK, (path) => !path.endsWith('for-macs'));
  const made = bill({ version: '0.1.0', epoch: 0, components }) as Record<string, unknown>;
  expect(made).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.5' });
  expect(made.metadata).toMatchObject({ timestamp: '1970-01-01T00:00:00.000Z' });
  expect(made.components).toEqual([
    {
      ...{ 'bom-ref': 'pkg:npm/%40grpc/grpc-js@1.14.7', purl: 'pkg:npm/%40grpc/grpc-js@1.14.7' },
      ...{ type: 'library', name: '@grpc/grpc-js', version: '1.14.7' },
    },
    {
      ...{ 'bom-ref': 'pkg:npm/b@2.0.0', purl: 'pkg:npm/b@2.0.0' },
      ...{ type: 'library', name: 'b', version: '2.0.0' },
    },
    {
      ...{ 'bom-ref': 'pkg:npm/zod@4.0.0', purl: 'pkg:npm/zod@4.0.0' },
      ...{ type: 'library', name: 'zod', version: '4.0.0' },
      hashes: [{ alg: 'SHA-512', content: '000102' }],
    },
  ]);
});
