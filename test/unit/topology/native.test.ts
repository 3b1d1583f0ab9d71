import { describe, expect, it } from 'vitest';
import { formatDiagnostic, loadTopology } from '../../../topology/load.ts';
import { native, problems, warnings } from './support.ts';

const NODES = 'services: { client: { replicas: 2 }, server: {} }\nbridges: [s1, s2]\n';
const link = (settings: string): string => `${NODES}links:\n  - { from: client, to: s1, ${settings} }\n`;

describe('the native format', () => {
  it('has an effect for every key of a service', () => {
    const text = `services:
  web: { replicas: 3, run: "serve $NETFOLD_REPLICA", env: { PORT: "80", E: "" }, cwd: /srv, user: 1000, image: "web:1", command: [a, b], tags: [edge, x], forward: true, share: true }
  idle: {}
links: [{ from: web, to: idle }]`;
    const [web, idle] = native(text).services;
    expect(web).toEqual({
      name: 'web',
      replicas: 3,
      run: 'serve $NETFOLD_REPLICA',
      env: { PORT: '80', E: '' },
      cwd: { path: '/srv', position: { file: 'test.yaml', line: 2, column: 87 } },
      user: { name: '1000', position: { file: 'test.yaml', line: 2, column: 99 } },
      image: 'web:1',
      command: ['a', 'b'],
      tags: ['edge', 'x'],
      forward: true,
      shareLinks: true,
      position: { file: 'test.yaml', line: 2, column: 3 },
    });
    expect(idle).toEqual({
      name: 'idle',
      replicas: 1,
      tags: [],
      forward: false,
      shareLinks: false,
      position: { file: 'test.yaml', line: 3, column: 3 },
    });
  });

  it('has an effect for every key of a link', () => {
    const text = link(
      'latency: 5ms, jitter: 250us, loss: 0.1%, up: 100Mbps, down: 40Mbps, queue: 200 packets, tags: [access]',
    );
    expect(native(text).links[0]).toEqual({
      from: 'client',
      to: 's1',
      up: { latency: 5000, jitter: 250, loss: 0.001, bandwidth: 100e6, queuePackets: 200 },
      down: { latency: 5000, jitter: 250, loss: 0.001, bandwidth: 40e6, queuePackets: 200 },
      tags: ['access'],
      position: { file: 'test.yaml', line: 4, column: 5 },
    });
  });

  it('has the distribution of the jitter where it is not normal', () => {
    const shapes = (settings: string): unknown[] => {
      const { up, down } = native(link(settings)).links[0]!;
      return [up.distribution, down?.distribution];
    };
    expect(shapes('jitter: 1ms, distribution: uniform')).toEqual(['uniform', 'uniform']);
    expect(shapes('jitter: 1ms, distribution: pareto, oneway: true')).toEqual(['pareto', undefined]);
    for (const normal of ['jitter: 1ms, distribution: normal', 'jitter: 1ms'])
      expect('distribution' in native(link(normal)).links[0]!.up).toBe(false);
  });

  it('limits both directions by bandwidth, one by up or down alone, and none where nothing is written', () => {
    const rates = (settings: string): unknown[] => {
      const { up, down } = native(link(settings)).links[0]!;
      return [up.bandwidth, down?.bandwidth];
    };
    expect(rates('bandwidth: 3Mbps')).toEqual([3e6, 3e6]);
    expect(rates('up: 3Mbps')).toEqual([3e6, Number.POSITIVE_INFINITY]);
    expect(rates('down: 3Mbps')).toEqual([Number.POSITIVE_INFINITY, 3e6]);
    expect(rates('latency: 1ms')).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
    expect(rates('up: 3Mbps, oneway: true')).toEqual([3e6, undefined]);
  });

  it('takes bridges as a list, or as a mapping with tags', () => {
    const text =
      'services: { a: {} }\nbridges: { s1: { tags: [core] }, s2: {} }\nlinks: [{ from: a, to: s1 }, { from: s1, to: s2 }]';
    expect(native(text).bridges.map(({ name, tags }) => [name, tags])).toEqual([
      ['s1', ['core']],
      ['s2', []],
    ]);
    expect(native(NODES).bridges.map(({ name }) => name)).toEqual(['s1', 's2']);
  });

  it('takes name and routing from the file, else the name of the file and latency', () => {
    expect(loadTopology(`name: x\nrouting: hops\n${NODES}`, 'a/my ring.yaml').topology).toMatchObject({
      name: 'x',
      routing: 'hops',
    });
    expect(loadTopology(NODES, 'a/my ring.yaml').topology).toMatchObject({
      name: 'my-ring',
      routing: 'latency',
    });
    expect(loadTopology(NODES, '-').topology.name).toBe('topology');
  });

  it('is read from JSON too, and with a byte order mark', () => {
    expect(
      loadTopology('\uFEFF{"services": {"a": {}, "b": {}}, "links": [{"from": "a", "to": "b"}]}', 'x')
        .topology.links,
    ).toHaveLength(1);
  });
});

