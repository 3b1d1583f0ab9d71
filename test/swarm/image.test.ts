/** netfold's image: built by this machine alone and by the Dockerfile, with nothing in it that need not be. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { netfoldVersion } from '../../controller/machine/version.ts';
import { buildImage } from '../../deploy/image/build.ts';
import { TestEngine } from '../support/docker/engine.ts';
import { run } from '../support/lab/lab.ts';

const LOADED = 'netfold-loaded:test';
const BUILT = 'netfold-built:test';
const EPOCH = 1_700_000_000;

let engine: TestEngine;
let folder: string;
let made: { image: string; sbom: string };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  made = await buildImage({ out: join(folder, 'image'), tag: LOADED, epoch: EPOCH });
  engine = await TestEngine.start();
}, 600_000);

afterAll(async () => {
  await engine?.remove();
  rmSync(folder, { recursive: true, force: true });
}, 120_000);

/** With less than an agent may have. */
const start = (...words: readonly string[]) =>
  run(
    'docker',
    ['run', '--rm', '--read-only', '--cap-drop', 'ALL', '--network', 'none', ...words],
    engine.env,
  );

it.each<[how: string, image: string, words: () => string[]]>([
  ['loaded', LOADED, () => ['load', '--input', made.image]],
  [
    'built by the Dockerfile, with no network',
    BUILT,
    () => ['build', '--network', 'none', '--tag', BUILT, join(folder, 'image')],
  ],
])('%s, it starts with a read-only root and no capability, and has no shell', async (_, image, words) => {
  engine.docker(...words());
  const { out, code } = await start(image, '--version');
  expect({ out: out.trim(), code }).toEqual({ out: netfoldVersion(), code: 0 });
  const shell = await start('--entrypoint', '/bin/sh', image, '-c', 'true');
  expect(shell.code).toBe(127);
  expect(engine.docker('inspect', '--format', '{{json .Config.Entrypoint}}', image)).toBe(
    '["/usr/bin/netfold"]',
  );
});

it('has no program but Node and netfold, and says what it is made of', () => {
  const layer = join(folder, 'image/rootfs.tar');
  const tar = (...words: string[]) =>
    execFileSync('tar', [...words], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  const files = tar('--list', '--verbose', '--file', layer)
    .split('\n')
    .map((line) => /^(\S+) .* \d\d:\d\d (.+)$/.exec(line) ?? [])
    .map(([, mode = '', path = '']) => ({ mode, path: path.replace(/^\.\//, '') }));
  const programs = files.filter(({ mode, path }) => /^-..x/.test(mode) && !/\.(so[.\d]*|node)$/.test(path));
  expect(programs.map(({ path }) => path).sort()).toEqual([
    'opt/netfold/node_modules/node/bin/node',
    'usr/bin/netfold',
  ]);
  // As whoever it is.
  expect(files.filter(({ mode }) => /s/.test(mode))).toEqual([]);

  const bill = JSON.parse(readFileSync(made.sbom, 'utf8')) as { components: { purl: string }[] };
  const inside = tar('--extract', '--to-stdout', '--file', layer, './usr/share/sbom/netfold.cdx.json');
  expect(JSON.parse(inside)).toEqual(bill);
  const purls = bill.components.map(({ purl }) => purl);
  const packages = files
    .map(({ path }) => /^opt\/netfold\/node_modules\/((?:@[^/]+\/)?[^/@]+)\/package\.json$/.exec(path)?.[1])
    .filter((name) => name !== undefined);
  expect(packages.length).toBeGreaterThan(20);
  const named = packages.map((name) => `pkg:npm/${name.replace('@', '%40')}@`);
  expect(named.filter((start) => !purls.some((purl) => purl.startsWith(start)))).toEqual([]);
  expect(purls.some((purl) => purl.startsWith('pkg:deb/debian/libc6@'))).toBe(true);
});

it('is the same, byte for byte, when it is built again', async () => {
  const sum = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');
  const again = await buildImage({ out: join(folder, 'again'), tag: LOADED, epoch: EPOCH });
  expect(sum(again.image)).toBe(sum(made.image));
}, 600_000);
