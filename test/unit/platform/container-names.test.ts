import { expect, test } from 'vitest';
import { withNames } from '../../../controller/platform/containers/container-names.ts';

const HOSTS = '127.0.0.1\tlocalhost\n10.0.0.2\tweb\n';
const ENDPOINTS = [
  { name: 'client.0', addresses: ['10.0.0.2', 'fd00::2'] },
  { name: 'client.1', addresses: ['10.0.0.3'] },
];
const BLOCK =
  '# netfold x: begin\n10.0.0.2\tclient.0 client\nfd00::2\tclient.0 client\n10.0.0.3\tclient.1 client\n# netfold x: end\n';

test('names stand in a block of their own, which is replaced and taken away', () => {
  const once = withNames(HOSTS, 'x', ENDPOINTS);
  expect(once).toBe(HOSTS + BLOCK);
  expect(withNames(once, 'x', ENDPOINTS)).toBe(once);
  expect(withNames(once, 'x', ENDPOINTS.slice(1))).toBe(
    `${HOSTS}# netfold x: begin\n10.0.0.3\tclient.1 client\n# netfold x: end\n`,
  );
  expect(withNames(once, 'x', [])).toBe(HOSTS);
});

test('what others have written stays, before the block and after it', () => {
  const both = withNames(withNames(HOSTS, 'x', ENDPOINTS), 'y', ENDPOINTS);
  const more = `${both}10.9.9.9\tmine\n`;
  expect(withNames(withNames(more, 'x', []), 'y', [])).toBe(`${HOSTS}10.9.9.9\tmine\n`);
});

test('a last line without its end, half a block, and an empty file', () => {
  expect(withNames('1.2.3.4 a', 'x', ENDPOINTS)).toBe(`1.2.3.4 a\n${BLOCK}`);
  expect(withNames('# netfold x: begin\n', 'x', ENDPOINTS)).toBe(`# netfold x: begin\n${BLOCK}`);
  expect(withNames('', 'x', ENDPOINTS)).toBe(BLOCK);
});
