/** What hosts say of themselves, and what that means. */
import { describe, expect, test } from 'vitest';
import { assignHosts } from '../../../controller/inject/assigned-hosts.ts';
import { type HostFacts, parseProbe } from '../../../controller/inject/host-probe.ts';
import { judgeHost, sameMachines } from '../../../controller/inject/judge-host.ts';
import { checkedLines } from '../../../controller/inject/report.ts';
import { strayed } from '../../../controller/inject/ways.ts';
import { readInventory } from '../../../controller/inventory/read.ts';
import { micros } from '../../../proto/units.ts';
import { loadTopology } from '../../../topology/load.ts';
import { graphAt } from '../../../topology/timeline/graph-at.ts';

const ANSWER = `clock 1790000000.250000000
system Linux
kernel 6.1.0-40-amd64
machine x86_64
user me
uid 1000
root yes
cores 8
memory 16384
space 1000000
writable yes
has ip
has tc
has tar
has gzip
has setsid
has libbpf.so.1
has glibc
has glibc
identity 8a1f net:[4026531840]
ssh 198.51.100.9 50022 192.0.2.7 2222
address lo 127.0.0.1/8
address eth0 192.0.2.7/24
address eth0 fe80::1/64
address eth1@if7 10.0.0.7/16
address eth1@if7 2001:db8::7/64
installed 0123456789abcdef
injection wan
`;
const facts = (change: Partial<HostFacts> = {}): HostFacts => ({ ...parseProbe(ANSWER), ...change });
const hostWith = (settings: string) =>
  readInventory(`hosts: { h: { address: 192.0.2.7${settings} } }`, 'h.yaml').hosts[0]!;
const CLOCK = { offsetSeconds: 0.2, errorSeconds: 0.01 };

test('an answer is read', () => {
  expect(facts()).toEqual({
    ...{
      system: 'Linux',
      kernel: '6.1.0-40-amd64',
      machine: 'x86_64',
      user: 'me',
      isRoot: false,
      canRoot: true,
      sudoSays: '',
    },
    ...{ cores: 8, memoryBytes: 16_384 * 1024, spaceBytes: 1_024_000_000, isWritable: true },
    has: new Set(['ip', 'tc', 'tar', 'gzip', 'setsid', 'libbpf.so.1', 'glibc']),
    clockSeconds: 1_790_000_000.25,
    identity: '8a1f net:[4026531840]',
    ssh: { address: '192.0.2.7', port: 2222 },
    addresses: [
      { ifname: 'eth0', address: '192.0.2.7' },
      { ifname: 'eth1', address: '10.0.0.7' },
      { ifname: 'eth1', address: '2001:db8::7' },
    ],
    installed: ['0123456789abcdef'],
    injections: ['wan'],
  });
});

test('a clock without fractions, a scoped address, and no answer at all', () => {
  expect(parseProbe('clock 1790000000.%N').clockSeconds).toBe(1_790_000_000);
  expect(parseProbe('ssh fe80::1%eth0 1 fe80::2%eth0 22').ssh).toEqual({ address: 'fe80::2', port: 22 });
  expect(parseProbe('ssh ::ffff:10.0.0.1 1 ::ffff:10.0.0.2 22').ssh).toEqual({
    address: '10.0.0.2',
    port: 22,
  });
  expect(parseProbe('').ssh).toBeUndefined();
});

test('a host that can is shaped where the inventory says, or where SSH comes in', () => {
  const shapedBy = (settings: string) =>
    judgeHost({ host: hostWith(settings), endpoints: [] }, facts(), CLOCK, 'x64');
  expect(shapedBy('')).toMatchObject({
    problems: [],
    notes: ['eth0 carries this SSH session, which is never shaped (port 2222)'],
    shaped: [{ ifname: 'eth0', address: '192.0.2.7', carriesSsh: true }],
  });
  expect(shapedBy(', shape: eth1')).toMatchObject({
    notes: [],
    shaped: [{ ifname: 'eth1', address: '10.0.0.7', carriesSsh: false }],
  });
  expect(shapedBy(', shape: "2001:db8::7"').shaped).toMatchObject([
    { ifname: 'eth1', address: '2001:db8::7' },
  ]);
});

