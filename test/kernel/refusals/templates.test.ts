/** Templates on a full disk: a commit is there as a whole, or not at all, and what was there before stays. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { netfold } from '../../support/lab/cli.ts';
import { run } from '../../support/lab/lab.ts';

let root: string;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'netfold-full-'));
  for (const folder of ['lab', 'disk']) mkdirSync(join(root, folder));
  expect((await run('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', join(root, 'disk')])).code).toBe(0);
  process.env.NETFOLD_TEMPLATES = join(root, 'disk/store');
});
afterEach(async () => {
  delete process.env.NETFOLD_TEMPLATES;
  await run('umount', [join(root, 'disk')]);
  rmSync(root, { recursive: true, force: true });
});

it('a commit that has no room leaves what was there', async () => {
  const folder = join(root, 'lab');
  writeFileSync(join(folder, 'lab.yaml'), 'services: { a: {}, b: {} }\nlinks:\n  - { from: a, to: b }\n');
  expect((await netfold('template', 'init', 'study', 'lab.yaml', '--folder', folder)).code).toBe(0);
  expect((await netfold('template', 'commit', folder, '-m', 'small')).code).toBe(0);
  writeFileSync(join(folder, 'data'), Buffer.alloc(4 << 20, 1));
  const refused = await netfold('template', 'commit', folder, '-m', 'large');
  expect(refused.code).toBe(3);
  expect(refused.stderr).toMatch(/no room is left/);
  expect((await netfold('template', 'tree', 'study')).stdout).toMatch(/^\S+ {2}\S+ \S+ {2}small\n$/);
  expect((await netfold('check', 'study')).stdout).toContain('is valid: 2 services');
  // Nothing of it has stayed: the room is there again.
  writeFileSync(join(folder, 'data'), Buffer.alloc(1 << 20, 2));
  expect((await netfold('template', 'commit', folder, '-m', 'fits')).code).toBe(0);
});
