/** The words that give a command its service's variables, folder and user, run by the shells of this machine. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { HIDDEN_FOLDERS, privilegesOf } from '../../../agent/endpoints/least-power.ts';
import {
  type CommandSettings,
  settingsOf,
  withinBounds,
  withSettings,
} from '../../../agent/endpoints/service-settings.ts';
import { JOURNAL_FOLDER } from '../../../agent/linux/take-over/journal.ts';
import { MESSENGERS_FOLDER } from '../../../agent/messenger/places.ts';
import { IDENTITY_FOLDER } from '../../../controller/cli/commands/mesh.ts';
import { RUN_FOLDER } from '../../../controller/names.ts';
import { native } from '../topology/support.ts';

function run(settings: CommandSettings, data: string | undefined, command: readonly string[]) {
  const [program, ...args] = withSettings(settings, data, command);
  const { status, stdout, stderr } = spawnSync(program!, args, { encoding: 'utf8' });
  return { status, out: stdout.trim(), err: stderr };
}

test('without settings the command is as it was', () => {
  expect(withSettings({}, '/data', ['ls', '-l'])).toEqual(['ls', '-l']);
});

test('what the file says of a service, without its places', () => {
  const [service] = native(
    'services: { a: { env: { A: b }, cwd: x, user: 7 }, b: {} }\nlinks: [{ from: a, to: b }]',
  ).services;
  expect(settingsOf(service!)).toEqual({ env: { A: 'b' }, cwd: 'x', user: '7' });
});

test('variables reach the command as they are, whatever is in them', () => {
  const env = { A: ' $HOME "q" \' \\ \n=x', B: '', PATH: '/nowhere', HOSTNAME: 'h' };
  const script = 'printf "%s|%s|%s|%s" "$A" "$B" "$PATH" "$HOSTNAME"';
  const { status, out } = run({ env, cwd: '/' }, undefined, ['/bin/sh', '-c', script]);
  expect(out).toBe('$HOME "q" \' \\ \n=x||/nowhere|h');
  expect(status).toBe(0);
});

test('a command with an equals sign is no variable', () => {
  expect(run({ env: { A: 'x' } }, undefined, ['a=b', 'c'])).toMatchObject({ status: 127 });
});

test('a folder is absolute, or below that of the endpoint', () => {
  const data = realpathSync(mkdtempSync(join(tmpdir(), "netfold test's ")));
  try {
    expect(run({ cwd: '.' }, data, ['pwd', '-P']).out).toBe(data);
    expect(run({ cwd: '/' }, data, ['pwd', '-P']).out).toBe('/');
    const missing = run({ cwd: 'x' }, data, ['pwd']);
    expect(missing.status).toBe(126);
    expect(missing.err).toContain(`${data}/x`);
  } finally {
    rmSync(data, { recursive: true });
  }
});

test('what a command may do is bounded by one setpriv, also for another user', () => {
  const only = ['--inh-caps', '-all', '--bounding-set', '-all,+net_raw'];
  expect(privilegesOf({ capAdd: ['NET_RAW'], capDrop: ['ALL'] })).toEqual(only);
  expect(withSettings({}, undefined, ['ls'], only)).toEqual(['setpriv', ...only, 'ls']);
  expect(withSettings({ user: 'nobody' }, undefined, ['ls'], only).slice(4)).toEqual([
    'nobody',
    ...only,
    'ls',
  ]);
  expect(privilegesOf({ capAdd: ['ALL'] })).toEqual([]);
  const bound = privilegesOf({}).at(-1)!.split(',');
  expect(bound).toContain('+net_bind_service');
  for (const name of ['sys_admin', 'sys_ptrace', 'sys_module', 'net_admin', 'dac_read_search', 'mknod'])
    expect(bound).not.toContain(`+${name}`);
  expect(privilegesOf({ capAdd: ['NET_ADMIN'], capDrop: ['NET_RAW'] }).at(-1)).toMatch(
    /,\+net_admin,\+net_bind/,
  );
});

test('every folder of keys, sockets and journals is hidden', () => {
  expect(HIDDEN_FOLDERS).toContain(RUN_FOLDER);
  expect(HIDDEN_FOLDERS).toContain(JOURNAL_FOLDER);
  expect(HIDDEN_FOLDERS).toContain(dirname(MESSENGERS_FOLDER));
  expect(HIDDEN_FOLDERS.some((folder) => IDENTITY_FOLDER.startsWith(`${folder}/`))).toBe(true);
});

test('a user that is not there is said, and nothing runs', () => {
  expect(run({ user: 'no-such-user' }, undefined, ['echo', 'ran'])).toEqual({
    status: 126,
    out: '',
    err: 'netfold: this machine has no user no-such-user\n',
  });
});

function runBounded(settings: CommandSettings, group: string | undefined, command: readonly string[]) {
  const [program, ...args] = withinBounds(settings, group, command);
  const { status, stdout } = spawnSync(program!, args, { encoding: 'utf8' });
  return { status, out: stdout.trim() };
}

test('the bound of descriptors holds for the command, hard and soft, and its words reach it as they are', () => {
  const script = 'ulimit -Hn; ulimit -Sn; printf "%s|" "$@"';
  const { status, out } = runBounded({ descriptors: 123 }, undefined, [
    'sh',
    '-c',
    script,
    'sh',
    'a b',
    '',
    '$c',
  ]);
  expect(out).toBe('123\n123\na b||$c|');
  expect(status).toBe(0);
});

test('a process enters its group before anything else; without the group nothing runs', () => {
  const group = mkdtempSync(join(tmpdir(), "netfold group's "));
  try {
    writeFileSync(join(group, 'cgroup.procs'), '');
    expect(runBounded({}, group, ['echo', 'ran'])).toEqual({ status: 0, out: 'ran' });
    expect(readFileSync(join(group, 'cgroup.procs'), 'utf8')).toBe('0\n');
  } finally {
    rmSync(group, { recursive: true });
  }
  expect(runBounded({}, group, ['echo', 'ran'])).toMatchObject({ status: 126, out: '' });
});