describe('a wrong native file', () => {
  // Each: the text, the position of the error, and its message and remedy.
  it.each([
    ['latency: 10', '4:38', 'UNIT', /links\[0\].latency: "10" has no unit \(write the unit, e.g. 10ms\)/],
    ['latency: 0', '4:38', 'UNIT', /"0" has no unit/],
    ['latency: -1ms', '4:38', 'UNIT', /"-1ms" is outside of 0 to 10 minutes/],
    ['latency: 11m', '4:38', 'UNIT', /outside of 0 to 10 minutes/],
    ['latency: 0.0001ms', '4:38', 'UNIT', /can't be represented exactly/],
    ['latency: fast', '4:38', 'UNIT', /is not a time/],
    ['jitter: 5', '4:37', 'UNIT', /links\[0\].jitter: "5" has no unit/],
    ['loss: 0.1', '4:35', 'UNIT', /loss: "0.1" has no unit \(write the unit, e.g. 0.1%\)/],
    ['loss: 101%', '4:35', 'UNIT', /outside of 0% to 100%/],
    ['bandwidth: 60', '4:40', 'UNIT', /e.g. 60Mbps/],
    ['bandwidth: 60Mb', '4:40', 'UNIT', /"Mb" in "60Mb" is not a unit of bandwidth/],
    ['up: 0bps', '4:33', 'UNIT', /links\[0\].up: "0bps" is outside of/],
    ['down: 1000Gbps', '4:35', 'UNIT', /links\[0\].down: "1000Gbps" is outside of/],
    ['queue: 5', '4:36', 'UNIT', /e.g. 200 packets/],
    ['queue: 5 frames', '4:36', 'UNIT', /is not the size of a queue.*200 packets, 64KB or 50ms/],
    ['queue: 100B', '4:36', 'UNIT', /no room for a full frame/],
    ['oneway: maybe', '4:37', 'VALUE_INVALID', /write true or false/],
    ['latncy: 1ms', '4:29', 'KEY_UNKNOWN', /no key "latncy" here \(did you mean "latency"\?\)/],
    ['bandwidth: 1Mbps, up: 1Mbps', '4:40', 'VALUE_INVALID', /bandwidth stands beside up or down/],
    ['oneway: true, down: 1Mbps', '4:49', 'VALUE_INVALID', /a oneway link has no way back/],
    [
      'jitter: 1ms, distribution: gauss',
      '4:56',
      'VALUE_INVALID',
      /distribution: "gauss" is none of normal, uniform, pareto \(write normal, uniform or pareto\)/,
    ],
    ['jitter: 1ms, distribution: 3', '4:56', 'VALUE_INVALID', /write normal, uniform or pareto/],
    ['tags: [a b]', '4:36', 'NAME_INVALID', /tags\[0\]: the name "a b" contains other characters/],
  ])('says where and why %s is refused', (settings, place, code, message) => {
    const [problem, ...others] = problems(link(settings));
    expect(others).toEqual([]);
    expect(`${problem!.line}:${problem!.column}`).toBe(place);
    expect(problem!.code).toBe(code);
    expect(formatDiagnostic(problem!)).toMatch(message);
  });

  it.each([
    ['services: { a: {}, a: {} }', 'KEY_DUPLICATE', /the key "a" is written twice/],
    ['services:\n  A: {}\n  a: {}', 'NAME_DUPLICATE', /"a" and "A" in line 2 differ in case only/],
    ['services: { LocalHost: {} }', 'NAME_INVALID', /every endpoint calls itself/],
    [
      'services: { a: {} }\nbridges: s1',
      'VALUE_INVALID',
      /2:10: .*"s1" is not what belongs here.*bridges: \[s1, s2\]/,
    ],
    ['services: { a: {} }\n---\nservices: {}', 'YAML_SYNTAX', /2:1: .*a second document begins here/],
    ['services:\n  a: {}\n  b: *x', 'YAML_ALIASES', /3:6: .*\*x stands for what &x marks/],
    ['services:{}', 'NOT_A_TOPOLOGY', /write a space after the colon: "services: /],
    ['services: { a: {} }\nbridges: [a]', 'NAME_DUPLICATE', /"a" is already used in line 1/],
    ['services: { a: {} }\nbridges: [s, s]', 'NAME_DUPLICATE', /"s" is already used in line 2/],
    ['services: { 1x: {} }', 'NAME_INVALID', /"1x" does not begin with a letter/],
    ['services: { a--b: {} }', 'NAME_INVALID', /"a--b" contains "--"/],
    [`services: { ${'x'.repeat(41)}: {} }`, 'NAME_INVALID', /longer than 40 characters/],
    ['services: { a: { replicas: 0 } }', 'VALUE_INVALID', /"0" is less than 1/],
    ['services: { a: { replicas: 2.5 } }', 'VALUE_INVALID', /"2.5" is not a whole number/],
    [
      'services: { a: { replicas: 40000 }, b: { replicas: 40000 } }',
      'LIMIT',
      /80000 replicas in all, more than 65535/,
    ],
    [
      'services: { a: { replicas: 2000 }, b: { replicas: 2000 } }\nlinks: [{ from: a, to: b }]',
      'LIMIT',
      /more than 1000000/,
    ],
    ['services: { a: }', 'VALUE_INVALID', /written name: \{\}/],
    ['services: { a: { replica: 2 } }', 'KEY_UNKNOWN', /did you mean "replicas"/],
    ['service: {}\nlinks: []', 'KEY_UNKNOWN', /did you mean "services"/],
    ['services: { a: {} }\nrouting: fast', 'VALUE_INVALID', /none of latency, hops/],
    ['services: { a: {} }\nlinks:', 'VALUE_INVALID', /links: nothing is not a list/],
    ['services: { a: { run: [x] } }', 'VALUE_INVALID', /is not a text \(write e.g. run: /],
    ['services: {}', 'NO_SERVICES', /there are no services/],
    ['services:\n\ta: {}', 'YAML_SYNTAX', /indent with spaces/],
    ['services: { a: {} }\n---\nservices: { b: {} }', 'YAML_SYNTAX', /one topology a file/],
    ['services: *nowhere', 'YAML_ALIASES', /nowhere/],
    ['', 'FILE_EMPTY', /the file is empty/],
    ['# nothing\n', 'FILE_EMPTY', /has no content/],
    ['[1, 2]', 'NOT_A_TOPOLOGY', /it is a list/],
    ['hello', 'NOT_A_TOPOLOGY', /it is a plain text/],
    ['<html></html>', 'NOT_A_TOPOLOGY', /XML or HTML/],
    ['a: 1', 'NO_SERVICES', /it has no services/],
    ['\u0000ELF', 'FILE_NOT_TEXT', /not a text file/],
  ])('%j is refused', (text, code, message) => {
    const found = problems(text);
    expect(found.map((one) => one.code)).toContain(code);
    expect(found.map(formatDiagnostic).join('\n')).toMatch(message);
  });

  it.each([
    [
      '{ from: clinet, to: s1 }',
      'NAME_UNKNOWN',
      /links\[0\].from: there is no service or bridge "clinet" \(did you mean "client"\?\)/,
    ],
    [
      '{ from: client.2, to: s1 }',
      'NAME_UNKNOWN',
      /client has 2 replicas \(replicas are client.0 to client.1\)/,
    ],
    ['{ from: s1.0, to: s2 }', 'NAME_UNKNOWN', /"s1" is a bridge and has no replicas/],
    ['{ from: s1, to: s1 }', 'LINK_TO_ITSELF', /from "s1" to "s1"/],
    ['{ from: client, to: client.1 }', 'LINK_TO_ITSELF', /through a bridge/],
    [
      '{ from: s1, to: s2 }, { from: s2, to: s1 }',
      'LINK_DUPLICATE',
      /links\[1\]: s2 and s1 are already linked in line 3/,
    ],
    ['{ from: client, to: s1 }, { from: s1, to: client.1 }', 'LINK_DUPLICATE', /already linked/],
    ['{ from: client.1, to: s1 }, { from: client, to: s1 }', 'LINK_DUPLICATE', /already linked/],
    ['{ from: client.1, to: server }, { from: client, to: server.0 }', 'LINK_DUPLICATE', /already linked/],
    ['{ from: s1 }', 'KEY_MISSING', /"to" is missing/],
  ])('the links %s are refused', (links, code, message) => {
    const found = problems(`${NODES}links: [${links}]`);
    expect(found.map((one) => one.code)).toContain(code);
    expect(found.map(formatDiagnostic).join('\n')).toMatch(message);
  });

  it('accepts links that only look alike', () => {
    const links =
      '{ from: s1, to: s2, oneway: true }, { from: s2, to: s1, oneway: true }, { from: client.0, to: s1 }, { from: client.1, to: s1 }';
    expect(native(`${NODES}links: [${links}]`).links).toHaveLength(4);
  });

  it('lists all errors at once, in the order of the file', () => {
    const text =
      'services: { a: { replicas: x } }\nbridges: [9]\nlinks: [{ from: a, to: b, latency: 1 }]\ncolour: red';
    expect(problems(text).map((one) => one.line)).toEqual([1, 2, 3, 4]);
  });

  it('cannot make us expand aliases without end', () => {
    const lines = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (const [name, before] of ['ba', 'cb', 'dc', 'ed'].map((pair) => [...pair])) {
      lines.push(`${name}: &${name} [${Array(10).fill(`*${before}`).join(', ')}]`);
    }
    expect(problems([...lines, 'services: *e'].join('\n'))[0]!.code).toBe('YAML_ALIASES');
  });

  it.each(['[', '{', '- ', '? ', '{a: '])('cannot make us recurse with %j', (piece) => {
    expect(problems(piece.repeat(100_000)).map(formatDiagnostic).join()).toContain('nested too deep');
  });

  it('is refused when it is too large', () => {
    expect(problems('#'.repeat(16 * 1024 * 1024 + 1))[0]!.code).toBe('FILE_TOO_LARGE');
  });

  it('shows no control characters of the file', () => {
    expect(formatDiagnostic(problems('services: { "a\\u001b[31m": {} }')[0]!)).not.toContain('\u001b');
  });
});

describe('warnings', () => {
  it('name bridges without links', () => {
    const found = warnings('services: { a: {}, b: {} }\nbridges: [s9]\nlinks: [{ from: a, to: b }]');
    expect(found.map(({ code, line, message }) => [code, line, message])).toEqual([
      ['BRIDGE_UNLINKED', 2, 'the bridge s9 has no links'],
    ]);
  });

  it('name a file without links', () => {
    expect(warnings('services: { a: {}, b: {} }').map((one) => one.code)).toEqual(['NO_LINKS']);
  });

  it('name services that reach no other, also behind bridges and one-way links', () => {
    const text = `services: { a: {}, b: {}, lost: {}, sink: {}, pair: { replicas: 2 } }
bridges: [s1, s2, s3]
links:
  - { from: a, to: b }
  - { from: lost, to: s1 }
  - { from: s1, to: s2 }
  - { from: a, to: sink, oneway: true }
  - { from: pair, to: s3 }`;
    const found = warnings(text);
    expect(found.map((one) => one.code)).toEqual(['SERVICE_ISOLATED', 'SERVICE_ISOLATED']);
    expect(found.map((one) => one.field)).toEqual(['services.lost', 'services.sink']);
  });

  it('name a distribution without a jitter, unless an event gives one', () => {
    const file = (events: string): string =>
      `services: { a: {}, b: {} }
links:
  - { from: a, to: b, latency: 5ms, distribution: uniform }
events: [${events}]`;
    const found = warnings(file('at 1s set a--b latency=1ms, at 2s crash a'));
    expect(found.map(formatDiagnostic)).toEqual([
      'test.yaml:3:51: warning: links[0].distribution: the distribution of a jitter that the link does not have ' +
        '(add jitter, e.g. jitter: 1ms, or remove the distribution)',
    ]);
    expect(warnings(file('at 1s set a--b latency=1ms jitter=2ms'))).toEqual([]);
    expect(warnings(file('').replace('latency: 5ms', 'jitter: 5ms'))).toEqual([]);
    expect(warnings(file('').replace('latency: 5ms', 'jitter: 0ms')).map(({ code }) => code)).toEqual([
      'KEY_IGNORED',
    ]);
  });

  it('are none for a topology in order', () => {
    expect(warnings('services: { a: {}, b: {} }\nlinks: [{ from: a, to: b }]')).toEqual([]);
  });
});

it.each([
  ['20k.yaml', 'lab-20k'],
  ['über-lab.yaml', 'uber-lab'],
  ['ü.yaml', 'u'],
  ['dir.d/my ring.yml', 'my-ring'],
  ['_x.yaml', 'x'],
  ['日本.yaml', 'topology'],
])('the file %s without a name is called %s', (file, name) => {
  expect(loadTopology('services: { a: {} }', file).topology.name).toBe(name);
});

it('a command with a NUL character is refused at its service', () => {
  const [problem] = problems('services:\n  a: {}\n  b: { run: "ls \\0 x" }\n');
  expect([problem!.line, problem!.field]).toEqual([3, 'services.b.run']);
  const [event] = problems(`services: { a: {} }\nevents:\n  - "at 1s run a \\"ls \\0\\""\n`);
  expect(event!.message).toContain('NUL');
});

it('a service can not be called localhost', () => {
  const [problem] = problems('services:\n  a: {}\n  localhost: {}\n');
  expect([problem!.line, problem!.code]).toEqual([3, 'NAME_INVALID']);
});
