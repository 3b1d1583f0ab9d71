/** `netfold inject`: hosts with real SSH servers are checked, shaped and left as they were. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { readNetwork } from '../../../controller/inventory/network.ts';
import { readRecord } from '../../../controller/record/read.ts';
import { ping } from '../../../controller/verify/traffic.ts';
import { fromMillis } from '../../../proto/units.ts';
import { type Finished, run, until } from '../../support/lab/lab.ts';
import { ADMIN, type SshHosts, startSshHosts } from '../../support/lab/ssh-hosts.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';

/** So far above what a busy machine takes that both can be told apart. */
const RTT_MS = 400;
/** To the second endpoint of the second host. */
const FAR_RTT_MS = 800;
const TOPOLOGY = `
services: { a: {}, b: {}, c: {}, d: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 150ms, bandwidth: 10Mbps }
  - { from: b, to: s, latency: 50ms, bandwidth: 10Mbps }
  - { from: c, to: s, latency: 50ms, bandwidth: 10Mbps }
  - { from: d, to: s, latency: 250ms, bandwidth: 10Mbps }
`;
/**
 * The second host's sshd has another port than 22; the user there is not root; it is two endpoints, by an interface each. The third
 * is reached by the first.
 */
const PORTS = [22, 2222, 22] as const;
const NAMES = ['one', 'two', 'three'] as const;
const SECOND_ADDRESS = '10.9.1.2';

interface HostJson {
  readonly host: string;
  readonly ok: boolean;
  readonly result: never;
  readonly errors?: readonly { code: string; message: string; remedy: string }[];
}

let lab: SshHosts;
let topology: string;
let inventory: string;

const write = (name: string, text: string): string => {
  const file = join(lab.folder, name);
  writeFileSync(file, text);
  return file;
};

beforeAll(async () => {
  lab = await startSshHosts(PORTS);
  lab.addInterface(1, 'eth1', SECOND_ADDRESS);
  topology = write('wan.yaml', TOPOLOGY);
  const [one, two, three] = lab.hosts.map(({ address }) => address);
  inventory = write(
    'hosts.yaml',
    `hosts:
  one: { address: ${one}, user: root, port: 22, shape: eth0, is: a }
  two: { address: ${two}, user: ${ADMIN}, port: 2222, is: { b: ${two}, d: eth1 } }
  three: { address: ${three}, user: root, jump: root@${one}:22, is: c }
`,
  );
});

afterAll(() => lab?.remove());

const inject = (...words: string[]): Promise<Finished> => injectWith(inventory, ...words);

const injectWith = (hosts: string, ...words: string[]): Promise<Finished> =>
  lab.here.netfold('inject', topology, '--inventory', hosts, '--ssh-config', lab.config, ...words);

/** Without a topology. */
const onHosts = (): string[] => ['--inventory', inventory, '--ssh-config', lab.config];

const hostsOf = ({ out, err }: Finished): readonly HostJson[] => {
  try {
    return (JSON.parse(out) as { hosts: readonly HostJson[] }).hosts;
  } catch {
    throw new Error(`no JSON: ${out}${err}`);
  }
};

/** What somebody would look at: everything of the kernel and in the folders that netfold could have changed. */
async function stateOf(index: number): Promise<string> {
  const look = [
    'find /opt /run/netfold* /var/log /var/lib/netfold /etc/systemd 2>/dev/null | sort',
    'tc qdisc; tc filter show dev eth0 ingress; tc filter show dev eth0 egress; nft -s list ruleset; cksum /etc/hosts',
    "ps -e -o args= | grep -v -e sshd -e 'ps -e' -e 'sh -c' -e grep",
  ].join('; ');
  return (await lab.sh(index, look)).out;
}

const states = (): Promise<string[]> => Promise.all(NAMES.map((_, index) => stateOf(index)));

/** Milliseconds until a TCP server of `to` says something to `from`: one round trip, and half of one. */
async function helloMs(from: number, to: number, port: number): Promise<number> {
  const { address } = lab.hosts[to]!;
  const line = `s=$(date +%s%N); exec 3<>/dev/tcp/${address}/${port}; read -r _ <&3; e=$(date +%s%N); echo $(((e - s) / 1000000))`;
  const times: number[] = [];
  for (let turn = 0; turn < 3; turn++) times.push(Number((await lab.sh(from, `bash -c '${line}'`)).out));
  return Math.min(...times);
}

