import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { isInForeground } from '../../../controller/cli/terminal/attended.ts';

// Each test waits for two processes to start.
vi.setConfig({ testTimeout: 60_000 });

const MODULE = new URL('../../../controller/cli/terminal/attended.ts', import.meta.url).href;

/** A process that attends `sh -c script`, as `netfold exec` does; it has said something when this resolves. */
async function attending(script: string): Promise<ChildProcess> {
  const code = `
    import { spawn } from 'node:child_process';
    import { attended } from '${MODULE}';
    process.exitCode = await attended(() =>
      spawn('sh', ['-c', ${JSON.stringify(script)}], { stdio: 'inherit' }));`;
  // A session of its own has no terminal.
  const outer = spawn(process.execPath, ['--input-type=module', '-e', code], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(outer.stdout!, 'data');
  return outer;
}

const exitOf = async (child: ChildProcess): Promise<unknown> => (await once(child, 'exit'))[0];

describe('a command in the foreground', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGQUIT', 131],
    ['SIGUSR1', 138],
  ] as const)('is ended by %s, which its exit code says', async (signal, code) => {
    const outer = await attending('echo ready; exec sleep 60');
    outer.kill(signal);
    expect(await exitOf(outer)).toBe(code);
  });
  it('decides itself what a signal means', async () => {
    const outer = await attending('trap "kill $!; exit 7" HUP; sleep 60 & echo ready; wait');
    outer.kill('SIGHUP');
    expect(await exitOf(outer)).toBe(7);
  });
});

it('a terminal’s keys reach the processes in its foreground only', () => {
  const stat = (group: number, foreground: number): string =>
    `77 (a ) b) S 1 ${group} 12 34816 ${foreground} 4194304`;
  expect(isInForeground(stat(77, 77))).toBe(true);
  expect(isInForeground(stat(77, 80))).toBe(false);
  expect(isInForeground(stat(77, -1))).toBe(false);
});
