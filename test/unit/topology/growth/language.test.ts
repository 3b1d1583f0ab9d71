/** Every dimension of what is expanded, four times as large, must not take sixteen times as long to read. */
import { describe, expect, it } from 'vitest';
import { loadTopology, TopologyError } from '../../../../topology/load.ts';
import { growthOf } from '../../../support/growth.ts';

type Make = (size: number) => string;
const list = (size: number, one: (index: number) => string, between = '\n'): string =>
  Array.from({ length: size }, (_, index) => one(index)).join(between);
const HEAD = 'services: { a: {} }\n';

/** Only what is coded may come out. */
function read(text: string): void {
  const table = list(text.length / 100, (i) => `${i},1`);
  try {
    loadTopology(text, 'main.yaml', undefined, undefined, {
      read: (path) => ({ text: path.endsWith('.csv') ? table : 'bridges: [s]' }),
    }).expanded?.();
  } catch (error) {
    if (!(error instanceof TopologyError)) throw error;
  }
}

const DIMENSIONS: Readonly<Record<string, readonly [number, Make]>> = {
  variables: [200, (n) => `vars:\n${list(n, (i) => `  v${i}: ${i}`)}\n${HEAD}`],
  'variables of variables': [
    200,
    (n) => `vars:\n${list(n, (i) => `  v${i}: "\${v${i + 1}}"`)}\n  v${n}: 1\n${HEAD}name: "a\${v0}"`,
  ],
  'variables that double': [
    10,
    (n) =>
      `vars:\n${list(n, (i) => `  v${i}: "\${v${i + 1}}\${v${i + 1}}"`)}\n  v${n}: 1\n${HEAD}name: "a\${v0}"`,
  ],
  'unknown variables': [300, (n) => `${HEAD}bridges: [${list(n, (i) => `"b\${x${i}}"`, ', ')}]`],
  'variables in a text': [2000, (n) => `vars: { x: 1 }\nservices: { a: { run: "${'${x} '.repeat(n)}" } }`],
  'open braces in a text': [20_000, (n) => `vars: { x: 1 }\nservices: { a: { run: "${'${'.repeat(n)}" } }`],
  'length of an expression': [20_000, (n) => `${HEAD}name: "\${${'1+'.repeat(n)}1}"`],
  'parentheses of an expression': [20_000, (n) => `${HEAD}name: "\${${'('.repeat(n)}}"`],
  'length of a range': [
    500,
    (n) =>
      `services: { "a[1..${n}]": { run: "x \${n}" } }\nbridges: [s]\nlinks: [ { from: "a[1..${n}]", to: s } ]`,
  ],
  'ranges of a name': [500, (n) => `${HEAD}bridges: ["b${'[1..1]'.repeat(n)}"]`],
  'backward ranges': [500, (n) => `${HEAD}bridges: [${list(n, () => '"b[2..1]"', ', ')}]`],
  'equal names of ranges': [300, (n) => `services: {${list(n, () => '"a[1..2]": {}', ', ')}}`],
  'quotes of an event': [5000, (n) => `vars: { x: 1 }\n${HEAD}events:\n  - 'at 1s run a ${'"'.repeat(n)}'`],
  'links with defaults': [
    100,
    (n) =>
      `defaults: { link: { latency: 1ms, loss: 1% } }\n${HEAD}bridges: ["b[1..${n}]"]\nlinks:\n${list(n, (i) => `  - { from: a, to: b${i + 1}, profile: dsl }`)}`,
  ],
  'a wrong default': [
    100,
    (n) =>
      `defaults: { link: { latency: fast } }\n${HEAD}bridges: ["b[1..${n}]"]\nlinks: [ { from: a, to: "b[1..${n}]" } ]`,
  ],
  'unknown profiles': [
    200,
    (n) =>
      `${HEAD}bridges: ["b[1..${n}]"]\nlinks:\n${list(n, (i) => `  - { from: a, to: b${i + 1}, profile: p${i} }`)}`,
  ],
  includes: [200, (n) => `include: [${list(n, (i) => `f${i}.yaml`, ', ')}]\n${HEAD}`],
  'rows of a matrix': [
    15,
    (n) =>
      `services: { ${list(n, (i) => `a${i}: {}`, ', ')} }\nmatrix:\n  rtt:\n${list(n, (i) => `    a${i}: { ${list(n, (j) => `a${j}: 1ms`, ', ')} }`)}`,
  ],
  'rows of a table': [1000, (n) => `${HEAD}matrix: { rtt: x.csv }\n#${'.'.repeat(100 * n)}`],
  'members of a group': [
    300,
    (n) => `services: { "a[1..${n}]": {} }\nmatrix: { rtt: 1ms, groups: { x: "a[1..${n}]" } }`,
  ],
  'unknown members': [300, (n) => `${HEAD}matrix: { rtt: 1ms, groups: { x: "b[1..${n}]" } }`],
  routes: [
    100,
    (n) =>
      `services: { "a[1..${n}]": {}, b: {} }\nbridges: [s]\nlinks: [ { from: "a[1..${n}]", to: s }, { from: s, to: b } ]\nroutes: ["a[1..${n}] <> s <> b"]`,
  ],
  'nodes of a route': [20_000, (n) => `${HEAD}routes: [ "a${' > a'.repeat(n)}" ]`],
};

describe('the language of files', () => {
  it.each(Object.entries(DIMENSIONS))('%s', (name, [size, make]) => {
    // A matrix has each with each.
    expect(growthOf(size, (n) => read(make(n)))).toBeLessThan(name === 'rows of a matrix' ? 40 : 10);
  });
});
