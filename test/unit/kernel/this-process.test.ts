import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');

test('a process whose thread is in a system call, for which Node would wait, ends nevertheless', () => {
  const thread = `
    const koffi = require('koffi');
    require('node:worker_threads').parentPort.postMessage('asleep');
    koffi.load('libc.so.6').func('unsigned int sleep(unsigned int seconds)')(60);`;
  const main = `
    import { Worker } from 'node:worker_threads';
    import { endWithin } from ${JSON.stringify(join(ROOT, 'agent/kernel/sys/this-process.ts'))};
    process.once('exit', () => endWithin(1));
    const worker = new Worker(${JSON.stringify(thread)}, { eval: true, execArgv: [] });
    worker.on('message', () => setTimeout(() => { throw new Error('the end'); }, 200));`;
  const { signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', main], {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: 50_000,
  });
  expect(stderr).toContain('the end');
  expect(signal).toBe('SIGALRM');
});
