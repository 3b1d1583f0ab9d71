/**
 * Every dimension of a file, four times as large, must not take sixteen times as long to read: valid or not, in each format.
 */
import { describe, expect, it } from 'vitest';
import { loadTopology, TopologyError } from '../../../../topology/load.ts';
import { growthOf } from '../../../support/growth.ts';

type Make = (size: number) => string;
const list = (size: number, one: (index: number) => string, between = '\n'): string =>
  Array.from({ length: size }, (_, index) => one(index)).join(between);

/** Only what is coded may come out. */
function read(text: string, file: string, script?: string): void {
  try {
    loadTopology(text, file, script === undefined ? undefined : { file: 'fuzz.tdl', text: script });
  } catch (error) {
    if (!(error instanceof TopologyError)) throw error;
  }
}

/** Where inputs of the size would take longer, the size is smaller: growth shows in some ten milliseconds, too. */
const check = (size: number, reads: (size: number) => void): void =>
  expect(growthOf(size, reads)).toBeLessThan(10);

const HEAD = 'services:\n  a: {}\n';
const YAML: Readonly<Record<string, readonly [number, Make]>> = {
  services: [500, (n) => `services:\n${list(n, (i) => `  s${i}: {}`)}`],
  'services with settings': [
    200,
    (n) => `services:\n${list(n, (i) => `  s${i}: { run: x, tags: [t${i}], after: s0 }`)}`,
  ],
  bridges: [1000, (n) => `${HEAD}bridges: [${list(n, (i) => `b${i}`, ', ')}]`],
  links: [
    200,
    (n) =>
      `${HEAD}bridges: [${list(n, (i) => `b${i}`, ', ')}]\nlinks:\n${list(n, (i) => `  - { from: a, to: b${i}, latency: 1ms }`)}`,
  ],
  events: [300, (n) => `${HEAD}events:\n${list(n, (i) => `  - at ${i}s ${i % 2 ? 'join' : 'leave'} a`)}`],
  'links to unknown names': [
    200,
    (n) => `${HEAD}links:\n${list(n, (i) => `  - { from: a, to: unknown-${i} }`)}`,
  ],
  'services and links to unknown names': [
    100,
    (n) =>
      `services:\n${list(n, (i) => `  service-with-a-name-${i}: {}`)}\nlinks:\n${list(n, (i) => `  - { from: servixe-with-e-name-${i}, to: x }`)}`,
  ],
  'events for unknown tags': [
    200,
    (n) => `${HEAD}events:\n${list(n, (i) => `  - at ${i}s leave tag:t${i}`)}`,
  ],
  'services after unknown ones': [
    200,
    (n) => `services:\n${list(n, (i) => `  s${i}: { run: x, after: t${i} }`)}`,
  ],
  'unknown keys': [500, (n) => `services:\n  a: { ${list(n, (i) => `k${i}: 1`, ', ')} }`],
  'bad tags': [1000, (n) => `services:\n  a: { tags: [${list(n, () => '"1"', ', ')}] }`],
  'bad links': [500, (n) => `${HEAD}links:\n${list(n, () => '  - {}')}`],
  'duplicate keys': [500, (n) => `services:\n${list(n, () => '  a: {}')}`],
  'duplicate links': [200, (n) => `${HEAD}bridges: [s]\nlinks:\n${list(n, () => '  - { from: a, to: s }')}`],
  'length of a name': [50_000, (n) => `services:\n  ${'a'.repeat(n)}: {}`],
  'length of a text': [50_000, (n) => `services:\n  a: { run: "${'x'.repeat(n)}" }`],
  digits: [
    20_000,
    (n) => `${HEAD}bridges: [s]\nlinks:\n  - { from: a, to: s, latency: "${'1'.repeat(n)}!" }`,
  ],
  tags: [1000, (n) => `services:\n  a: { tags: [${list(n, (i) => `t${i}`, ', ')}] }`],
  comments: [5000, (n) => `${HEAD}${list(n, (i) => `# comment ${i}`)}`],
  'length of a comment': [100_000, (n) => `${HEAD}# ${'-'.repeat(n)}`],
  'empty lines': [20_000, (n) => `${HEAD}${'\n'.repeat(n)}`],
  anchors: [300, (n) => `services:\n${list(n, (i) => `  s${i}: &a${i} {}`)}`],
  aliases: [100, (n) => `services:\n  a: &a {}\n${list(n, (i) => `  s${i}: *a`)}`],
  'anchors and aliases': [100, (n) => `services:\n${list(n, (i) => `  s${i}: &a${i} {}\n  t${i}: *a${i}`)}`],
  'nested brackets': [50_000, (n) => `a: ${'['.repeat(n)}`],
  'nested lists': [50_000, (n) => '- '.repeat(n)],
  'nested keys': [200, (n) => list(n, (i) => `${' '.repeat(i)}a:`)],
  dashes: [50_000, (n) => '-'.repeat(n)],
  'lines of dashes': [50_000, (n) => '-\n'.repeat(n)],
  'keys without a value': [20_000, (n) => list(n, (i) => `k${i}:`)],
};

const xml = (services: string, rest = ''): string =>
  `<experiment><services><service name="a" image="i"/>${services}</services>${rest}</experiment>`;
const XML: Readonly<Record<string, readonly [number, Make]>> = {
  services: [500, (n) => xml(list(n, (i) => `<service name="s${i}" image="i"/>`))],
  bridges: [500, (n) => xml('', `<bridges>${list(n, (i) => `<bridge name="b${i}"/>`)}</bridges>`)],
  links: [
    200,
    (n) =>
      xml(
        '',
        `<bridges>${list(n, (i) => `<bridge name="b${i}"/>`)}</bridges><links>${list(n, (i) => `<link origin="a" dest="b${i}" latency="1" upload="1Mbps"/>`)}</links>`,
      ),
  ],
  'links to unknown names': [
    100,
    (n) =>
      xml(
        list(n, (i) => `<service name="service-with-a-name-${i}" image="i"/>`),
        `<links>${list(n, (i) => `<link origin="servixe-with-e-name-${i}" dest="x" latency="1"/>`)}</links>`,
      ),
  ],
  events: [
    300,
    (n) =>
      xml(
        '',
        `<dynamic>${list(n, (i) => `<schedule name="a" time="${i}" action="${i % 2 ? 'leave' : 'join'}"/>`)}</dynamic>`,
      ),
  ],
  'events for unknown names': [
    300,
    (n) => xml('', `<dynamic>${list(n, (i) => `<schedule name="x${i}" time="1" action="join"/>`)}</dynamic>`),
  ],
  attributes: [1000, (n) => xml(`<service name="b" image="i" ${list(n, (i) => `imagx${i}="1"`, ' ')}/>`)],
  'length of a name': [50_000, (n) => xml(`<service name="${'a'.repeat(n)}" image="i"/>`)],
  digits: [20_000, (n) => xml('', `<links><link origin="a" dest="a" latency="${'1'.repeat(n)}!"/></links>`)],
  'equals signs': [10_000, (n) => `<experiment ${'a='.repeat(n)}/>`],
  quotes: [20_000, (n) => `<experiment a=${'"'.repeat(n)}/>`],
  ampersands: [50_000, (n) => xml(`<service name="${'&'.repeat(n)}" image="i"/>`)],
  entities: [10_000, (n) => xml(`<service name="${'&x;'.repeat(n)}" image="i"/>`)],
  nesting: [10_000, (n) => '<a>'.repeat(n)],
  comments: [2000, (n) => xml(list(n, (i) => `<!-- ${i} -->`))],
  'dashes of a comment': [100_000, (n) => xml(`<!--${'-'.repeat(n)}-->`)],
  'open comments': [20_000, (n) => xml('<!--'.repeat(n))],
  'processing instructions': [20_000, (n) => `${'<?x '.repeat(n)}`],
  'white space': [100_000, (n) => `<experiment${' '.repeat(n)}a`],
};

const NET =
  'services:\n  a: { replicas: 4, tags: [t] }\n  z: {}\nbridges: [s]\nlinks:\n  - { from: a, to: s }\n  - { from: z, to: s }\n';
const SCRIPT: Readonly<Record<string, readonly [number, Make]>> = {
  services: [500, (n) => list(n, (i) => `service n${i} image=i`)],
  bridges: [500, (n) => list(n, (i) => `bridge n${i}`)],
  links: [
    200,
    (n) => `${list(n, (i) => `bridge n${i}`)}\n${list(n, (i) => `link a--n${i} latency=1 up=1Mbps`)}`,
  ],
  'links to unknown names': [200, (n) => list(n, (i) => `link a--unknown-${i} latency=1 up=1Mbps`)],
  events: [300, (n) => list(n, (i) => `at ${i}s a ${i % 2 ? 'join' : 'leave'}`)],
  'events for unknown tags': [200, (n) => list(n, (i) => `at ${i}s tags=x${i} leave`)],
  digits: [2000, (n) => `at 1s a--s set latency=${'1'.repeat(n)}!`],
  'length of a line': [50_000, (n) => `at 1s ${'a'.repeat(n)}`],
  brackets: [2000, (n) => `service x command=${'['.repeat(n)}`],
  comments: [3000, (n) => list(n, (i) => `# ${i}`)],
  'empty lines': [20_000, (n) => '\n'.repeat(n)],
};

describe('YAML', { timeout: 60_000 }, () => {
  it.each(Object.entries(YAML))('%s', (_, [size, make]) => check(size, (n) => read(make(n), 'a.yaml')));
});

describe('Kollaps XML', { timeout: 60_000 }, () => {
  it.each(Object.entries(XML))('%s', (_, [size, make]) => check(size, (n) => read(make(n), 'a.xml')));
});

describe('ThunderStorm', { timeout: 60_000 }, () => {
  it.each(Object.entries(SCRIPT))('%s', (_, [size, make]) =>
    check(size, (n) => read(NET, 'a.yaml', make(n))),
  );
});

describe('more than the stack has room for is coded', { timeout: 60_000 }, () => {
  it.each([['tags', `services:\n  a: { tags: [${list(150_000, () => '1', ',')}] }`]])('%s', (_, text) => {
    expect(() => loadTopology(text, 'a.yaml')).toThrow(TopologyError);
  });
});

describe('what no topology is takes no second', { timeout: 60_000 }, () => {
  it.each([
    ['megabytes of dashes', '-\n'.repeat(2e6), /without a value/],
    ['a deep list in each line', `${'- '.repeat(199)}x\n`.repeat(10_000), /nested too deep/],
    [
      'thousands of aliases',
      `services:\n  a: &a {}\n${list(2000, (i) => `  s${i}: *a`)}`,
      /more than 1000 aliases/,
    ],
  ])('%s', (_, text, message) => {
    expect(() => loadTopology(text, 'a.yaml')).toThrow(message);
  });

  it('but lists may begin below their keys', () => {
    const services = list(1500, (i) => `  s${i}:\n    tags:\n    - t\n`, '');
    expect(loadTopology(`services:\n${services}`, 'a.yaml').topology.services).toHaveLength(1500);
  });
});
