import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { commandExitCode } from '../../../controller/errors.ts';
import { atFolder, isNoRoom, withCode } from '../../../controller/system-errors.ts';

const systemError = (code: string, more: Partial<NodeJS.ErrnoException> = {}): NodeJS.ErrnoException =>
  Object.assign(new Error(`${code}: something`), { code, ...more });

describe('a file system without room', () => {
  it.each(['ENOSPC', 'EDQUOT', 'EROFS'])('%s names the file and the remedy, and is not our bug', (code) => {
    const known = withCode(systemError(code, { path: `${tmpdir()}/not/there/x`, syscall: 'open' }));
    expect(known).toMatchObject({ code: 'NO_ROOM', blame: 'machine' });
    expect((known as Error).message).toContain(`${tmpdir()}/not/there/x`);
    expect((known as { remedy: string }).remedy).toMatch(new RegExp(`(df|findmnt -T) ${tmpdir()}[;,]`));
    expect(commandExitCode(known)).toBe(3);
  });
  it('is named where the system does not say which file', () => {
    const error = systemError('ENOSPC', { syscall: 'write' });
    expect((withCode(atFolder(error, '/run/netfold/x')) as Error).message).toContain('/run/netfold/x');
    const named = systemError('ENOSPC', { syscall: 'open', path: '/var/log/netfold/y' });
    expect((withCode(atFolder(named, '/run/netfold/x')) as Error).message).toContain('/var/log/netfold/y');
  });
});

it('a missing program is named with its package', () => {
  const { error } = spawnSync('ip', [], { env: { PATH: '/nowhere' } });
  const known = withCode(systemError('ENOENT', { syscall: 'spawn ip', path: 'ip' }));
  expect(known).toMatchObject({ code: 'PROGRAM_MISSING', remedy: 'apt-get install -y iproute2' });
  expect(commandExitCode(known)).toBe(3);
  expect((error as NodeJS.ErrnoException).syscall).toMatch(/^spawn/);
  expect(isNoRoom(error)).toBe(false);
});

it('a folder of an experiment that is a mount point is named, with the remedy', () => {
  const busy = systemError('EBUSY', { syscall: 'rmdir', path: '/run/netfold/lab' });
  expect(withCode(busy)).toMatchObject({
    code: 'FOLDER_BUSY',
    blame: 'machine',
    remedy: expect.stringContaining('umount /run/netfold/lab'),
  });
  const elsewhere = systemError('EBUSY', { syscall: 'rmdir', path: '/mnt' });
  expect(withCode(elsewhere)).toBe(elsewhere);
});

it('everything else stays as it is', () => {
  for (const error of [new Error('x'), 'text', undefined, systemError('ENOENT', { syscall: 'open' })]) {
    expect(withCode(error)).toBe(error);
    expect(isNoRoom(error)).toBe(false);
  }
});

it("an experiment's files that this user may not use are no bug", () => {
  const denied = Object.assign(new Error('EACCES'), {
    code: 'EACCES',
    path: '/run/netfold/lab/ending',
    syscall: 'open',
  });
  expect(withCode(denied)).toMatchObject({
    code: 'NOT_PERMITTED',
    blame: 'machine',
    remedy: expect.stringMatching(/sudo/),
  });
  expect(isNoRoom(denied)).toBe(false);
  const elsewhere = Object.assign(denied, { path: '/etc/shadow' });
  expect(withCode(elsewhere)).toBe(elsewhere);
});
