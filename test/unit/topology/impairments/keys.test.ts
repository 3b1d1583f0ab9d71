/** Impairments in the native file: each key has its effect, each mistake its place, and what is written is read again. */
import { describe, expect, it } from 'vitest';
import { FILE_PROPERTIES, type Impairment } from '../../../../proto/impairment.ts';
import { EXPORTS } from '../../../../topology/export/registry.ts';
import { jsonSchemaText } from '../../../../topology/formats/native/author-schema.ts';
import { nativeText } from '../../../../topology/formats/native/write.ts';
import { type LoadedTopology, loadTopology, TopologyError } from '../../../../topology/load.ts';
import { pathsReport } from '../../../../topology/report/paths.ts';

type Read = (path: string) => { text: string } | { problem: string };

function load(link: string, read?: Read, head = ''): LoadedTopology {
  const text = `${head}services: { a: {}, b: {} }\nlinks:\n  - { from: a, to: b, ${link} }\n`;
  return loadTopology(text, 'x.yaml', undefined, undefined, read && { read });
}

function directions(link: string, read?: Read, head?: string): { up: Impairment; down: Impairment } {
  const { up, down } = load(link, read, head).topology.links[0]!;
  return { up, down: down! };
}

function mistakes(link: string, read?: Read): string[] {
  try {
    load(link, read);
  } catch (error) {
    if (!(error instanceof TopologyError)) throw error;
    return error.diagnostics.map(
      ({ code, file, line, field, message, remedy }) =>
        `${file}:${line} ${code} ${field}: ${message}; ${remedy}`,
    );
  }
  return [];
}

describe('each key has its effect, in each direction', () => {
  it.each([
    ['loss_model: bursts 1% of 5 packets', { lossModel: 'bursts 1% of 5 packets' }],
    ['duplicate: 1%', { duplicate: 0.01 }],
    ['corrupt: 0.5%', { corrupt: 0.005 }],
    ['reorder: 2%, reorder_distance: 3 packets', { reorder: 0.02, reorderDistance: 3 }],
    ['slots: 2ms..4ms', { slots: '2ms..4ms' }],
    ['aqm: codel', { aqm: 'codel target=5ms interval=100ms' }],
    [
      'queue: { kind: red, limit: 60 packets, min: 4 packets, max: 30KB, probability: 2%, weight: 0.01, ecn: true }',
      { aqm: 'red min=4packets max=30000B probability=2% weight=0.01 ecn', queuePackets: 60 },
    ],
    [
      'queue: { kind: codel, limit: 64KB, target: 2ms }',
      { aqm: 'codel target=2ms interval=100ms', queueBytes: 64000 },
    ],
    ['queue: { kind: droptail, limit: 50ms }', { queueTime: 50_000 }],
    ['overhead: atm', { overhead: 'atm' }],
    ['overhead: 38bytes', { overhead: '38 bytes' }],
    ['mtu: 1400', { mtu: 1400 }],
    ['rules: drop 10% only udp:53', { rules: 'drop 10% only udp:53' }],
    ["rules: [drop only icmp, 'reset only tcp:22,syn']", { rules: 'drop only icmp; reset only tcp:22, syn' }],
    ['jitter: 1ms, jitter_correlation: 25%', { jitter: 1000, jitterCorrelation: 0.25 }],
    ['jitter: 1ms, quantiles: "1 2 3 4 5 6 7 9"', { jitter: 1000, quantiles: '1 2 3 4 5 6 7 9' }],
  ])('%s', (text, expected) => {
    const { up, down } = directions(text);
    expect(up).toMatchObject(expected);
    expect(down).toEqual(up);
    const only = directions(`down: { ${text} }`);
    expect(only.down).toMatchObject(expected);
    for (const key of Object.keys(expected))
      expect(only.up[key as keyof Impairment] || undefined).toBeUndefined();
  });

  it('up and down say what differs', () => {
    const text =
      'latency: 5ms, loss: 1%, bandwidth: 10Mbps, queue: 64KB, up: { loss: 2%, queue: 50ms, bandwidth: 3Mbps }';
    expect(directions(text)).toEqual({
      up: expect.objectContaining({ latency: 5000, loss: 0.02, bandwidth: 3e6, queueTime: 50_000 }),
      down: expect.objectContaining({ latency: 5000, loss: 0.01, bandwidth: 10e6, queueBytes: 64_000 }),
    });
    expect(directions('up: { bandwidth: 3Mbps }, down: 4Mbps')).toEqual(directions('up: 3Mbps, down: 4Mbps'));
  });

  it('a direction may have no rules where the link has some', () => {
    const { up, down } = directions('rules: reset, up: { rules: [] }');
    expect([up.rules, down.rules]).toEqual([undefined, 'reset']);
  });

  it('a named distribution at a direction takes the place of samples for both', () => {
    const { up, down } = directions(
      'jitter: 1ms, quantiles: "1 2 3 4 5 6 7 9", up: { distribution: pareto }',
    );
    expect([up.distribution, up.quantiles, down.quantiles]).toEqual(['pareto', undefined, '1 2 3 4 5 6 7 9']);
  });

  it('defaults give the rate of a direction of which something else is said', () => {
    const head = 'defaults: { link: { bandwidth: 1Gbps } }\n';
    const { up, down } = directions('up: { loss: 1% }, down: 5Mbps', undefined, head);
    expect([up.bandwidth, up.loss, down.bandwidth]).toEqual([1e9, 0.01, 5e6]);
  });
});

