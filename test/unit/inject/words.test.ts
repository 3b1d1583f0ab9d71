/** Words for ssh and for shells, and what comes back. */
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import {
  hostsScript,
  NAMES_SCRIPT,
  prepareScript,
  startScript,
  stopScript,
} from '../../../controller/inject/host-scripts.ts';
import { stateDifferences } from '../../../controller/inject/host-state.ts';
import { hostsLines } from '../../../controller/inject/hosts-file.ts';
import { parseEnded, parseStatus } from '../../../controller/inject/running.ts';
import { refusalOf, rootRefusalOf } from '../../../controller/inject/ssh/refusals.ts';
import { failureOf } from '../../../controller/inject/ssh/remote-failures.ts';
import {
  quoted,
  receiver,
  shellCommand,
  sshOptions,
  withPrelude,
} from '../../../controller/inject/ssh/words.ts';
import { inventoryText, parseHost } from '../../../controller/inject/standing.ts';
import { waysScript } from '../../../controller/inject/ways.ts';
import { readInventory } from '../../../controller/inventory/read.ts';

const at = (address: string) => ({ ifname: 'eth0', address, carriesSsh: false });
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
      hostsBytes: 0,
      host: 'h',
      names: ['10.0.0.1 a.0 a'],
    }),
  ],
  ['start', startScript('wan', ['agent', '--at', 'a=eth0'], "it's up")],
  ['stop', stopScript('wan', '0a')],
  ['find injections', NAMES_SCRIPT],
  ['ask for hosts', hostsScript('wan')],
  [
    'try other hosts',
    waysScript({ name: 'h', shaped: [at('192.0.2.7')] }, [
      { name: 'o', shaped: [at('192.0.2.8'), at('2001:db8::8')] },
    ]),
  ],
])('the script to %s is one that shells read', (_, script) => {
  expect(spawnSync('sh', ['-n'], { input: withPrelude(script) })).toMatchObject({ status: 0 });
});

test('a host that has ended says where its part of the record is', () => {
  expect(parseEnded('absent\n')).toEqual({ result: 'nothing runs there', record: undefined });
  expect(parseEnded('stopped \n')).toEqual({ result: 'stopped', record: undefined });
  const record = '/var/lib/netfold/records/wan@2026-01-01T00-00-00.000Z';
  expect(parseEnded(`stopped ${record}\n`)).toEqual({ result: 'stopped', record });
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

test.each([
  [
    'SSH_REFUSED',
    'ssh: connect to host gw port 22: Connection refused\nConnection closed by UNKNOWN port 65535',
    'h: its jump host me@gw:2022: it refuses the connection',
    'ssh ssh://me@gw:2022',
  ],
  [
    'SSH_DENIED',
    'me@gw: Permission denied (publickey).\r\nConnection closed by UNKNOWN port 65535',
    'h: its jump host me@gw:2022: it accepts none of your keys',
    'ssh ssh://me@gw:2022',
  ],
  [
    'SSH_REFUSED',
    'channel 0: open failed: connect failed: Connection refused\nstdio forwarding failed\nConnection closed by UNKNOWN port 65535',
    'h: it refuses the connection',
    'ssh -p 2222 -J me@gw:2022 me@192.0.2.7',
  ],
  [
    'SSH_UNREACHABLE',
    'channel 0: open failed: administratively prohibited: open failed\nstdio forwarding failed\nConnection closed by UNKNOWN port 65535',
    'h: its jump host lets no connections through',
    'AllowTcpForwarding',
  ],
])('a jump host that refuses is told from the host behind it: %s', (code, said, message, remedy) => {
  const error = refusalOf({ ...HOST, jump: 'me@gw:2022' }, said);
  expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
  expect(error.remedy).toContain(remedy);
});

test('of several jump hosts, the last is reached by those before it; one of the own configuration is said to be', () => {
  const said =
    'kex_exchange_identification: Connection closed by remote host\nConnection closed by UNKNOWN port 65535';
  expect(refusalOf({ ...HOST, jump: 'a,b' }, said).remedy).toBe('this has to work: ssh -J a b');
  const { jump: _, ...direct } = HOST;
  expect(refusalOf(direct, said).message).toContain('h: on the way to it (ProxyJump');
});

test.each([
  [
    'sudo: a password is required',
    'me is not root there, and sudo asks for a password',
    "echo 'me ALL=(root) NOPASSWD: ALL' > /etc/sudoers.d/netfold && chmod 440 /etc/sudoers.d/netfold",
  ],
  ['sudo: sorry, you must have a tty to run sudo', 'a terminal only', "echo 'Defaults:me !requiretty'"],
  ['sh: 1: exec: sudo: not found', 'there is no sudo', 'apt-get install -y sudo'],
  ['sudo: account validation failure', 'sudo refuses: sudo: account validation failure', 'me ALL=(root)'],
])('%s: the line that mends it', (said, message, remedy) => {
  const error = rootRefusalOf(HOST, said)!;
  expect(error).toMatchObject({ code: 'HOST_NO_ROOT', message: expect.stringContaining(message) });
  expect(error.remedy).toContain(remedy);
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

describe('a host that leads to the others', () => {
  test.each([
    ['192.0.2.7', { name: '192.0.2.7', address: '192.0.2.7' }],
    ['me@gw.example:2222', { name: 'gw.example', address: 'gw.example', user: 'me', port: 2222 }],
    ['ssh://root@[2001:db8::7]:22', { name: '2001-db8--7', address: '2001:db8::7', user: 'root', port: 22 }],
    ['2001:db8::7', { name: '2001-db8--7', address: '2001:db8::7' }],
  ])('%s', (text, host) => expect(parseHost(text)).toMatchObject(host));

  test.each(['', 'a b', '-oProxyCommand=id', 'me@-x', 'a:99999', 'a@b@c', '[x'])('%j is none', (text) => {
    expect(() => parseHost(text)).toThrow();
  });

  test('the inventory that hosts keep is read as it was', () => {
    const text = "hosts: { x: { address: 192.0.2.7, user: me, port: 2222, jump: 'gw,b' }, y: {} }";
    const [x, y] = readInventory(text, 'h').hosts;
    const kept = inventoryText([
      { host: x!, endpoints: ['a.0', 'b.0'] },
      { host: y!, endpoints: ['c.0'] },
    ]);
    expect(readInventory(kept, 'kept').hosts).toMatchObject([
      { ...HOST, name: 'x', jump: 'gw,b', is: [{ text: 'a.0' }, { text: 'b.0' }] },
      { name: 'y', address: 'y', is: [{ text: 'c.0' }] },
    ]);
  });
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
  const worst = [{ from: 'a.0', to: 'b.0', latencyMs: 10, realMs: 30.05, byMs: 20.05 }];
  const far = { ...agent, underlay: { hosts: [], tooSlow: { count: 2, worst } } };
  expect(parseStatus(JSON.stringify({ agents: [far] })).problems).toEqual([
    'd',
    'the real network is too slow for a.0 > b.0 (10 ms) by 20.05 ms, and 1 more path',
  ]);
  const gone = { host: 'h', state: 'unreachable', reason: 'ENOENT' };
  expect(parseStatus(JSON.stringify({ agents: [gone] }))).toMatchObject({
    state: 'unreachable',
    problems: ['ENOENT'],
  });
  expect(parseStatus('absent\n').state).toBe('absent');
  expect(parseStatus('ended it is over\n')).toMatchObject({ state: 'ended', problems: ['it is over'] });
  expect(parseStatus('{').state).toBe('unreachable');
});
