import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expandRange } from '../../../controller/inventory/host-range.ts';
import { readInventory } from '../../../controller/inventory/read.ts';
import { TopologyError } from '../../../topology/load.ts';
import { growthOf } from '../../support/growth.ts';

const HOST = `hosts:
  host1:
    address: 192.0.2.7
    user: admin
    port: 2222
    jump: me@gw.example:22,10.0.0.1
    shape: eth1
    is: [db, client.0]
    labels: [edge]
    cores: 7.5
    memory: 16GiB
    bandwidth: 900Mbps
    endpoints: 40
  host2: {}
`;

test('every field of a host', () => {
  const { hosts } = readInventory(HOST, 'h.yaml');
  const is = (text: string) => ({
    text,
    field: 'hosts.host1.is',
    position: { file: 'h.yaml', line: 8, column: 5 },
  });
  expect(hosts).toEqual([
    {
      name: 'host1',
      address: '192.0.2.7',
      user: 'admin',
      port: 2222,
      jump: 'me@gw.example:22,10.0.0.1',
      shape: { kind: 'interface', value: 'eth1' },
      is: [is('db'), is('client.0')],
      labels: ['edge'],
      cores: 7.5,
      memoryBytes: 16 * 1024 ** 3,
      bandwidth: 900e6,
      endpoints: 40,
      position: { file: 'h.yaml', line: 2, column: 3 },
    },
    {
      name: 'host2',
      address: 'host2',
      is: [],
      labels: [],
      position: { file: 'h.yaml', line: 14, column: 3 },
    },
  ]);
});

test('an address to shape, of either family, is told from an interface', () => {
  const shape = (text: string) => readInventory(`hosts: { a: { shape: "${text}" } }`, 'h').hosts[0]!.shape;
  expect(shape('192.0.2.7')).toEqual({ kind: 'address', value: '192.0.2.7' });
  expect(shape('2001:db8::1')).toEqual({ kind: 'address', value: '2001:db8::1' });
  expect(shape('enp3s0.100')).toEqual({ kind: 'interface', value: 'enp3s0.100' });
});

test('what a host is may have an interface each', () => {
  const [host] = readInventory('hosts: { a: { is: { db: eth0, client.0: 10.0.0.7 } } }', 'h').hosts;
  expect(host!.is).toMatchObject([
    { text: 'db', field: 'hosts.a.is', shape: { kind: 'interface', value: 'eth0' } },
    { text: 'client.0', shape: { kind: 'address', value: '10.0.0.7' } },
  ]);
});

test('wishes about endpoints; a label stands for the hosts that have it', () => {
  const text = `hosts: { a: { labels: [x] }, b: { labels: [x, y] }, c: {} }
needs: { db: { cores: 2, memory: 4GB } }
pins: { db: c, "tag:edge": [label:x, c] }
apart: [db, [web.0, web.1]]
`;
  const { needs, pins, apart } = readInventory(text, 'h');
  expect(needs).toMatchObject([{ of: { text: 'db', field: 'needs.db' }, cores: 2, memoryBytes: 4e9 }]);
  expect(pins.map(({ of, hosts }) => [of.text, ...hosts])).toEqual([
    ['db', 'c'],
    ['tag:edge', 'a', 'b', 'c'],
  ]);
  expect(apart.map((group) => group.map((one) => one.text))).toEqual([['db'], ['web.0', 'web.1']]);
});

describe("Ansible's YAML", () => {
  const ANSIBLE = `all:
  vars: { ansible_user: root, app_version: "{{ lookup('env', 'V') }}" }
  hosts: { lone: }
  children:
    web:
      hosts:
        web[01:03].example: { netfold_cores: 4 }
      vars: { ansible_ssh_common_args: '-o StrictHostKeyChecking=no -o ProxyJump=gw.example', ansible_user: www }
      children:
        canary: { hosts: { web03.example: { ansible_user: canary, netfold_is: db } }, vars: { ansible_user: no } }
    db: { hosts: { db1: { ansible_host: 10.0.0.9, ansible_port: 2222, netfold_memory: 8GB, netfold_labels: [fast] } } }
`;
  test('groups become labels; variables of the host hold before those of its groups, the inner before the outer', () => {
    const { hosts } = readInventory(ANSIBLE, 'a.yaml');
    const short = hosts.map(({ name, address, user, port, jump, labels, cores }) => [
      name,
      address,
      user,
      port,
      jump,
      cores,
      labels.join(),
    ]);
    expect(short).toEqual([
      ['lone', 'lone', 'root', undefined, undefined, undefined, ''],
      ['web01.example', 'web01.example', 'www', undefined, 'gw.example', 4, 'web'],
      ['web02.example', 'web02.example', 'www', undefined, 'gw.example', 4, 'web'],
      ['web03.example', 'web03.example', 'canary', undefined, 'gw.example', 4, 'web,canary'],
      ['db1', '10.0.0.9', 'root', 2222, undefined, undefined, 'db,fast'],
    ]);
    expect(hosts[4]!.memoryBytes).toBe(8e9);
    expect(hosts[3]!.is.map(({ text }) => text)).toEqual(['db']);
  });

  test('ranges of hosts', () => {
    expect(expandRange('web[08:11].x', 10)).toEqual(['web08.x', 'web09.x', 'web10.x', 'web11.x']);
    expect(expandRange('n[1:9:4]', 10)).toEqual(['n1', 'n5', 'n9']);
    expect(expandRange('d-[a:c]', 10)).toEqual(['d-a', 'd-b', 'd-c']);
    expect(expandRange('plain', 10)).toEqual(['plain']);
    for (const wrong of ['n[3:1]', 'n[1:999999999]', 'n[1:3:0]', 'n[', 'n[a:2]', 'n[1:2][1:2]'])
      expect(expandRange(wrong, 1024)).toBeUndefined();
  });
});

