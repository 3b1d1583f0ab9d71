import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const LAUNCHER = fileURLToPath(new URL('../../../bin/netfold', import.meta.url));
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'netfold launcher '));
  mkdirSync(join(root, 'bin'));
  copyFileSync(LAUNCHER, join(root, 'bin', 'netfold'));
  chmodSync(join(root, 'bin', 'netfold'), 0o755);
});
afterEach(() => rmSync(root, { recursive: true }));

/** A Node that shows what it was given. */
function installFakeNode(): void {
  const folder = join(root, 'node_modules', '.bin');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'node'), '#!/bin/sh\nprintf "%s\\n" "$@"\nexit 6\n', { mode: 0o755 });
}

function launch(file: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(file, args, { cwd: '/', encoding: 'utf8' });
  return { status, stdout, stderr };
}

it("hands its arguments to the checkout's Node and gives its exit code", () => {
  installFakeNode();
  expect(launch(join(root, 'bin/netfold'), 'exec', 'a b', '', '--', '$x')).toEqual({
    status: 6,
    stdout: `--no-wasm-tier-up\n${root}/controller/cli/main.ts\nexec\na b\n\n--\n$x\n`,
    stderr: '',
  });
});

it('gives a server room for what it forgets', () => {
  installFakeNode();
  expect(launch(join(root, 'bin/netfold'), 'serve', '--json').stdout).toBe(
    `--no-wasm-tier-up\n--min-semi-space-size=16\n--max-semi-space-size=32\n${root}/controller/cli/main.ts\nserve\n--json\n`,
  );
});

it('finds its checkout through links to links', () => {
  installFakeNode();
  symlinkSync('bin/netfold', join(root, 'first'));
  symlinkSync(join(root, 'first'), join(root, 'second'));
  expect(launch(join(root, 'second')).stdout).toBe(`--no-wasm-tier-up\n${root}/controller/cli/main.ts\n`);
});

it('without npm packages says what to run', () => {
  const { status, stderr } = launch(join(root, 'bin/netfold'), 'up');
  expect(status).toBe(3);
  expect(stderr).toContain('run npm start or npm ci first');
});

describe('installed by npm', () => {
  beforeEach(() => {
    mkdirSync(join(root, 'dist'));
    writeFileSync(join(root, 'dist', 'package.json'), '{}');
  });
  const MAIN = 'dist/controller/cli/main.js';
  const fakeNode = (folder: string, version: string): void => {
    mkdirSync(folder, { recursive: true });
    const script = `#!/bin/sh\n[ "$1" = -p ] && echo ${version} && exit\nprintf "%s\\n" "$@"\n`;
    writeFileSync(join(folder, 'node'), script, { mode: 0o755 });
  };
  const withPath = (folder: string) =>
    spawnSync(join(root, 'bin/netfold'), ['ls'], {
      encoding: 'utf8',
      env: { PATH: `${folder}:/usr/bin:/bin` },
    });

  it('runs what was compiled', () => {
    installFakeNode();
    expect(launch(join(root, 'bin/netfold'), 'ls').stdout).toBe(`--no-wasm-tier-up\n${root}/${MAIN}\nls\n`);
  });

  it('finds the Node that npm has put beside it', () => {
    const inside = join(root, 'node_modules', 'netfold');
    mkdirSync(join(inside, 'bin'), { recursive: true });
    mkdirSync(join(inside, 'dist'));
    writeFileSync(join(inside, 'dist', 'package.json'), '{}');
    copyFileSync(LAUNCHER, join(inside, 'bin', 'netfold'));
    chmodSync(join(inside, 'bin', 'netfold'), 0o755);
    installFakeNode();
    expect(launch(join(inside, 'bin/netfold')).stdout).toBe(`--no-wasm-tier-up\n${inside}/${MAIN}\n`);
  });

  it("where npm has brought none, takes the machine's own, if it is new enough", () => {
    fakeNode(join(root, 'new'), '26');
    expect(withPath(join(root, 'new')).stdout).toBe(`--no-wasm-tier-up\n${root}/${MAIN}\nls\n`);
    fakeNode(join(root, 'old'), '20');
    const { status, stderr } = withPath(join(root, 'old'));
    expect([status, stderr]).toEqual([3, expect.stringContaining(`${join(root, 'old')}/node is Node 20`)]);
  });
});
