/** `netfold template`, as a user has it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { netfold } from '../../support/lab/cli.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';

vi.setConfig({ testTimeout: 120_000 });

let root: string;
let folder: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'netfold-template-cli-'));
  folder = join(root, 'lab');
  mkdirSync(folder);
  process.env.NETFOLD_TEMPLATES = join(root, 'store');
});
afterAll(() => {
  delete process.env.NETFOLD_TEMPLATES;
  rmSync(root, { recursive: true, force: true });
});

const template = (...words: string[]) => netfold('template', ...words);
const lab = (latency: string): void =>
  writeFileSync(
    join(folder, 'lab.yaml'),
    `services: { a: {}, b: {} }\nlinks:\n  - { from: a, to: b, latency: ${latency} }\n`,
  );

it('keeps versions of a folder, and all commands read them', async () => {
  lab('1ms');
  expectSuccess(await template('init', 'study', 'lab.yaml', '--folder', folder));
  expect((await template('init', 'study', 'lab.yaml', '--folder', folder)).stderr).toContain('there is a');
  const first = JSON.parse((await template('commit', folder, '-m', 'first', '--json')).stdout);
  expect(first).toMatchObject({ template: 'study', parent: '', files: 2 });
  lab('7ms');
  const second = await template('commit', folder, '-m', 'slower');
  expect(second.stdout).toMatch(/^study@[0-9a-f]{10}: 2 files, of which \d changed or new\n$/);
  expect((await template('commit', folder)).stderr).toContain('nothing has changed since');

  const latency = async (of: string): Promise<number> =>
    JSON.parse((await netfold('paths', of, '--from', 'a', '--to', 'b', '--json')).stdout)[0].latencyMs;
  expect(await latency('study')).toBe(7);
  expect(await latency(`study@${first.id.slice(0, 10)}`)).toBe(1);
  expectSuccess(await template('tag', `study@${first.id}`, 'fast'));
  expect(await latency('study@fast')).toBe(1);
  expect(await netfold('check', 'study@nothing')).toMatchObject({ code: 1 });

  expect((await template('note', 'study@fast', 'as in the paper')).code).toBe(0);
  const shown = (await template('show', 'study@fast')).stdout;
  expect(shown).toMatch(
    /files:\n {2}lab.yaml {2}\d+B\n {2}template.yaml {2}\d+B\nnote of .*: as in the paper\n$/,
  );
  expect((await template('diff', 'study@fast', 'study')).stdout).toBe('~ lab.yaml\n');
  expect((await template('tree', 'study')).stdout.split('\n')).toHaveLength(3);
  expect(JSON.parse((await template('ls', '--json')).stdout)).toMatchObject([{ name: 'study', versions: 2 }]);

  expect((await template('delete', 'study@fast')).code).toBe(0);
  expect((await netfold('check', 'study@fast')).stderr).toContain('is deleted');
  expect((await template('expunge', 'study@fast')).stderr).toMatch(
    /something depends on it: [0-9a-f]{10} was made from [0-9a-f]{10}; [0-9a-f]{10} has the tag fast/,
  );
  expect((await template('expunge', 'study@fast', '--force')).stdout).toMatch(
    /^1 version removed, \d+B freed\n$/,
  );
  expect((await template('tree', 'study')).stdout).toContain('(made from one that was expunged)');

  expect((await template('checkout', 'study', join(root, 'again'))).code).toBe(0);
  expect(readFileSync(join(root, 'again/lab.yaml'), 'utf8')).toContain('latency: 7ms');
  writeFileSync(join(folder, 'lab.yaml'), 'services: {}\n');
  expect((await template('commit', folder)).stderr).toContain('there are no services');
  expect((await template('commit', join(root, 'store'))).stderr).toContain('there is no');
});

it('parameters are variables of the topology', async () => {
  const own = join(root, 'parameters');
  mkdirSync(own);
  const text =
    'vars: { delay: 5ms }\nservices: { a: {}, b: {} }\nlinks:\n  - { from: a, to: b, latency: "${delay}" }\n';
  writeFileSync(join(own, 'lab.yaml'), text);
  expect((await template('init', 'varied', 'lab.yaml', '--folder', own)).code).toBe(0);
  const parameters = (name: string): void =>
    writeFileSync(
      join(own, 'template.yaml'),
      `template: varied\ntopology: lab.yaml\nparameters: { ${name}: { default: 10ms, unit: time, to: 50ms } }\n`,
    );
  parameters('dealy');
  expect((await template('commit', own)).stderr).toContain('dealy');
  parameters('delay');
  expect((await template('commit', own)).code).toBe(0);
  const paths = (...more: string[]) =>
    netfold('paths', 'varied', '--from', 'a', '--to', 'b', '--json', ...more);
  expect(JSON.parse((await paths()).stdout)[0].latencyMs).toBe(10);
  expect(JSON.parse((await paths('--set', 'delay=20ms')).stdout)[0].latencyMs).toBe(20);
  expect((await paths('--set', 'delay=60ms')).stderr).toContain('is outside of … to 50ms');
});

it('two commits at once are both kept', async () => {
  const made = await Promise.all(
    [1, 2, 3].map(async (number) => {
      const own = join(root, `own-${number}`);
      mkdirSync(own);
      writeFileSync(join(own, 'template.yaml'), 'template: study\ntopology: lab.yaml\n');
      writeFileSync(
        join(own, 'lab.yaml'),
        `services: { a: {}, b: {} }\nlinks:\n  - { from: a, to: b, latency: ${10 + number}ms }\n`,
      );
      return template('commit', own, '-m', `own ${number}`);
    }),
  );
  expect(made.map(({ code }) => code)).toEqual([0, 0, 0]);
  const tree = JSON.parse((await template('tree', 'study', '--json')).stdout) as { message: string }[];
  for (const number of [1, 2, 3])
    expect(tree.filter(({ message }) => message === `own ${number}`)).toHaveLength(1);
});
