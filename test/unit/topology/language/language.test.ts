import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadTopology } from '../../../../topology/load.ts';
import type { Topology } from '../../../../topology/model/model.ts';
import { errors, load, placeOf, type Written } from './support.ts';

const PAIR = 'services: { a: {}, b: {} }\n';
const linkOf = (text: string, written?: Written) => load(`${PAIR}${text}`, written).topology.links[0]!;
const namesOf = ({ services, bridges }: Topology): string[] =>
  [...services, ...bridges].map(({ name }) => name);
const without = ({ services, bridges, links, routes = [], events, ...rest }: Topology): unknown =>
  JSON.parse(
    JSON.stringify({ ...rest, services, bridges, links, routes, events }, (key, value) =>
      key === 'position' ? undefined : value === Number.POSITIVE_INFINITY ? 'unlimited' : value,
    ),
  );

describe('variables', () => {
  const FILE =
    'vars: { delay: 20ms, half: 2.5, racks: 3 }\nservices: { a: { replicas: "${racks}" }, b: {} }\nlinks:\n  - { from: a, to: b, latency: "${delay}", jitter: "${half * 2}ms" }\n';

  it('stand for texts and numbers', () => {
    const { topology } = load(FILE);
    expect(topology.services[0]!.replicas).toBe(3);
    expect(topology.links[0]!.up).toMatchObject({ latency: 20_000, jitter: 5_000 });
  });

  it('are set from outside', () => {
    const { topology } = load(FILE, { set: { delay: '7ms', racks: '4', half: '1' } });
    expect(topology.services[0]!.replicas).toBe(4);
    expect(topology.links[0]!.up).toMatchObject({ latency: 7_000, jitter: 2_000 });
  });

  it.each([
    ['1 + 2 * 3', '7'],
    ['(1 + 2) * 3', '9'],
    ['7 % 4', '3'],
    ['(0 - 1) % 4', '3'],
    ['-1 + 4', '3'],
    ['7 / 2', '3.5'],
    ['0.1 + 0.2', '0.3'],
    ['x * x', '25'],
  ])('%s is %s', (expression, result) => {
    expect(
      linkOf(`vars: { x: 5 }\nlinks: [ { from: a, to: b, latency: "\${${expression} + x - x}ms" } ]`).up
        .latency,
    ).toBe(Number(result) * 1000);
  });

  it('refer to each other', () => {
    expect(
      linkOf('vars: { a1: "${b1}", b1: "${c1}ms", c1: 4 }\nlinks: [ { from: a, to: b, latency: "${a1}" } ]')
        .up.latency,
    ).toBe(4_000);
  });

  it.each([
    ['latency: "${delya}"', 32, 'VARIABLE_UNKNOWN', 'did you mean "delay"?'],
    ['latency: "${delay"', 32, 'UNIT', ''],
    ['latency: "${1 +}"', 32, 'VALUE_INVALID', ''],
    ['latency: "${delay * 2}"', 32, 'VALUE_INVALID', 'write the unit after the braces'],
    ['loss: "${delay}"', 29, 'UNIT', ''],
    ['latency: "${1 / 0}ms"', 32, 'VALUE_INVALID', ''],
  ])('%s is refused where it stands', (field, column, code, remedy) => {
    const [first] = errors(`vars: { delay: 20ms }\n${PAIR}links:\n  - { from: a, to: b, ${field} }`);
    expect(placeOf(first!)).toBe(`lab/main.yaml:4:${column} ${code}`);
    expect(first!.remedy).toContain(remedy);
  });

  it('refuse circles, names that are none, and what --set does not find', () => {
    expect(
      errors(`vars: { x: "\${y}", y: "\${x}" }\n${PAIR}links: [ { from: a, to: b, latency: "\${x}" } ]`).map(
        ({ code }) => code,
      ),
    ).toContain('VARIABLE_CIRCLE');
    expect(errors(`vars: { a-b: 1 }\n${PAIR}`)[0]).toMatchObject({
      code: 'NAME_INVALID',
      line: 1,
      column: 9,
    });
    expect(errors(`vars: { delay: 1ms }\n${PAIR}`, { set: { delai: '2ms' } })[0]).toMatchObject({
      code: 'VARIABLE_UNKNOWN',
      remedy: 'did you mean "delay"?',
    });
    expect(errors(PAIR, { set: { x: '1' } })[0]!.code).toBe('VARIABLE_UNKNOWN');
    expect(errors('vars: [1]\nservices: { a: {} }')[0]!.code).toBe('VALUE_INVALID');
  });

  it('that nothing uses are told', () => {
    const { warnings } = load(
      `vars: { x: 1, y: 2ms }\n${PAIR}links: [ { from: a, to: b, latency: "\${y}" } ]`,
    );
    expect(warnings.map(({ code, line, column }) => [code, line, column])).toEqual([
      ['VARIABLE_UNUSED', 1, 9],
    ]);
  });

  it('leave what is the shell’s', () => {
    const { topology } = load(
      'vars: { port: 80 }\nservices:\n  a: { run: "echo ${HOME} ${port} ${x:-1} $${port}", env: { P: "${port}", Q: "${HOME}" } }\n  b: {}\nlinks: [ { from: a, to: b } ]\nevents:\n  - at ${port}s run a "echo ${HOME} ${port}"\n',
    );
    expect(topology.services[0]).toMatchObject({
      run: 'echo ${HOME} 80 ${x:-1} ${port}',
      env: { P: '80', Q: '${HOME}' },
    });
    expect(topology.events[0]).toMatchObject({ at: 80e6, action: { command: 'echo ${HOME} 80' } });
  });

  it('do not change a file without them', () => {
    const text = 'services: { a: { run: "echo ${HOME} $${x}" }, b: {} }\nlinks: [ { from: a, to: b } ]';
    expect(load(text).topology.services[0]!.run).toBe('echo ${HOME} $${x}');
  });
});