const refused = (text: string): string[] => {
  try {
    readInventory(text, 'h.yaml');
  } catch (error) {
    if (!(error instanceof TopologyError)) throw error;
    return error.diagnostics.map(
      ({ line, code, field, message, remedy }) => `${line} ${code} ${field}: ${message} (${remedy})`,
    );
  }
  return [];
};

test.each([
  ['', '1 NOT_AN_INVENTORY', 'it is empty'],
  ['- a\n- b', '1 NOT_AN_INVENTORY', 'it is a list'],
  ['hello', '1 NOT_AN_INVENTORY', 'it is a text'],
  ['hosts: {}', '1 NOT_AN_INVENTORY hosts', 'there are no hosts'],
  ['web:\n  hosts: {}\n', '1 NOT_AN_INVENTORY', 'there are no hosts'],
  ['# mine\n[web:vars]\nx=1', '2 NOT_AN_INVENTORY', "Ansible's INI format"],
  ['{"_meta": {"hostvars": {}}, "web": {"hosts": ["a"]}}', '1 NOT_AN_INVENTORY', '--yaml'],
  ['hosts:\n  a: { adress: x }', '2 KEY_UNKNOWN hosts.a.adress', 'did you mean "address"?'],
  ['hosts: { a: {} }\nneed: {}', '2 KEY_UNKNOWN need', 'did you mean "needs"?'],
  ['hosts:\n  a: {}\n  a: {}', '3 KEY_DUPLICATE', 'written twice'],
  [
    'hosts:\n  a: { address: x }\n  b: { address: X, port: 22 }',
    '3 NAME_DUPLICATE hosts.b.address',
    'as a and as b',
  ],
  ['hosts:\n  a: { is: db }\n  b: { is: [db] }', '3 NAME_DUPLICATE hosts.b.is', 'listed twice'],
  ['hosts:\n  a: { is: { db: eth0 } }\n  b: { is: db }', '3 NAME_DUPLICATE hosts.b.is', 'listed twice'],
  ['hosts:\n  a: { is: { db: "../x" } }', '2 VALUE_INVALID hosts.a.is', 'each with its interface'],
  ['hosts:\n  a: { is: { db: 5 } }', '2 VALUE_INVALID hosts.a.is', 'each with its interface'],
  ['hosts:\n  a:\n    port: 0', '3 VALUE_INVALID hosts.a.port', '"0" is less than 1'],
  ['hosts:\n  a: { port: 99999 }', '2 VALUE_INVALID hosts.a.port', 'is more than 65535'],
  ['hosts:\n  a: { cores: 0 }', '2 VALUE_INVALID hosts.a.cores', '"0" is not above 0'],
  ['hosts:\n  a: { cores: 1e9 }', '2 VALUE_INVALID hosts.a.cores', 'is more than 65536'],
  ['hosts:\n  a: { memory: 16 }', '2 VALUE_INVALID hosts.a.memory', 'memory: 16GB'],
  ['hosts:\n  a: { memory: 5000TB }', '2 UNIT hosts.a.memory', 'outside of'],
  ['hosts:\n  a: { bandwidth: 1Tbps }', '2 UNIT hosts.a.bandwidth', 'not a unit'],
  [
    'hosts:\n  a: { address: "-oProxyCommand=id" }',
    '2 VALUE_INVALID hosts.a.address',
    'host name or an IP address',
  ],
  ['hosts:\n  a: { user: "-l" }', '2 VALUE_INVALID hosts.a.user', 'name of a user'],
  ['hosts:\n  a: { jump: "x -oA=b" }', '2 VALUE_INVALID hosts.a.jump', 'hosts on the way'],
  ['hosts:\n  a: { shape: "../x" }', '2 VALUE_INVALID hosts.a.shape', 'shape: eth0'],
  ['hosts:\n  "-a": {}', '2 NAME_INVALID', 'no name of a host'],
  ['hosts:\n  a: 5', '2 VALUE_INVALID hosts.a', 'mapping of settings'],
  ['hosts: { a: {} }\npins:\n  db: b', '3 NAME_UNKNOWN pins.db', 'there is no host "b"'],
  [
    'hosts: { a: { labels: [edge] } }\npins:\n  db: label:egde',
    '3 NAME_UNKNOWN pins.db',
    'did you mean "edge"?',
  ],
  ['hosts: { a: {} }\nneeds:\n  db: { cpu: 1 }', '3 KEY_UNKNOWN needs.db.cpu', 'known keys: cores, memory'],
  ['hosts: { a: {} }\napart: db', '2 VALUE_INVALID apart', 'write a list'],
  ['web:\n  hosts:\n    a: { ansible_host: "{{ x }}" }', '3 VALUE_INVALID ansible_host', 'a template'],
  ['web:\n  hosts:\n    a: { netfold_core: 1 }', '3 KEY_UNKNOWN', 'did you mean "cores"?'],
  ['web:\n  hosts:\n    a[1:5000]:', '3 VALUE_INVALID', 'no range of at most 1024'],
  ['web:\n  hosts:\n    a[1:900]:\n    b[1:900]:', '1 LIMIT', 'more than 1024 hosts'],
  ['hosts: &a\n  x: *a', '2 KEY_UNKNOWN hosts.x.x', ''],
  ['hosts:\n  a: {}\n---\nhosts: {}', '3 YAML_SYNTAX', 'one inventory a file'],
])('%j is refused with its line, field and remedy', (text, start, words) => {
  const found = refused(text);
  const matching = found.filter((line) => line.startsWith(start) && line.includes(words));
  expect(matching, found.join('\n')).not.toEqual([]);
});

