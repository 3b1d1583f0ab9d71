/** Every dimension of a file of another program, four times as large, must not take sixteen times as long to read. */
import { describe, expect, it } from 'vitest';
import { loadTopology, TopologyError } from '../../../../topology/load.ts';
import { growthOf } from '../../../support/growth.ts';

type Make = (size: number) => string;
type Dimensions = Readonly<Record<string, readonly [number, Make]>>;
const list = (size: number, one: (index: number) => string, between = '\n'): string =>
  Array.from({ length: size }, (_, index) => one(index)).join(between);

/** Only what is coded may come out. */
function read(text: string, file: string): void {
  try {
    loadTopology(text, file);
  } catch (error) {
    if (!(error instanceof TopologyError)) throw error;
  }
}

const graphml = (graph: string, keys = ''): string => `<graphml>${keys}<graph>${graph}</graph></graphml>`;
const LABEL = '<key id="l" for="node" attr.name="label"/>';
const GRAPHML: Dimensions = {
  nodes: [500, (n) => graphml(list(n, (i) => `<node id="${i}"/>`))],
  edges: [
    300,
    (n) =>
      graphml(
        list(n, (i) => `<node id="${i}"/>`) + list(n - 1, (i) => `<edge source="${i}" target="${i + 1}"/>`),
      ),
  ],
  'parallel edges': [
    500,
    (n) => graphml(`<node id="a"/><node id="b"/>${list(n, () => '<edge source="a" target="b"/>')}`),
  ],
  'edges to unknown nodes': [
    500,
    (n) => graphml(`<node id="a"/>${list(n, (i) => `<edge source="a" target="x${i}"/>`)}`),
  ],
  'equal labels': [
    500,
    (n) =>
      graphml(
        list(n, (i) => `<node id="${i}"><data key="l">Rome</data></node>`),
        LABEL,
      ),
  ],
  'labels that look like the numbered ones': [
    300,
    (n) =>
      graphml(
        list(n, (i) => `<node id="a${i}"><data key="l">Rome-${i}</data></node>`) +
          list(n, (i) => `<node id="b${i}"><data key="l">Rome</data></node>`),
        LABEL,
      ),
  ],
  'length of a label': [
    100_000,
    (n) => graphml(`<node id="0"><data key="l">${'é'.repeat(n)}</data></node>`, LABEL),
  ],
  'length of a value': [
    50_000,
    (n) =>
      graphml(
        `<node id="a"/><node id="b"/><edge source="a" target="b"><data key="y">${'1'.repeat(n)}!</data></edge>`,
        '<key id="y" for="edge" attr.name="latency"/>',
      ),
  ],
  attributes: [
    500,
    (n) =>
      graphml(
        `<node id="a">${list(n, (i) => `<data key="k${i}">x</data>`)}</node>`,
        list(n, (i) => `<key id="k${i}" for="node" attr.name="n${i}"/>`),
      ),
  ],
  'ends of a hyperedge': [
    1200,
    (n) =>
      graphml(
        `${list(n, (i) => `<node id="${i}"/>`)}<hyperedge>${list(n, (i) => `<endpoint node="${i}"/>`)}</hyperedge>`,
      ),
  ],
  nesting: [10_000, (n) => '<graphml><graph>'.repeat(n)],
  'comments before the root': [20_000, (n) => `${'<!-- x -->'.repeat(n)}<graphml`],
  'open comments before the root': [20_000, (n) => `${'<!--'.repeat(n)}<graphml`],
  entities: [10_000, (n) => graphml(`<node id="0"><data key="l">${'&x;'.repeat(n)}</data></node>`, LABEL)],
};