/** Bits per second that arrive of a flood of UDP. */
async function floodBps(from: number, to: number, port: number): Promise<number> {
  const server = lab.sh(to, `timeout 20 iperf3 -s -1 -p ${port}`);
  await until(async () => (await lab.sh(to, `ss -Hltn sport = :${port}`)).out !== '', 'iperf3 listens');
  const { address } = lab.hosts[to]!;
  const client = await lab.sh(from, `iperf3 -J -u -b 60M -l 1400 -t 1 -p ${port} -c ${address}`);
  await server;
  const { sum } = (
    JSON.parse(client.out) as { end: { sum: { bits_per_second: number; lost_percent: number } } }
  ).end;
  return sum.bits_per_second * (1 - sum.lost_percent / 100);
}

describe('hosts over SSH', () => {
  let before: string[];

  it('are refused where sudo asks for a password, with the line that mends it', {
    timeout: 60_000,
  }, async () => {
    const refused = await inject('check', '--json');
    expect(refused.code).toBe(3);
    const [one, two, three] = hostsOf(refused);
    expect([one!.ok, three!.ok], refused.out).toEqual([true, true]);
    const [error] = two!.errors!;
    expect(error).toMatchObject({
      code: 'HOST_NO_ROOT',
      message: `two: ${ADMIN} is not root there, and sudo asks for a password`,
    });
    const line = /as root there: (.+)$/.exec(error!.remedy)![1]!;
    expect(line).toContain(`${ADMIN} ALL=(root) NOPASSWD: ALL`);
    expectSuccess(await lab.sh(1, line));
  });

  it('are checked; nothing is changed', { timeout: 120_000 }, async () => {
    before = await states();
    const checked = await inject('check', '--json');
    expect(hostsOf(checked)).toMatchObject(
      NAMES.map((host, index) => ({
        ...{ host, ok: true },
        result: {
          sshPort: PORTS[index],
          shaped: { ifname: 'eth0', address: lab.hosts[index]!.address, carriesSsh: true },
          installed: [],
        },
      })),
    );
    expect(checked.code).toBe(0);
    await expectMeasured('ping');
    const early = await inject('start');
    expect([early.code, early.err]).toEqual([3, expect.stringContaining('netfold is not installed there')]);
    expect(await states()).toEqual(before);
  });

  /** What is printed is what `place` reads. */
  async function expectMeasured(how: string): Promise<void> {
    const measured = await lab.here.netfold('inject', 'measure', ...onHosts(), '--json');
    expectSuccess(measured);
    const { ways } = JSON.parse(measured.out) as { ways: { between: string[]; loss?: string }[] };
    expect(ways.map(({ between }) => between.toSorted().join(' ')).sort()).toEqual([
      'one three',
      'one two',
      'three two',
    ]);
    for (const { loss } of ways) expect(loss !== undefined).toBe(how === 'ping');
    const network = readNetwork(measured.out, 'measured', NAMES);
    for (const { latency } of network) expect(latency).toBeLessThan(fromMillis(RTT_MS / 4));
  }

  it('get netfold once', { timeout: 120_000 }, async () => {
    const first = await inject('install');
    expect(first, first.err).toMatchObject({ code: 0, out: expect.stringMatching(/^✓ \w+: installed$/m) });
    const again = hostsOf(await inject('install', '--json'));
    expect(again.map(({ result }) => result)).toEqual(NAMES.map(() => 'was installed already'));
    expect((await lab.sh(0, 'ls -A /opt/netfold')).out).toMatch(/^\.before\n[0-9a-f]{16}\n$/);
  });

  it('are shaped, all but SSH, the mesh and what is exempt; and freed again', {
    timeout: 300_000,
  }, async () => {
    onTestFinished(async () => void (await inject('stop')));
    const words = ['--lease', '3s', '--never', 'tcp:5301,udp:5301', '--names', '--record'];
    const started = await inject('start', ...words);
    expect(started, started.err).toMatchObject({ code: 0 });
    // Neither file nor name is needed: the hosts know.
    const asked = hostsOf(await lab.here.netfold('inject', 'status', ...onHosts(), '--json'));
    expect(asked.map(({ result }) => result)).toMatchObject(
      NAMES.map(() => ({ state: 'running', known: 4, expected: 4 })),
    );
    expect((await lab.sh(0, 'getent hosts b c.0')).out).toBe(
      '10.9.0.2        b.0 b\n10.9.0.3        c.0 c\n',
    );
    await until(
      async () =>
        (await ping(lab.hosts[0]!, { ...lab.hosts[1]!, address: SECOND_ADDRESS }, 3, 20)).medianMs >
        0.9 * FAR_RTT_MS,
      'a--d is shaped',
    );
    // Pings are shaped now.
    await expectMeasured('agents');
    // Of the ports with their own name, 2222 is known from the connection alone.
    await until(
      async () => (await ping(lab.hosts[0]!, lab.hosts[1]!, 3, 20)).medianMs > 0.9 * RTT_MS,
      'a--b is shaped',
    );
    expect((await ping(lab.hosts[0]!, lab.hosts[1]!, 3, 20)).medianMs).toBeLessThan(0.9 * FAR_RTT_MS);
    expect(await helloMs(0, 1, 2222)).toBeLessThan(RTT_MS / 2);
    // What is in the queue when the sender ends arrives as well.
    expect(await floodBps(2, 1, 5201)).toBeLessThan(20e6);
    expect(await floodBps(2, 1, 5301)).toBeGreaterThan(30e6);

    const second = await inject('start', '--json');
    expect(second.code).not.toBe(0);
    expect(second.err).toContain('there is an injection already: wan');
    const refused = await inject('uninstall');
    expect([refused.code, refused.out]).toEqual([
      3,
      expect.stringContaining('there is an injection already: wan'),
    ]);

    expect(await inject('exec', 'one', '--', 'sh', '-c', 'id -u; exit 7')).toMatchObject({
      code: 7,
      out: '0\n',
    });
    const inside = await inject('exec', 'b', '--', 'sh', '-c', 'echo "$NETFOLD_NODE it\'s"');
    expect(inside).toMatchObject({ code: 0, out: "b.0 it's\n" });
    const far = await inject('exec', 'd', '--', 'sh', '-c', 'echo "$NETFOLD_NODE"; id -u');
    expect(far, far.err).toMatchObject({ code: 0, out: 'd.0\n0\n' });
    const through = await inject('exec', 'three', '--', 'sh', '-c', 'echo "$SSH_CONNECTION"');
    expect(through.out).toMatch(
      new RegExp(`^${lab.hosts[0]!.address} \\d+ ${lab.hosts[2]!.address} 22$`, 'm'),
    );
    expect((await inject('logs')).out).toMatch(/^one +\| daemon: wan is up/m);

    await lab.sh(2, `kill -9 $(pgrep -f -- '[-]-mesh-key /run/netfold-inject/wan')`);
    await until(async () => (await floodBps(2, 1, 5202)) > 30e6, 'its lease has run out', 30_000);
    expect(hostsOf(await inject('status', '--json'))[2]!.result).toMatchObject({ state: 'unreachable' });

    // From another machine, which knows the address of one host alone.
    const elsewhere = lab.hosts[2]!;
    const from = ['--host', `root@${lab.hosts[0]!.address}`, '--ssh-config', lab.config];
    const stopped = await elsewhere.netfold('inject', 'stop', ...from);
    expect(stopped, stopped.err).toMatchObject({ code: 0, out: expect.stringMatching(/✓ three: stopped/) });
    expect(stopped.err).toContain('its record, of 3 hosts: netfold records show wan@');
    expect(await inject('stop')).toMatchObject({
      code: 1,
      err: expect.stringContaining('is on none of the hosts'),
    });
    expect(await lab.here.netfold('inject', 'stop', ...onHosts())).toMatchObject({
      code: 1,
      err: expect.stringContaining('nothing runs on the 3 hosts'),
    });
    for (const index of NAMES.keys())
      expect((await lab.sh(index, 'tc qdisc; ls -d /run/netfold*')).out).not.toMatch(/4e46|netfold/);
    await expectRecords();
  });

  /** Each host has kept its part; that of the third was cut off with its agent. */
  async function expectRecords(): Promise<void> {
    const record = join(lab.folder, 'joined');
    const how = ['--inventory', inventory, '--ssh-config', lab.config, '-o', record];
    const gathered = await lab.here.netfold('records', 'gather', 'wan', ...how);
    expect(gathered, gathered.err).toMatchObject({
      ...{ code: 0, out: expect.stringContaining('3 parts, of one, three, two') },
      err: expect.stringContaining('its writer was killed'),
    });
    const { description, agents } = readRecord(record);
    expect(description.placement).toEqual({ 'a.0': 'one', 'b.0': 'two', 'c.0': 'three', 'd.0': 'two' });
    expect(agents.map(({ host }) => host)).toEqual(['one', 'three', 'two']);
    const remove = 'rm -rf /var/lib/netfold/records; rmdir /var/lib/netfold';
    for (const index of NAMES.keys()) await lab.sh(index, remove);
  }

  it('a start that fails on one is taken back on all', { timeout: 90_000 }, async () => {
    await lab.sh(2, 'tc qdisc replace dev eth0 root handle 77: htb');
    onTestFinished(async () => void (await lab.sh(2, 'tc qdisc del dev eth0 root')));
    const failed = await inject('start');
    expect(failed.err).toMatch(/starting: 1 host of \d failed \(three: its agent has not started: .*eth0/s);
    expect(failed.code).toBe(3);
    for (const index of NAMES.keys())
      expect((await lab.sh(index, 'tc qdisc; ls -d /run/netfold*')).out).not.toMatch(/4e46|netfold/);
  });

  it('a start that is interrupted is taken back', { timeout: 90_000 }, async () => {
    const words = [
      'inject',
      topology,
      '--inventory',
      inventory,
      '--ssh-config',
      lab.config,
      'start',
      '--names',
    ];
    const { child, output } = lab.here.start(...words);
    const ended = once(child, 'exit');
    await until(async () => (await lab.sh(0, 'ls /run/netfold/wan')).code === 0, 'one has begun', 60_000);
    child.kill('SIGINT');
    expect((await ended)[0], output()).toBe(130);
    for (const index of NAMES.keys())
      expect((await lab.sh(index, 'tc qdisc; ls -d /run/netfold*; cat /etc/hosts')).out).not.toMatch(
        /4e46|netfold/,
      );
  });

  it('are left as they were', { timeout: 60_000 }, async () => {
    const gone = await inject('uninstall');
    expect(gone, gone.err).toMatchObject({ code: 0 });
    expect(gone.out.match(/removed; files, tc, nftables and hosts file are as before/g)).toHaveLength(3);
    expect(await states()).toEqual(before);
  });
});

it('hosts that refuse are named, each with what to do; one that hangs delays nobody', {
  timeout: 60_000,
}, async () => {
  const { namespace, address } = lab.hosts[0]!;
  await run('ip', ['-n', namespace, 'address', 'add', '10.9.0.50/24', 'dev', 'eth0']);
  writeFileSync(join(lab.folder, 'known_hosts'), `10.9.0.50 ${hostKey()}\n`, { flag: 'a' });
  // It accepts connections, and says nothing.
  const silent = spawn('ip', [
    'netns',
    'exec',
    lab.here.namespace,
    'iperf3',
    '-s',
    '--forceflush',
    '-p',
    '7022',
  ]);
  await once(silent.stdout, 'data');
  const other = write(
    'others.yaml',
    `hosts:
  one: { address: ${address}, user: root, is: a }
  same: { address: 10.9.0.50, user: root, is: b }
  refusing: { address: ${address}, port: 7023 }
  unknown: { address: 10.9.0.3, port: 22, user: nobody, is: c }
  nameless: { address: no-such-host.invalid }
  hanging: { address: ${lab.here.address}, port: 7022 }
  lost: { address: 10.9.0.77, is: d }
`,
  );
  try {
    const hosts = hostsOf(await injectWith(other, 'check', '--json'));
    const codes = Object.fromEntries(
      hosts.map(({ host, errors = [] }) => [host, errors.map(({ code }) => code)]),
    );
    expect(codes).toEqual({
      one: [],
      same: ['HOST_TWICE'],
      refusing: ['SSH_REFUSED'],
      unknown: ['SSH_DENIED'],
      nameless: ['SSH_NAME'],
      hanging: ['SSH_TIMEOUT'],
      lost: [expect.stringMatching(/^SSH_(UNREACHABLE|TIMEOUT)$/)],
    });
    for (const { host, errors = [] } of hosts)
      for (const { message, remedy } of errors)
        expect([message.startsWith(`${host}: `), remedy.length > 10]).toEqual([true, true]);
  } finally {
    silent.kill('SIGKILL');
  }
});

const hostKey = (): string =>
  readFileSync(join(lab.folder, 'host.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