describe('rules that are wrong have the column of what is wrong', () => {
  const columns = (link: string): (readonly [number, string])[] => {
    try {
      load(link);
    } catch (error) {
      if (error instanceof TopologyError)
        return error.diagnostics.map(({ column, field }) => [column, field] as const);
    }
    return [];
  };
  const at = (text: string, wrong: string): number => `  - { from: a, to: b, ${text}`.indexOf(wrong) + 1;

  it.each([
    ['rules: drop 10 only udp', '10 only', 'links[0].rules'],
    ["rules: 'drop only icmp; reset only udp:53'", 'udp:53', 'links[0].rules'],
    ['rules: [drop only icmp, delay 5 only tcp]', '5 only', 'links[0].rules[1]'],
    ['up: { rules: ["drop 3rd only syn:http"] }', 'syn:http', 'links[0].up.rules[0]'],
    ['rules: [5]', '5]', 'links[0].rules[0]'],
    ['rules: { drop: 5 }', '{ drop', 'links[0].rules'],
  ])('%s', (text, wrong, field) => {
    expect(columns(text)).toEqual([[at(text, wrong), field]]);
  });

  it('also behind variables, where the text stands as it is', () => {
    const text =
      'vars: { p: 53 }\nservices: { a: {}, b: {} }\nlinks:\n  - { from: a, to: b, rules: drop 5 only udp }\n';
    const find = (): void => void loadTopology(text.replace('only udp', 'only udp:${p}'), 'x.yaml');
    expect(find).toThrow(TopologyError);
    const told = columns('rules: drop 5 only udp');
    expect(told).toEqual([[at('rules: drop 5 only udp', '5 only'), 'links[0].rules']]);
  });

  it('a path that has more than there is room for is refused at the last link with some', () => {
    const text = (count: number): string =>
      `services: { a: {}, b: {} }\nbridges: [s]\nlinks:\n  - { from: a, to: s, rules: [reset, drop] }\n  - { from: s, to: b, rules: [${Array(count).fill('drop 1% only icmp').join(', ')}] }\n`;
    expect(loadTopology(text(6), 'x.yaml').topology.links).toHaveLength(2);
    expect(() => loadTopology(text(7), 'x.yaml')).toThrow(/a\.0 to b\.0 has 9 rules, more than 8/);
    expect(mistakes(`rules: [${Array(9).fill('reset').join(', ')}]`)).toEqual([
      expect.stringContaining('9 rules are more than the 8'),
    ]);
  });

  it('limits have room for four on a path, in topologies with numbers for their classes', () => {
    const limits = (count: number): string => Array(count).fill('limit 1Mbps only udp').join(', ');
    const chain = (count: number): string =>
      `services: { a: {}, b: {} }\nbridges: [s]\nlinks:\n  - { from: a, to: s, rules: [${limits(2)}] }\n  - { from: s, to: b, rules: [${limits(count)}] }\n`;
    expect(loadTopology(chain(2), 'x.yaml').topology.links).toHaveLength(2);
    expect(() => loadTopology(chain(3), 'x.yaml')).toThrow(/has 5 rules that limit, more than 4/);
    const star = (replicas: number, more = ''): string =>
      `${more}services: { a: { replicas: ${replicas} } }\nbridges: [s]\nlinks: [{ from: a, to: s, rules: limit 1Mbps }]\n`;
    expect(loadTopology(star(4095), 'x.yaml').topology.links).not.toEqual([]);
    expect(() => loadTopology(star(4096), 'x.yaml')).toThrow(/at most 4095 endpoints, and this one has 4096/);
    expect(() => loadTopology(star(3000, 'ecmp: 2\n'), 'x.yaml')).toThrow(/has 6002 \(nodes times ecmp\)/);
  });
});

