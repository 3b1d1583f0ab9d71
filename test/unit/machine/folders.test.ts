import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { removeFolder } from '../../../controller/machine/folders.ts';

const ROUNDS = 200;
const MODULE = pathToFileURL(join(import.meta.dirname, '../../../controller/machine/folders.ts')).href;
const FOLDERS = ['logs', 'identity/host0', 'identity/host1', 'data/a', 'data/b'];

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'netfold-test-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function fill(folder: string): void {
  for (const path of FOLDERS) {
    mkdirSync(join(folder, path), { recursive: true });
    for (const file of ['1', '2']) writeFileSync(join(folder, path, file), 'x');
  }
}

/** Removes the folders that it is told, each at its moment, and may write a file into it just before. */
const REMOVER = `
  const { writeFileSync } = require('node:fs');
  import(${JSON.stringify(MODULE)}).then(({ removeFolder }) => {
    process.on('message', ({ folder, at, file }) => {
      while (performance.timeOrigin + performance.now() < at);
      try { if (file) writeFileSync(file, ''); } catch {}
      let problem = null;
      try { removeFolder(folder); } catch (error) { problem = error.message; }
      process.send({ problem });
    });
    process.send('ready');
  });`;

function startRemover(): ChildProcess {
  return spawn(process.execPath, ['-e', REMOVER], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

it('removes a folder while another one does, and writes into it', async () => {
  const removers = [startRemover(), startRemover()];
  try {
    await Promise.all(removers.map((remover) => once(remover, 'message')));
    for (let round = 0; round < ROUNDS; round++) {
      const folder = join(root, `${round}`);
      fill(folder);
      const soon = performance.timeOrigin + performance.now() + 1;
      const answers = removers.map((remover, index) => {
        const answered = once(remover, 'message');
        const file = index === 1 ? join(folder, 'ending') : undefined;
        remover.send({ folder, at: soon + (round % 20) * 0.02 * index, file });
        return answered;
      });
      expect((await Promise.all(answers)).map(([told]) => told as unknown)).toEqual([
        { problem: null },
        { problem: null },
      ]);
      expect(existsSync(folder)).toBe(false);
    }
  } finally {
    for (const remover of removers) remover.kill();
  }
});

it('has nothing to do where there is no folder, and reports what it can not remove', () => {
  removeFolder(join(root, 'none'));
  expect(() => removeFolder('/proc/self/fd')).toThrow();
});