const GML: Dimensions = {
  nodes: [1000, (n) => `graph [ ${list(n, (i) => `node [ id ${i} ]`)} ]`],
  edges: [
    500,
    (n) =>
      `graph [ ${list(n, (i) => `node [ id ${i} ]`)} ${list(n - 1, (i) => `edge [ source ${i} target ${i + 1} latency "1 ms" ]`)} ]`,
  ],
  'keys of the graph': [1000, (n) => `graph [ ${list(n, (i) => `k${i} 1`)} ]`],
  'equal keys': [1000, (n) => `graph [ node [ id 1 ${list(n, () => 'a 1')} ] ]`],
  nesting: [20_000, (n) => 'graph [ '.repeat(n)],
  'closing brackets': [20_000, (n) => ']'.repeat(n)],
  'length of a text': [100_000, (n) => `graph [ node [ id 1 label "${'&'.repeat(n)}" ] ]`],
  'open texts': [50_000, (n) => `graph [ ${'a "'.repeat(n)}`],
  'lines before the graph': [5000, (n) => `${'a 1\n'.repeat(n)}graph [`],
  'length of a line before the graph': [100_000, (n) => `a${' '.repeat(n)}"`],
  hashes: [50_000, (n) => `graph [ a ${'# '.repeat(n)}`],
  'empty lines': [50_000, (n) => `graph [${'\n'.repeat(n)}]`],
};

const JSON_TEXT: Dimensions = {
  nodes: [1000, (n) => `{"nodes":[${list(n, (i) => `{"id":${i}}`, ',')}],"links":[]}`],
  edges: [
    500,
    (n) =>
      `{"nodes":[${list(n, (i) => `{"id":${i}}`, ',')}],"links":[${list(n - 1, (i) => `{"source":${i},"target":${i + 1}}`, ',')}]}`,
  ],
  members: [2000, (n) => `{"nodes":[{"id":1,${list(n, (i) => `"k${i}":1`, ',')}}],"links":[]}`],
  nesting: [20_000, (n) => `{"nodes":[],"links":${'['.repeat(n)}`],
  'length of a text': [100_000, (n) => `{"nodes":[{"id":"${'\\n'.repeat(n)}"}],"links":[]}`],
  'open texts': [50_000, (n) => `{"nodes":[],"links":[${'"\\"'.repeat(n)}`],
  digits: [50_000, (n) => `{"nodes":[{"id":${'1'.repeat(n)}x}],"links":[]}`],
  'white space': [100_000, (n) => `{"nodes":[],"links":[${' '.repeat(n)}]x`],
};

const xml = (nodes: string, links = ''): string =>
  `<network><networkStructure><nodes>${nodes}</nodes><links>${links}</links></networkStructure></network>`;
const SNDLIB: Dimensions = {
  nodes: [300, (n) => xml(list(n, (i) => `<node id="${i}"/>`))],
  links: [
    200,
    (n) =>
      xml(
        list(n, (i) => `<node id="${i}"/>`),
        list(n - 1, (i) => `<link id="${i}"><source>${i}</source><target>${i + 1}</target></link>`),
      ),
  ],
};

const BRITE: Dimensions = {
  nodes: [1000, (n) => `Nodes:\n${list(n, (i) => `${i} 0 0`)}`],
  edges: [
    500,
    (n) => `Nodes:\n${list(n, (i) => `${i} 0 0`)}\nEdges:\n${list(n - 1, (i) => `${i} ${i} ${i + 1} 1 1 1`)}`,
  ],
  'lines of nothing': [20_000, (n) => '\n'.repeat(n)],
  'length of a line': [100_000, (n) => `Nodes:\n${'1 '.repeat(n)}`],
};

/** Of n² cells: the side is the square root. */
const side = (n: number): number => Math.round(Math.sqrt(n));
const MATRIX: Dimensions = {
  cells: [
    2000,
    (n) =>
      `,${list(side(n), (i) => `p${i}`, ',')}\n${list(side(n), (i) => `p${i},${list(side(n), () => '1', ',')}`)}`,
  ],
  'cells of a row': [20_000, (n) => ','.repeat(n)],
  rows: [20_000, (n) => `,a\n${'a,1\n'.repeat(n)}`],
  quotes: [50_000, (n) => `,a\n"${'""'.repeat(n)}`],
  'quoted cells': [20_000, (n) => '"a",'.repeat(n)],
  'open quotes': [50_000, (n) => `${'"'.repeat(2 * n + 1)}`],
  'white space': [100_000, (n) => `,a\n${' '.repeat(n)}`],
};

