import { expect, test } from 'vitest';
import { staleFiles } from '../../../../proto/build.ts';

test('the generated code is what the .proto files give', { timeout: 60_000 }, () => {
  expect(staleFiles()).toEqual([]);
});