describe('mistakes have their place', () => {
  it.each([
    [
      'loss_model: bursty',
      'x.yaml:3 UNIT links[0].loss_model: "bursty" is no model of loss; write e.g. bursts 1% of 5 packets',
    ],
    ['up: { loss: 5 }', 'x.yaml:3 UNIT links[0].up.loss: "5" has no unit; write the unit, e.g. 0.1%'],
    ['up: { los: 5% }', 'x.yaml:3 KEY_UNKNOWN links[0].up.los: there is no key "los" here; did you mean'],
    ['up: 5', 'x.yaml:3 UNIT links[0].up: "5" has no unit; write the unit, e.g. 60Mbps'],
    ['up: 5ms', 'x.yaml:3 UNIT links[0].up: "ms" in "5ms" is not a unit of bandwidth'],
    ['slots: 5', 'x.yaml:3 UNIT links[0].slots: "5" has no unit'],
    ['down: { slots: 4ms..2ms }', 'x.yaml:3 UNIT links[0].down.slots: "4ms..2ms" goes backwards'],
    ['bandwidth: 1Mbps, up: 2Mbps', 'bandwidth stands beside up or down'],
    ['oneway: true, down: { loss: 1% }', 'a oneway link has no way back'],
  ])('%s', (text, expected) => {
    expect(mistakes(text)).toEqual([expect.stringContaining(expected)]);
  });

  it('a distance without reordering is told', () => {
    const told = (text: string): string[] => load(text).warnings.map(({ field }) => field);
    expect(told('reorder_distance: 2 packets')).toEqual(['links[0].reorder_distance']);
    expect(told('down: { reorder_distance: 2 packets }')).toEqual(['links[0].down.reorder_distance']);
    expect(told('reorder_distance: 2 packets, up: { reorder: 1% }')).toEqual([]);
  });
});

it.each([
  ['queue: { kind: red, min: 20 packets }', 'min that is not below its max'],
  ['queue: { kind: red, minimum: 2 packets }', 'no key "minimum"'],
  ['queue: { kind: red, target: 5ms }', 'does not belong'],
  ['queue: { kind: droptail, ecn: true }', 'has no ecn'],
  ['queue: { kind: codel, target: 200ms }', 'not below its interval'],
  ['queue: { kind: pie }', 'droptail'],
  ['queue: { kind: red, limit: 20 }', 'has no unit'],
  ['queue: 20', 'has no unit'],
  ['queue: 20 frames', 'not the size of a queue'],
  ['aqm: red weight=2', 'weight'],
  ['aqm: pie', 'manages no queue'],
])('a queue that is %s is refused', (link, message) => {
  expect(mistakes(link).join('\n')).toContain(message);
});

it('a queue that never fills is told', () => {
  const told = (link: string): string[] => load(link).warnings.map(({ message }) => message);
  expect(told('aqm: red')).toEqual([expect.stringContaining('never fills')]);
  expect(told('aqm: red, up: 5Mbps')).toEqual([expect.stringContaining('never fills')]);
  expect(told('queue: { kind: codel }, bandwidth: 5Mbps')).toEqual([]);
});