describe('ranges', () => {
  it('make services, bridges, links, routes and events', () => {
    const { topology } = load(`
services:
  "server[1..3]": { run: "serve \${n}", replicas: "\${n}" }
bridges: ["s[01..02]"]
links:
  - { from: "server[1..3]", to: "s0\${n % 2 + 1}", latency: "\${n}ms" }
  - { from: s01, to: s02 }
routes: ["server[2..2] > s01 > s02 > server1"]
events:
  - "at \${n}s crash server[1..3]"
`);
    expect(namesOf(topology)).toEqual(['server1', 'server2', 'server3', 's01', 's02']);
    expect(topology.services.map(({ run, replicas }) => [run, replicas])).toEqual([
      ['serve 1', 1],
      ['serve 2', 2],
      ['serve 3', 3],
    ]);
    expect(topology.links.map(({ from, to, up }) => `${from} ${to} ${up.latency}`)).toEqual([
      'server1 s02 1000',
      'server2 s01 2000',
      'server3 s02 3000',
      's01 s02 0',
    ]);
    expect(topology.routes!.map(({ nodes }) => nodes.join())).toEqual(['server2,s01,s02,server1']);
    expect(topology.events.map(({ at }) => at)).toEqual([1e6, 2e6, 3e6]);
  });

  it('make every combination, with names for their numbers', () => {
    const { topology } = load(
      'services: { "a[1..2]": {} }\nbridges: ["s[1..2]"]\nlinks: [ { from: "a[i=1..2]", to: "s[j=1..2]", latency: "${10 * i + j}ms" } ]',
    );
    expect(topology.links.map(({ from, to, up }) => `${from} ${to} ${up.latency / 1000}`)).toEqual([
      'a1 s1 11',
      'a1 s2 12',
      'a2 s1 21',
      'a2 s2 22',
    ]);
  });

  it('name replicas, for settings of each', () => {
    const { topology } = load(
      'services: { a: { replicas: 3 }, b: {} }\nlinks: [ { from: "a.[0..2]", to: b, latency: "${n * 10}ms" } ]',
    );
    expect(topology.links.map(({ from, up }) => `${from} ${up.latency}`)).toEqual([
      'a.0 0',
      'a.1 10000',
      'a.2 20000',
    ]);
  });

  it('have bounds of variables', () => {
    expect(namesOf(load('vars: { k: 3 }\nservices: { "a[1..${k}]": {} }').topology)).toEqual([
      'a1',
      'a2',
      'a3',
    ]);
  });

  it.each([
    ['services: { "a[3..1]": {} }', 'VALUE_INVALID'],
    ['services: { "a[1..999999999]": {} }', 'LIMIT'],
    ['services: { "a[1..900]": {} }\nlinks: [ { from: "a[i=1..900]", to: "a[j=1..900]" } ]', 'LIMIT'],
    [
      'services: { "a[1..2]": {}, "b[1..2]": {} }\nlinks: [ { from: "a[1..2]", to: "b[1..2]", latency: "${n}ms" } ]',
      'VALUE_INVALID',
    ],
    ['services: { a1: {}, "a[1..2]": {} }', 'NAME_DUPLICATE'],
    ['services: { "a[1..]": {} }', 'NAME_INVALID'],
  ])('%s is refused', (text, code) => {
    expect(errors(text)[0]!.code).toBe(code);
  });
});