test('more hosts than an experiment can have are refused', () => {
  const many = Array.from({ length: 1025 }, (_, at) => `  h${at}: {}`).join('\n');
  expect(refused(`hosts:\n${many}`).join()).toContain('1 LIMIT');
});

test('any text gives an inventory or findings', () => {
  const piece = fc.constantFrom(
    ...[
      'hosts:',
      '\n',
      '  ',
      'a: ',
      '{}',
      '{ cores: 1 }',
      '[',
      ']',
      'children:',
      'vars:',
      '&a',
      '*a',
      'needs:',
      'pins: ',
      'label:x',
      '-',
      '"',
      '\0',
      'null',
    ],
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 20 }), (pieces) => {
      const text = pieces.join('');
      try {
        readInventory(text, 'h.yaml');
      } catch (error) {
        expect(error).toBeInstanceOf(TopologyError);
      }
    }),
    { numRuns: 400 },
  );
});

const lines = (count: number, one: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => one(at)).join('\n');
const SHAPES: Readonly<Record<string, readonly [number, (size: number) => string]>> = {
  hosts: [100, (n) => `hosts:\n${lines(n, (at) => `  h${at}: { cores: 8, labels: [x], is: s${at} }`)}`],
  'unknown keys': [200, (n) => `hosts:\n  a:\n${lines(n, (at) => `    k${at}: 1`)}`],
  'pins to a label': [
    100,
    (n) =>
      `hosts:\n${lines(100, (at) => `  h${at}: { labels: [x] }`)}\npins:\n${lines(n, (at) => `  s${at}: label:x`)}`,
  ],
  'pins to unknown hosts': [100, (n) => `hosts: { a: {} }\npins:\n${lines(n, (at) => `  s${at}: h${at}`)}`],
  groups: [100, (n) => lines(n, (at) => `g${at}: { hosts: { h${at}: { ansible_host: a${at} } } }`)],
  'a host in groups': [100, (n) => lines(n, (at) => `g${at}: { hosts: { h: }, vars: { a${at}: 1 } }`)],
  'length of a jump': [20_000, (n) => `hosts: { a: { jump: "${'x,'.repeat(n)}" } }`],
  'length of arguments': [
    20_000,
    (n) => `g: { hosts: { a: { ansible_ssh_common_args: "${'-J '.repeat(n)}" } } }`,
  ],
};
test.each(Object.entries(SHAPES))(
  '%s, four times as many, do not take ten times as long',
  (_, [size, make]) => {
    expect(growthOf(size, (count) => void refused(make(count)))).toBeLessThan(10);
  },
);