test('a line for a host that can, and what to know about it; lines for each problem of one that can’t', () => {
  const linesOf = (change: Partial<HostFacts>): string[] => {
    const judged = judgeHost(
      { host: hostWith(''), endpoints: [{ name: 'a.0' }] },
      facts(change),
      CLOCK,
      'x64',
    );
    const checked = { name: 'h', facts: facts(change), clock: CLOCK, ...judged, all: judged.problems };
    return checkedLines(checked).map(({ text }) => text);
  };
  expect(linesOf({ installed: [] })).toEqual([
    'h: a.0 on eth0 (192.0.2.7), Linux 6.1.0-40-amd64 x86_64, 8 cores, 0.0 GB, clock +0.20 ± 0.01 s, netfold not installed, wan runs there',
    'eth0 carries this SSH session, which is never shaped (port 2222)',
  ]);
  expect(linesOf({ system: 'FreeBSD' })).toEqual(['h: it runs FreeBSD', '→ netfold needs Linux']);
});

test.each([
  ['HOST_SYSTEM', { system: 'FreeBSD' }, /FreeBSD/],
  ['HOST_KERNEL', { kernel: '4.19.0-21-amd64' }, /4\.19/],
  ['HOST_KERNEL', { kernel: '5.5.9' }, /5\.5\.9/],
  ['HOST_ARCHITECTURE', { machine: 'aarch64' }, /aarch64.*x86_64/],
  [
    'HOST_NO_ROOT',
    { canRoot: false, sudoSays: 'sudo: a password is required' },
    /me is not root.* asks for a password/,
  ],
  ['HOST_READ_ONLY', { isWritable: false }, /can’t be written/],
  ['HOST_SPACE', { installed: [], spaceBytes: 90e6 }, /90 MB are free/],
  ['HOST_LIBRARY', { has: new Set(['ip', 'tc', 'tar', 'gzip', 'setsid', 'glibc']) }, /no libbpf\.so\.1/],
  ['HOST_LIBRARY', { has: new Set(['ip', 'tc', 'tar', 'gzip', 'setsid', 'libbpf.so.1']) }, /no glibc/],
] as const)('%s: %o', (code, change, message) => {
  const { problems } = judgeHost(
    { host: hostWith(''), endpoints: [{ name: 'a.0' }] },
    facts(change),
    CLOCK,
    'x64',
  );
  expect(problems.map((one) => one.code)).toEqual([code]);
  expect(problems[0]!.message).toMatch(message);
  expect(problems[0]!.message).toMatch(/^h: /);
  expect(problems[0]!.remedy).not.toBe('');
});

test.each([
  [', shape: eth9', /no interface eth9/],
  [', shape: 192.0.2.99', /no address 192\.0\.2\.99/],
])('an interface that is not there: %s', (settings, message) => {
  const { problems, shaped } = judgeHost({ host: hostWith(settings), endpoints: [] }, facts(), CLOCK, 'x64');
  expect(problems.map((one) => one.code)).toEqual(['HOST_INTERFACE']);
  expect(problems[0]!.message).toMatch(message);
  expect(problems[0]!.remedy).toContain('eth0 (192.0.2.7), eth1 (10.0.0.7)');
  expect(shaped).toEqual([]);
});

describe('a host that is several endpoints', () => {
  const judge = (...shapes: [string, 'interface' | 'address', string][]) =>
    judgeHost(
      {
        host: hostWith(''),
        endpoints: shapes.map(([name, kind, value]) => ({ name, shape: { kind, value } })),
      },
      facts({ addresses: [...facts().addresses, { ifname: 'v5', address: '10.5.0.7', below: 'eth0' }] }),
      CLOCK,
      'x64',
    );

  test('has an interface for each; what they send to each other is said to stay', () => {
    const { problems, notes, shaped } = judge(['a.0', 'interface', 'eth0'], ['b.0', 'address', '10.0.0.7']);
    expect(problems).toEqual([]);
    expect(shaped).toMatchObject([
      { endpoint: 'a.0', ifname: 'eth0', address: '192.0.2.7' },
      { endpoint: 'b.0', ifname: 'eth1', address: '10.0.0.7' },
    ]);
    expect(notes.join()).toContain('what a.0 and b.0 send to each other stays on the host');
  });

  test.each([
    ['10.0.0.7', /a\.0 and b\.0 are both on eth1/],
    ['10.0.0.99', /no address 10\.0\.0\.99/],
  ])('at %s beside eth1 is refused', (address, message) => {
    const { problems } = judge(['a.0', 'interface', 'eth1'], ['b.0', 'address', address]);
    expect(problems.map((one) => one.code)).toEqual(['HOST_INTERFACE']);
    expect(problems[0]!.message).toMatch(message);
  });

  test('on an interface and one on top of it is refused', () => {
    const { problems } = judge(['a.0', 'interface', 'eth0'], ['b.0', 'interface', 'v5']);
    expect(problems.map((one) => one.message)).toEqual(['h: v5 of b.0 sends through eth0 of a.0']);
  });
});