describe('defaults, profiles and places', () => {
  it('give what a link does not say', () => {
    const FILE = 'defaults: { link: { latency: 3ms, bandwidth: 10Mbps }, service: { replicas: 2 } }\n';
    const { up, down } = linkOf(`${FILE}links: [ { from: a, to: b, up: 1Mbps } ]`);
    expect([up.latency, up.bandwidth, down!.latency, down!.bandwidth]).toEqual([3000, 1e6, 3000, 10e6]);
    expect(linkOf(`${FILE}links: [ { from: a, to: b, bandwidth: 5Mbps, latency: 1ms } ]`).down).toMatchObject(
      { latency: 1000, bandwidth: 5e6 },
    );
    expect(linkOf(`${FILE}links: [ { from: a, to: b, oneway: true } ]`)).not.toHaveProperty('down');
    expect(load(`${FILE}${PAIR}`).topology.services[1]!.replicas).toBe(2);
  });

  it('have built-in profiles, and those of the file', () => {
    expect(linkOf('links: [ { from: a, to: b, profile: dsl } ]')).toMatchObject({
      up: { latency: 25_000, bandwidth: 384e3 },
      down: { bandwidth: 1.5e6 },
    });
    expect(
      linkOf('links: [ { from: a, to: b, profile: dsl, latency: 1ms, bandwidth: 9Mbps } ]'),
    ).toMatchObject({ up: { latency: 1_000, bandwidth: 9e6 }, down: { bandwidth: 9e6 } });
    expect(
      linkOf('profiles: { dsl: { latency: 9ms } }\nlinks: [ { from: a, to: b, profile: dsl } ]').up,
    ).toMatchObject({ latency: 9_000, bandwidth: Number.POSITIVE_INFINITY });
    expect(linkOf('vars: { p: leo }\nlinks: [ { from: a, to: b, profile: "${p}" } ]').up.latency).toBe(
      16_500,
    );
  });

  it('give the latency of a distance', () => {
    // Bern and Zurich: 95.5 km; 1.5 times that, 5 µs each.
    const places = 'services: { a: { location: [46.948, 7.447] }, b: { location: [47.377, 8.542] } }\n';
    const link = (text: string): number => load(`${places}${text}`).topology.links[0]!.up.latency;
    expect(link('links: [ { from: a, to: b } ]')).toBeGreaterThan(700);
    expect(link('links: [ { from: a, to: b } ]')).toBeLessThan(730);
    expect(link('distance: { factor: 3 }\nlinks: [ { from: a, to: b } ]')).toBe(1_433);
    expect(link('links: [ { from: a, to: b, latency: 9ms } ]')).toBe(9_000);
    expect(link('defaults: { link: { latency: 9ms } }\nlinks: [ { from: a, to: b } ]')).toBeLessThan(730);
  });

  it.each([
    [`${PAIR}links:\n  - { from: a, to: b, profile: dls }`, 'lab/main.yaml:3:32 PROFILE_UNKNOWN'],
    [`defaults:\n  link: { latencie: 1ms }\n${PAIR}`, 'lab/main.yaml:2:11 KEY_UNKNOWN'],
    [`defaults:\n  link:\n    latency: 10\n${PAIR}links: [ { from: a, to: b } ]`, 'lab/main.yaml:3:14 UNIT'],
    [
      `profiles:\n  x: { loss: 300% }\n${PAIR}links: [ { from: a, to: b, profile: x } ]`,
      'lab/main.yaml:2:14 UNIT',
    ],
    ['services:\n  a: { location: [91, 0] }', 'lab/main.yaml:2:18 VALUE_INVALID'],
    [`distance: { factor: 0.5 }\n${PAIR}`, 'lab/main.yaml:1:21 VALUE_INVALID'],
  ])('%s is refused where it is written', (text, place) => {
    expect(placeOf(errors(text)[0]!)).toBe(place);
  });
});

