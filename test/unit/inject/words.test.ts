/** Words for ssh and for shells, and what comes back. */
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { prepareScript, startScript, stopScript } from '../../../controller/inject/host-scripts.ts';
import { stateDifferences } from '../../../controller/inject/host-state.ts';
import { hostsLines } from '../../../controller/inject/hosts-file.ts';
import { parseStatus } from '../../../controller/inject/running.ts';
import { refusalOf, rootRefusalOf } from '../../../controller/inject/ssh/refusals.ts';
import { failureOf } from '../../../controller/inject/ssh/remote-failures.ts';
import {
  quoted,
  receiver,
  shellCommand,
  sshOptions,
  withPrelude,
} from '../../../controller/inject/ssh/words.ts';

const HOST = { name: 'h', address: '192.0.2.7', user: 'me', port: 2222, jump: 'gw' };

test.each(['plain', "it's", '', 'a b', '$HOME', '`id`', 'two\nlines', '*', "'", '--x=1'])(
  'a shell gives back %j',
  (word) => {
    expect(execFileSync('sh', ['-c', `printf %s ${quoted(word)}`]).toString()).toBe(word);
  },
);

test('a command keeps its words through two shells', () => {
  const line = shellCommand(['printf', '%s|', "it's", '$HOME', ''], false);
  expect(execFileSync('sh', ['-c', line]).toString()).toBe("it's|$HOME||");
});

test.each(['sh', 'bash'])('a script and its input come over one pipe (%s)', (shell) => {
  const script = withPrelude('read -r first; echo "got $first"; wc -c; fail HOST_SPACE "no room"\n');
  const { stdout, status } = spawnSync(shell, ['-c', receiver(Buffer.byteLength(script), false)], {
    input: `${script}ä line\nrest\n`,
  });
  expect(stdout.toString().replace(/ +/g, ' ')).toMatch(
    /^netfold-begin\ngot ä line\n ?5\nnetfold-fail HOST_SPACE no room\n$/,
  );
  expect(status).toBe(64);
});

test('of a script that is cut off nothing is executed', () => {
  const script = withPrelude('echo one\nrm -rf /nowhere/at/all\n');
  const body = script.indexOf('echo one');
  for (let length = body; length < script.length - 1; length++) {
    const { stdout } = spawnSync('sh', ['-c', receiver(script.length, false)], {
      input: script.slice(0, length),
    });
    expect(stdout.toString()).toBe('netfold-begin\n');
  }
});

test.each([
  [
    'prepare',
    prepareScript({
      experiment: 'wan',
      id: '0a',
      home: '/opt/netfold/x',
      extension: '.yaml',
      keyBytes: 1,
      eventsBytes: 0,
      names: ['10.0.0.1 a.0 a'],
    }),
  ],
  ['start', startScript('wan', ['agent', '--at', 'a=eth0'], "it's up")],
  ['stop', stopScript('wan', '0a')],
])('the script to %s is one that shells read', (_, script) => {
  expect(spawnSync('sh', ['-n'], { input: withPrelude(script) })).toMatchObject({ status: 0 });
});

test('names for the hosts file: of each endpoint, and of a service that is one', () => {
  const all = [
    { endpoint: 'a.0', address: '10.0.0.1' },
    { endpoint: 'b.0', address: '10.0.0.2' },
    { endpoint: 'b.1', address: '2001:db8::1' },
  ];
  expect(hostsLines(all)).toEqual(['10.0.0.1 a.0 a', '10.0.0.2 b.0', '2001:db8::1 b.1']);
});

test('options of ssh: nothing is asked, and the host is as the inventory has it', () => {
  const words = sshOptions(HOST, 'F').join(' ');
  expect(words).toContain('-F F -o BatchMode=yes -o ConnectTimeout=10');
  expect(words).toMatch(/-l me -p 2222 -J gw$/);
});