describe('a distribution from a file', () => {
  const files =
    (text: string): Read =>
    (path) =>
      path === 'delays.csv' ? { text } : { problem: 'there is no such file' };
  const samples = (text: string): readonly number[] =>
    directions('jitter: 1ms, distribution: delays.csv', files(text)).up.quantiles!.split(' ').map(Number);

  it('has the shape of its samples, whatever their unit and order', () => {
    const even = samples(Array.from({ length: 1000 }, (_, at) => at).join('\n'));
    expect(even).toHaveLength(129);
    expect(even[64]).toBe(0);
    // Uniform: √3 deviations.
    expect(even.at(-1)).toBeCloseTo(Math.sqrt(3), 1);
    const scaled = Array.from({ length: 1000 }, (_, at) => 0.001 * (999 - at) + 20);
    expect(samples(`delay_ms\n${scaled.join('\n')}\n`)).toEqual(even);
  });

  it('may be a table of netem', () => {
    const table = samples('# made by maketable\n -8192 -4096 0 0\n 0 4096 8192 20000\n');
    expect(table[0]).toBeLessThan(-0.9);
    expect(table.at(-1)).toBeGreaterThan(2);
  });

  it('stands in the expanded file, where no other file is needed', () => {
    const text =
      'services: { a: {}, b: {} }\nlinks:\n  - { from: a, to: b, jitter: 1ms, up: { distribution: delays.csv } }\n';
    const read = files('1\n2\n3\n4\n5\n6\n7\n30\n');
    const loaded = loadTopology(text, 'x.yaml', undefined, undefined, { read });
    const again = loadTopology(loaded.expanded!(), 'x.yaml');
    expect(again.topology.links[0]).toMatchObject({ up: loaded.topology.links[0]!.up });
    expect([again.topology.links[0]!.up.quantiles?.length, again.topology.links[0]!.down!.quantiles]).toEqual(
      [expect.any(Number), undefined],
    );
  });

  it.each([
    ['1\n2\nx\n', 'delays.csv:3 VALUE_INVALID distribution: "x" is no sample of a delay'],
    ['1\n2\n', 'x.yaml:3 VALUE_INVALID links[0].distribution: "delays.csv" has 2 samples, fewer than 8'],
    ['5\n5\n5\n5\n5\n5\n5\n5\n', 'has samples that are all the same'],
    ['', 'has 0 samples'],
    ['1,2\n3,4\n', 'delays.csv:2 VALUE_INVALID distribution: "3,4" is no sample'],
  ])('is refused with its line: %j', (text, expected) => {
    expect(mistakes('jitter: 1ms, distribution: delays.csv', files(text))).toEqual([
      expect.stringContaining(expected),
    ]);
  });

  it('is refused where it is missing, outside, or no file can be read', () => {
    expect(mistakes('jitter: 1ms, distribution: other.csv', files(''))).toEqual([
      expect.stringContaining('there is no such file'),
    ]);
    expect(mistakes('jitter: 1ms, distribution: ../delays.csv', files(''))).toEqual([
      expect.stringContaining('leads out of the folder'),
    ]);
    expect(mistakes('jitter: 1ms, distribution: delays.csv')).toEqual([
      expect.stringContaining('no other file can be read here'),
    ]);
    expect(mistakes('jitter: 1ms, distribution: paretto')).toEqual([
      expect.stringContaining('is none of normal, uniform, pareto'),
    ]);
  });
});

const ALL =
  'latency: 5ms, bandwidth: 100Mbps, jitter: 1ms, quantiles: "1 2 3 4 5 6 7 9", jitter_correlation: 25%, loss: 0.1%, loss_model: every 9 packets, duplicate: 1%, corrupt: 2%, reorder: 3%, reorder_distance: 4 packets, slots: 5ms, aqm: codel, overhead: vlan, mtu: 1400, rules: ["drop 3rd only syn:80, tcp:81", delay 20ms except icmp]';

it('what is written is read again', () => {
  const { topology } = load(`${ALL}, up: { loss: 1%, duplicate: 0% }`);
  const again = loadTopology(nativeText(topology), 'y.yaml').topology;
  const of = ({ links }: LoadedTopology['topology']): unknown => links.map(({ up, down }) => [up, down]);
  // Directions that differ are two links.
  expect(of(again)).toEqual([
    [topology.links[0]!.up, undefined],
    [topology.links[0]!.down, undefined],
  ]);
  const alike = load(ALL).topology;
  expect(of(loadTopology(nativeText(alike), 'y.yaml').topology)).toEqual(of(alike));
});

it('paths print them, and have them as data', () => {
  const report = pathsReport(load(ALL).topology, { from: 'a' });
  const [, line] = [...report.text()];
  for (const text of [
    '1ms own',
    'every 9 packets',
    'duplicate 1%',
    'corrupt 2%',
    'reorder 3% by 4',
    'slots 5ms',
    'codel target=5ms',
    'overhead vlan',
    'MTU 1400',
    'drop 3rd only syn:80, tcp:81; delay 20ms except icmp',
    '11.2',
  ])
    expect(line).toContain(text);
  expect([...report.rows()][0]).toMatchObject({
    loss: 0.001,
    lossModel: 'every 9 packets',
    reorderDistance: 4,
  });
});

it('other programs are told what they do not get', () => {
  const { topology } = load(ALL);
  for (const one of EXPORTS) {
    const { lost } = one.write(topology, 'x');
    for (const what of [
      'model of loss',
      'duplicates',
      'corruption',
      'reordering',
      'slots',
      'overhead of frames',
      'MTU',
      'rules for parts of the traffic',
    ])
      expect(lost.join('\n')).toContain(`no ${what} there`);
  }
});

it('the schema has every key, also within a direction', () => {
  const { properties } = JSON.parse(jsonSchemaText()).properties.links.items;
  const inside = properties.up.anyOf.find(({ type }: { type: string }) => type === 'object').properties;
  for (const { file } of FILE_PROPERTIES)
    expect([file.key in properties, file.key in inside]).toEqual([true, true]);
  expect(inside.distribution.anyOf).toContainEqual({ enum: ['normal', 'uniform', 'pareto'] });
});