const CONTAINERLAB: Dimensions = {
  nodes: [300, (n) => `topology:\n  nodes:\n${list(n, (i) => `    n${i}: { kind: linux }`)}`],
  links: [
    200,
    (n) =>
      `topology:\n  nodes:\n${list(n, (i) => `    n${i}: {}`)}\n  links:\n${list(n - 1, (i) => `    - endpoints: ["n${i}:e1", "n${i + 1}:e2"]`)}`,
  ],
  'length of a command': [50_000, (n) => `topology:\n  nodes:\n    a: { cmd: '"${'a '.repeat(n)}' }`],
};

const COMPOSE: Dimensions = {
  services: [300, (n) => `services:\n${list(n, (i) => `  s${i}: { image: a, ports: [80] }`)}`],
  networks: [
    200,
    (n) =>
      `services:\n  a: { networks: [${list(n, (i) => `n${i}`, ', ')}] }\nnetworks:\n${list(n, (i) => `  n${i}: {}`)}`,
  ],
  ports: [300, (n) => `services:\n  a: { ports: [${list(n, (i) => `"${i + 1}:${i + 1}"`, ', ')}] }`],
  variables: [1000, (n) => `services:\n  a: { environment: [${list(n, (i) => `A${i}=1`, ', ')}] }`],
};

const ns = (script: string): string => `set ns [new Simulator]\nset a [$ns node]\n${script}`;
const NS2: Dimensions = {
  nodes: [300, (n) => ns(`for {set i 0} {$i < ${n}} {incr i} {set n($i) [$ns node]}`)],
  'written nodes': [300, (n) => ns(list(n, (i) => `set n${i} [$ns node]`))],
  links: [
    200,
    (n) =>
      ns(
        `for {set i 0} {$i < ${n}} {incr i} {set n($i) [$ns node]; $ns duplex-link $a $n($i) 1Mb 1ms DropTail}`,
      ),
  ],
  'members of a LAN': [
    200,
    (n) =>
      ns(`for {set i 0} {$i < ${n}} {incr i} {lappend all [$ns node]}\nset l [$ns make-lan $all 1Mb 1ms]`),
  ],
  events: [
    300,
    (n) =>
      ns(
        `set b [$ns node]\nset l [$ns duplex-link $a $b 1Mb 1ms DropTail]\n${list(n, (i) => `$ns at ${i} "$l delay ${i % 9}ms"`)}`,
      ),
  ],
  'unknown commands': [500, (n) => ns(list(n, (i) => `nothing${i} 1`))],
  'lines of a quoted word': [20_000, (n) => ns(`set x "${'a\n'.repeat(n)}"`)],
  'quoted words of several lines': [5000, (n) => ns(list(n, () => 'set x "a\nb"'))],
  'braces in braces': [20_000, (n) => ns(`set x ${'{'.repeat(n)}${'}'.repeat(n)}`)],
  'open braces': [20_000, (n) => ns('{'.repeat(n))],
  comments: [20_000, (n) => ns('# a\n'.repeat(n))],
  'lines that go on': [20_000, (n) => ns(`set x ${'\\\n'.repeat(n)}1`)],
  'blanks before the simulator': [50_000, (n) => `set${' '.repeat(n)}x\n`],
  'words of a command': [20_000, (n) => ns(`list ${'a '.repeat(n)}`)],
  'items of a list': [20_000, (n) => ns(`llength {${'a {b} '.repeat(n)}}`)],
  substitutions: [5000, (n) => ns(`set x "${'$a '.repeat(n)}"`)],
};

const FORMATS: readonly (readonly [string, string, Dimensions])[] = [
  ['GraphML', 'a.graphml', GRAPHML],
  ['GML', 'a.gml', GML],
  ['node-link JSON', 'a.node-link.json', JSON_TEXT],
  ['SNDlib XML', 'a.sndlib.xml', SNDLIB],
  ['BRITE', 'a.brite', BRITE],
  ['latency matrix', 'a.csv', MATRIX],
  ['containerlab', 'a.clab.yml', CONTAINERLAB],
  ['Docker Compose', 'compose.yml', COMPOSE],
  ['ns-2', 'a.ns', NS2],
];

for (const [format, file, dimensions] of FORMATS) {
  describe(format, { timeout: 60_000 }, () => {
    it.each(Object.entries(dimensions))('%s', (_, [size, make]) => {
      expect(growthOf(size, (n) => read(make(n), file))).toBeLessThan(10);
    });
  });
}