test.each([
  ['SSH_REFUSED', 'ssh: connect to host 192.0.2.7 port 22: Connection refused'],
  ['SSH_TIMEOUT', 'ssh: connect to host 192.0.2.7 port 22: Connection timed out'],
  ['SSH_TIMEOUT', 'Connection timed out during banner exchange'],
  ['SSH_UNREACHABLE', 'ssh: connect to host 192.0.2.7 port 22: No route to host'],
  ['SSH_NAME', 'ssh: Could not resolve hostname nowhere: Name or service not known'],
  ['SSH_DENIED', 'me@192.0.2.7: Permission denied (publickey,password).'],
  [
    'SSH_HOST_KEY',
    'No ED25519 host key is known for h and you have requested strict checking.\nHost key verification failed.',
  ],
  ['SSH_HOST_KEY', '@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.'],
  ['SSH_FAILED', 'something else'],
  ['SSH_FAILED', ''],
])('%s: %s', (code, said) => {
  const error = refusalOf(HOST, said);
  expect(error).toMatchObject({ code, blame: 'machine', message: expect.stringMatching(/^h: /) });
  if (code !== 'SSH_NAME') expect(error.remedy).toMatch(/ssh -p 2222 -J gw me@192\.0\.2\.7|ssh-copy-id/);
});

test('a changed host key is told from one that is not known', () => {
  expect(refusalOf(HOST, 'REMOTE HOST IDENTIFICATION HAS CHANGED!').message).toContain('another host key');
});

test('what sudo says is told', () => {
  expect(rootRefusalOf(HOST, 'sudo: a password is required')).toMatchObject({ code: 'HOST_NO_ROOT' });
  expect(rootRefusalOf(HOST, 'Connection reset')).toBeUndefined();
});

test('what a script reports is an error with a remedy', () => {
  expect(failureOf(HOST, 'HOST_SPACE', 'No space left on device')).toMatchObject({
    code: 'HOST_SPACE',
    message: 'h: there is no room for netfold: No space left on device',
    remedy: expect.stringContaining('df -h'),
  });
  expect(failureOf(HOST, 'INJECTION_RUNS', 'wan')).toMatchObject({ blame: 'input' });
});

describe('the state of a host', () => {
  const STATE =
    '== files\n/opt\n== tc\nqdisc noqueue 0: dev lo root\n== nftables\n== hosts file\n1 2 /etc/hosts\n';
  test('is as before', () => expect(stateDifferences(STATE, STATE)).toEqual([]));
  test('differs by what is new, gone, or there twice', () => {
    expect(stateDifferences(STATE, STATE.replace('== nftables', '== nftables\ntable inet x {'))).toEqual([
      'nftables: "table inet x {" is new',
    ]);
    expect(stateDifferences(STATE, STATE.replace('/opt\n', ''))).toEqual(['files: "/opt" is gone']);
    expect(stateDifferences(STATE, STATE.replace('1 2', '3 2'))).toEqual([
      'hosts file: "3 2 /etc/hosts" is new',
    ]);
    expect(stateDifferences(STATE, STATE.replace('/opt\n', '/opt\n/opt\n'))).toHaveLength(1);
  });
});

test('the status of an agent, of one that has ended, and of none', () => {
  const agent = {
    host: 'h',
    state: 'running',
    endpoints: ['a.0'],
    known: 2,
    expected: 3,
    degraded: ['d'],
    conflicts: [],
  };
  expect(parseStatus(JSON.stringify({ agents: [agent] }))).toEqual({
    ...{ state: 'running', endpoints: ['a.0'], known: 2, expected: 3, problems: ['d'] },
  });
  const gone = { host: 'h', state: 'unreachable', reason: 'ENOENT' };
  expect(parseStatus(JSON.stringify({ agents: [gone] }))).toMatchObject({
    state: 'unreachable',
    problems: ['ENOENT'],
  });
  expect(parseStatus('absent\n').state).toBe('absent');
  expect(parseStatus('ended it is over\n')).toMatchObject({ state: 'ended', problems: ['it is over'] });
  expect(parseStatus('{').state).toBe('unreachable');
});
