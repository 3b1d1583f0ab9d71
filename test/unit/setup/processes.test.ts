import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  capture,
  lastLines,
  withAdminFolders,
  withoutEchoes,
  withoutOwnPackages,
} from '../../../deploy/setup/processes.mjs';
import { formatSeconds, mayColour } from '../../../deploy/setup/report.mjs';

describe('PATH', () => {
  it('gets the folders of tc and ip, which su leaves out', () => {
    expect(withAdminFolders('/usr/bin:/bin')).toBe('/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin');
    expect(withAdminFolders('/sbin:/bin')).toBe('/sbin:/bin:/usr/local/sbin:/usr/sbin');
    expect(withAdminFolders(undefined)).toBe('/usr/local/sbin:/usr/sbin:/sbin');
  });
  it("loses the checkout's own Node for npm, and nothing else", () => {
    const path =
      '/src/netfold/node_modules/.bin:/src/node_modules/.bin:/src/netfold/node_modules_old:/usr/bin';
    expect(withoutOwnPackages(path, '/src/netfold')).toBe(
      '/src/node_modules/.bin:/src/netfold/node_modules_old:/usr/bin',
    );
  });
});

describe('running programs', () => {
  it('keeps what they print and how they end', async () => {
    expect(await capture('sh', ['-c', 'echo out; echo err >&2; exit 7'])).toMatchObject({
      code: 7,
      output: 'out\nerr\n',
    });
  });
  it('gives 128 and the signal for one that was killed, 127 for one that is not there', async () => {
    expect((await capture('sh', ['-c', 'kill -TERM $$'])).code).toBe(143);
    expect(await capture('/no/such/program', [])).toMatchObject({
      code: 127,
      output: expect.stringContaining('ENOENT'),
    });
  });
  it('shows the last lines that say something', () => {
    expect(lastLines('one\n\ntwo\n\nthree\n', 2)).toBe('    two\n    three');
  });
});

/** A program that runs `script` as `npm start` runs netfold. */
function startForeground(script: string) {
  const module = fileURLToPath(new URL('../../../deploy/setup/processes.mjs', import.meta.url));
  const code = `import { runForeground } from ${JSON.stringify(module)};
    process.exitCode = await runForeground('sh', ['-c', ${JSON.stringify(script)}]);`;
  return spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

describe('a program in the foreground', () => {
  it('gives its exit code', async () => {
    const child = startForeground('exit 9');
    expect(await new Promise((resolve) => child.on('exit', resolve))).toBe(9);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'gets %s, and is waited for while it cleans up',
    async (signal) => {
      const child = startForeground(
        `trap 'echo cleaning; sleep 0.1; echo clean; exit 5' ${signal.slice(3)}; echo ready; for i in $(seq 300); do sleep 0.01; done`,
      );
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk;
        if (chunk.includes('ready')) child.kill(signal);
      });
      expect(await new Promise((resolve) => child.on('close', resolve))).toBe(5);
      expect(output).toBe('ready\ncleaning\nclean\n');
    },
  );

  it('gets a signal that comes twice at once only once, and again a later one', () => {
    let now = 1000;
    const passed: string[] = [];
    const forward = withoutEchoes(
      (signal: string) => passed.push(`${signal} at ${now}`),
      () => now,
    );
    for (now of [1000, 1001, 1299, 1300, 2000]) forward('SIGINT');
    expect(passed).toEqual(['SIGINT at 1000', 'SIGINT at 1300', 'SIGINT at 2000']);
  });
});

describe('reports', () => {
  it('have colours only on terminals that want them', () => {
    expect(mayColour({ isTTY: true }, { TERM: 'xterm' })).toBe(true);
    expect(mayColour({ isTTY: true }, { NO_COLOR: '1' })).toBe(false);
    expect(mayColour({ isTTY: true }, { NO_COLOR: '' })).toBe(true);
    expect(mayColour({ isTTY: true }, { TERM: 'dumb' })).toBe(false);
    expect(mayColour({}, { TERM: 'xterm' })).toBe(false);
  });
  it('write times briefly', () => {
    expect(formatSeconds(440)).toBe('0.4 s');
    expect(formatSeconds(12_400)).toBe('12 s');
  });
});
