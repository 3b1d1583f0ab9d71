/** What netfold writes as root: its modes under any umask, and what somebody has prepared in its place. */
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeFolder } from '../../../agent/files/own-files.ts';
import { LogWriter } from '../../../agent/health/log-writer.ts';
import { experimentFolder } from '../../../controller/names.ts';
import { netfold } from '../../support/lab/cli.ts';
import { run, until } from '../../support/lab/lab.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';

const PROGRAM = join(import.meta.dirname, '../../../bin/netfold');
const NOBODY = 65534;
const NAME = `files${process.pid}`;
/** One with a user, settings and output, so that all kinds of files are there. */
const TOPOLOGY = `
services:
  a: { run: "umask; exec sleep 1000", env: { SECRET: x } }
  b: { user: nobody }
links: [{ from: a, to: b, latency: 1ms }]
`;

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  file = join(folder, 'lab.yaml');
  writeFileSync(file, TOPOLOGY);
});
afterAll(async () => {
  for (const umask of ['000', '077']) await netfold('down', `${NAME}-${umask}`);
  rmSync(folder, { recursive: true });
});

/** Mode, kind, owner and name of everything below the folder of an experiment that was started under this umask. */
async function upUnder(umask: string): Promise<{ files: string[]; said: string }> {
  const name = `${NAME}-${umask}`;
  const line = `umask ${umask}; exec ${PROGRAM} up ${file} --name ${name} --detach`;
  expectSuccess(await run('sh', ['-c', line]));
  let said = '';
  await until(async () => {
    said = (await netfold('logs', 'a', '--name', name)).stdout;
    return said !== '';
  }, 'the application has said its umask');
  const { out } = await run('find', [experimentFolder(name), '-printf', '%m %y %u %P\n']);
  expectSuccess(await netfold('down', name));
  return { files: out.trimEnd().split('\n').sort(), said };
}

it('has the same modes under every umask, and what holds secrets is for root alone', async () => {
  const [lax, strict] = (await Promise.all([upUnder('000'), upUnder('077')])) as [
    Awaited<ReturnType<typeof upUnder>>,
    Awaited<ReturnType<typeof upUnder>>,
  ];
  expect(lax.files).toEqual(strict.files);
  const isForOthers = (line: string): boolean => (Number.parseInt(line, 8) & 0o077) !== 0;
  // Only where the machine asks more than files and DNS for names, as with Avahi.
  const nameSwitch = '644 f root nsswitch.conf';
  expect(lax.files.filter((line) => isForOthers(line) && line !== nameSwitch)).toEqual([
    '644 f root agents/host0.json',
    '644 f root experiment.json',
    '644 f root hosts',
    '644 f root resolv.conf',
    '755 d nobody data/.out/b.0',
    '755 d nobody data/b.0',
    '755 d root ',
    '755 d root agents',
    '755 d root data',
    '755 d root data/.out',
    '755 d root data/.out/a.0',
    '755 d root data/a.0',
  ]);
  expect(lax.files).toContain('600 s root controller.sock');
  // Applications have what the user has set.
  expect([lax.said, strict.said]).toEqual(['0000\n', '0077\n']);
});

describe('what somebody has prepared in /run', () => {
  /** With an own and empty /run, in which `prepare` has worked. */
  const upAfter = (prepare: string) =>
    run('unshare', [
      '--mount',
      'sh',
      '-c',
      `mount -t tmpfs none /run && ${prepare}; ${PROGRAM} up ${file} --name ${NAME} --detach; code=$?; ls -A ${folder}/elsewhere; exit $code`,
    ]);
  beforeAll(() => {
    const elsewhere = join(folder, 'elsewhere');
    makeFolder(elsewhere, 0o755);
    chownSync(elsewhere, NOBODY, NOBODY);
    chmodSync(folder, 0o755);
  });

  it.each([
    ['a link', 'ln -s $PREPARED /run/netfold', 'is a symbolic link'],
    ["somebody else's folder", 'install -d -o nobody /run/netfold', `belongs to user ${NOBODY}`],
    [
      'a folder for everybody',
      'install -d -m 777 /run/netfold',
      'can be changed by other users \\(mode 0777\\)',
    ],
    ['a full disk', 'mount -t tmpfs -o size=64k,nr_inodes=8 none /run', 'has room for \\d+ (bytes|files)'],
  ])('%s is refused before anything is made', async (_, prepare, why) => {
    const { code, out, err } = await upAfter(prepare.replace('$PREPARED', join(folder, 'elsewhere')));
    expect({ code, out }).toEqual({ code: 3, out: '' });
    expect(err).toMatch(new RegExp(`^netfold: .*/run/netfold ${why}.*\n  → `));
    expect((await run('ip', ['link', 'show'])).out).not.toContain(NAME);
  });
});

it('the lines of a log that find no room on a full disk are written when there is some', async () => {
  const disk = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', disk]);
  try {
    writeFileSync(join(disk, 'others'), Buffer.alloc(32_768));
    const log = openSync(join(disk, 'log'), 'a');
    const lines = new LogWriter(log);
    const written = Array.from({ length: 60 }, (_, number) => `${number} ${'x'.repeat(1000)}\n`);
    for (const line of written) lines.write(line);
    expect(lines.isBehind).toBe(true);
    expect(() => lines.flush()).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
    rmSync(join(disk, 'others'));
    lines.flush();
    closeSync(log);
    expect(readFileSync(join(disk, 'log'), 'utf8')).toBe(written.join(''));
  } finally {
    await run('umount', [disk]);
    rmSync(disk, { recursive: true });
  }
});