describe('include', () => {
  const MAIN =
    'include: racks/one.yaml\nvars: { delay: 9ms }\nservices: { client: {} }\nlinks: [ { from: client, to: s1, latency: "${delay}" } ]';
  const ONE =
    'include: [two.yaml]\nvars: { delay: 1ms, other: 2ms }\nservices: { server: {} }\nbridges: [s1]\nlinks: [ { from: server, to: s1, latency: "${other}" } ]';

  it('adds what another file has, relative to it', () => {
    const { topology, warnings } = load(MAIN, {
      files: { 'lab/racks/one.yaml': ONE, 'lab/racks/two.yaml': 'bridges: { s2: {} }\nname: other' },
    });
    expect(namesOf(topology)).toEqual(['server', 'client', 's2', 's1']);
    expect(topology.links.map(({ from, up }) => [from, up.latency])).toEqual([
      ['server', 2000],
      ['client', 9000],
    ]);
    expect(topology.services[0]!.position.file).toBe('lab/racks/one.yaml');
    expect(warnings.map(({ code, file }) => [code, file])).toEqual([
      ['BRIDGE_UNLINKED', 'lab/racks/two.yaml'],
    ]);
  });

  it('counts a file once, and refuses circles', () => {
    const twice = {
      'lab/a.yaml': 'include: c.yaml\nservices: { a: {} }',
      'lab/b.yaml': 'include: ./c.yaml',
      'lab/c.yaml': 'services: { c: {} }',
    };
    expect(namesOf(load('include: [a.yaml, b.yaml]', { files: twice }).topology)).toEqual(['c', 'a']);
    const [circle] = errors('include: a.yaml', {
      files: { 'lab/a.yaml': 'services: { a: {} }\ninclude: [main.yaml]' },
    });
    expect(placeOf(circle!)).toBe('lab/a.yaml:2:11 INCLUDE');
  });

  it('stays in the folder unless asked', () => {
    const files = { 'other/x.yaml': 'services: { a: {} }', '/etc/x.yaml': 'services: { a: {} }' };
    for (const path of ['../other/x.yaml', '/etc/x.yaml', 'sub/../../other/x.yaml']) {
      expect(errors(`include: ${path}`, { files })[0]!.code).toBe('INCLUDE');
      expect(namesOf(load(`include: ${path}`, { files, outside: true }).topology)).toEqual(['a']);
    }
  });

  it.each([
    ['services: { a: {} }\nlinks:\n  - { from: a, to: x }', 'lab/x.yaml:3:20 NAME_UNKNOWN'],
    ['links:\n  - { from: client, to: s, latency: 10 }\nbridges: [s]', 'lab/x.yaml:2:37 UNIT'],
    ['services: { client: {} }', 'lab/main.yaml:2:13 NAME_DUPLICATE'],
    ['services: { a: [ }', 'lab/x.yaml:1:18 YAML_SYNTAX'],
    ['- a', 'lab/x.yaml:1:1 NOT_A_TOPOLOGY'],
    ['a: \0', 'lab/x.yaml:1:1 FILE_NOT_TEXT'],
    ['services: { a: { replicas: "${k}" } }', 'lab/x.yaml:1:28 VARIABLE_UNKNOWN'],
    ['events:\n  - at 1s crash nobody\nservices: {}', 'lab/x.yaml:2:17 NAME_UNKNOWN'],
  ])('points into the file of %s', (text, place) => {
    const found = errors('include: x.yaml\nservices: { client: {} }', { files: { 'lab/x.yaml': text } });
    expect(found.map(placeOf)).toContain(place);
  });

  it('says what can’t be read', () => {
    expect(errors('include: none.yaml')[0]!.message).toContain('there is no such file');
    expect(() => loadTopology('include: x.yaml', 'main.yaml')).toThrow(/no other file can be read/);
  });
});

describe('the expanded file', () => {
  const FILE = `
vars: { k: 2, delay: 3ms }
defaults: { link: { bandwidth: 100Mbps } }
services:
  "web[1..2]": { replicas: "\${k}", run: "echo \${HOME} \${n} $\${k}", env: { N: "\${n}" } }
  db: { location: [0, 0], ready: { port: "8\${k}" }, run: x }
bridges: { s: { location: [1, 1], tags: [core] } }
matrix: { groups: { eu: "web[1..2]", us: db }, rtt: { eu: { us: 70ms }, us: { eu: 90ms } }, loss: 1% }
links:
  - { from: db, to: s }
  - { from: db, to: s, name: spare, profile: geo }
events:
  - at \${k}s set db--s:spare latency=1s
  - at 3s run db "echo \${k}"
`;

  it('gives the same topology, and stays as it is', () => {
    const { topology, expanded } = load(FILE);
    const text = expanded!();
    const again = loadTopology(text, 'lab/main.yaml');
    expect(again.expanded).toBeUndefined();
    expect(without(again.topology)).toEqual(without(topology));
    expect(text).not.toMatch(/vars|defaults|matrix|profile/);
    // Places stay in it, for pictures.
    expect(again.topology.services.find(({ name }) => name === 'db')!.location).toEqual([0, 0]);
    expect(again.topology.bridges[0]!.location).toEqual([1, 1]);
    expect(topology.services.find(({ name }) => name === 'db')!.ready).toMatchObject({ check: { port: 82 } });
  });

  it('is not made of a file that has nothing to expand', () => {
    expect(load(PAIR).expanded).toBeUndefined();
  });

  it('gives the same for any texts in commands', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (run) => {
        fc.pre(!/[\p{Cc}\p{Cs}\uFFFD\uFEFF\uFFFE\uFFFF]|\$\{/u.test(run));
        const { topology, expanded } = load(
          `vars: { x: 1 }\nservices: { a: { run: ${JSON.stringify(`\${x} ${run}`)} } }`,
        );
        expect(topology.services[0]!.run).toBe(`1 ${run}`);
        expect(loadTopology(expanded!(), 'x.yaml').topology.services[0]!.run).toBe(`1 ${run}`);
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});
