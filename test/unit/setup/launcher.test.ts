import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

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