test('packets that would leave by another interface are refused, with the route for them', () => {
  const shaped = [{ endpoint: 'a.0', ifname: 'eth1', address: '10.0.0.7', carriesSsh: false }];
  const others = [{ name: 'o', shaped: [{ ifname: 'eth0', address: '10.0.0.9', carriesSsh: true }] }];
  const said = (dev: string, to = '10.0.0.9') =>
    `${to} from 10.0.0.7 via 10.0.0.1 dev ${dev} uid 0 \\    cache \n`;
  const found = (text: string) => strayed({ name: 'h', shaped }, others, text).map(({ message }) => message);
  expect(found(said('eth0'))).toEqual([
    'h: what a.0 sends from 10.0.0.7 to 10.0.0.9 leaves by eth0, and would not be shaped on eth1',
  ]);
  expect(found(said('eth1'))).toEqual([]);
  expect(found(`local 10.0.0.9 from 10.0.0.7 dev lo table local uid 0 \n`)).toEqual([]);
  expect(found(said('eth0', '10.0.0.3'))).toEqual([]);
  expect(found('RTNETLINK answers: Network is unreachable\n')).toEqual([]);
});

test('a clock that is wrong is said, and no problem; as is one that can’t be told exactly', () => {
  const notes = (offsetSeconds: number, errorSeconds: number) =>
    judgeHost(
      { host: hostWith(', shape: eth1'), endpoints: [] },
      facts(),
      { offsetSeconds, errorSeconds },
      'x64',
    ).notes;
  expect(notes(-90, 0.1)).toEqual([expect.stringContaining('-90.0 s ahead')]);
  expect(notes(1.2, 0.5)).toEqual([]);
});

test('one machine under two names', () => {
  const found = sameMachines([
    { name: 'a', facts: facts() },
    { name: 'b', facts: facts({ identity: 'other net:[1]' }) },
    { name: 'c', facts: facts() },
    { name: 'd', facts: facts({ identity: '' }) },
    { name: 'e', facts: facts({ identity: '' }) },
  ]);
  expect(found.map(({ code, message }) => [code, message])).toEqual([
    ['HOST_TWICE', 'c: it is the same machine as a'],
  ]);
});

describe('which host is which endpoint', () => {
  const { topology } = loadTopology(
    'services: { a: {}, b: { replicas: 2 } }\nlinks: [{ from: a, to: b, latency: 1ms }]\n',
    't.yaml',
  );
  const graph = graphAt(topology, micros(0));
  const assign = (hosts: string) => assignHosts(readInventory(`hosts: ${hosts}`, 'h.yaml'), topology, graph);

  test('services with one replica, and replicas by name; others take no part', () => {
    const assigned = assign('{ x: { is: b.1 }, y: { is: a }, z: { is: b.0 }, more: {} }');
    expect(assigned.map(({ host, endpoints }) => [host.name, ...endpoints.map(({ name }) => name)])).toEqual([
      ['x', 'b.1'],
      ['y', 'a.0'],
      ['z', 'b.0'],
      ['more'],
    ]);
  });

  test.each([
    ['{ x: { is: b }, y: { is: a } }', /x would be both b\.0 and b\.1/],
    ['{ x: { is: b.0 }, y: { is: a } }', /no host of h\.yaml is b\.1/],
    ['{ x: {} }', /is a\.0, b\.0, b\.1/],
  ])('%s is refused', (hosts, message) => {
    expect(() => assign(hosts)).toThrow(message);
  });

  test('a host is several if each has an interface', () => {
    const assigned = assign('{ x: { is: { a: eth0, b.1: 10.0.0.7 } }, y: { is: b.0 } }');
    expect(assigned.map(({ endpoints }) => endpoints)).toEqual([
      [
        { name: 'a.0', shape: { kind: 'interface', value: 'eth0' } },
        { name: 'b.1', shape: { kind: 'address', value: '10.0.0.7' } },
      ],
      [{ name: 'b.0' }],
    ]);
    expect(() => assign('{ x: { is: [a, b.0] }, y: { is: b.1 } }')).toThrow(/x would be both a\.0 and b\.0/);
    expect(() => assign('{ x: { is: { b: eth0 } }, y: { is: a } }')).toThrow(/x would be both b\.0 and b\.1/);
  });

  test('names that the topology lacks are refused, with their line', () => {
    expect(() => assign('{ x: { is: nobody } }')).toThrow(/nobody/);
  });
});
