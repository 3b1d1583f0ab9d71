/** How long `netfold check` takes for files of many links, and how much memory: of the whole process, beginning with its start. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { megabytes, millisToSeconds } from '../../proto/units.ts';
import { BenchError } from '../errors.ts';
import { atMost } from '../measure/durations.ts';
import { median } from '../measure/statistics.ts';
import type { Row, Table } from '../report/model.ts';

const NETFOLD = join(import.meta.dirname, '..', '..', 'bin', 'netfold');
const MANY = 100_000;
const FEWER = MANY / 4;
const LINES = 1000;
const MANY_MB = 1000;
const BYTES_PER_KILOBYTE = 1024;

/** Links of which each node has five to its next ones in a circle. */
const LINKS_PER_NODE = 5;

interface Format {
  readonly name: string;
  readonly ending: string;
  readonly text: (links: number) => string;
  readonly boundMs: number;
}

const FORMATS: readonly Format[] = [
  { name: 'native YAML', ending: 'yaml', text: yamlText, boundMs: 10_000 },
  { name: 'GraphML', ending: 'graphml', text: graphmlText, boundMs: 5000 },
];

function* pairs(links: number): Generator<[from: number, to: number]> {
  const nodes = Math.floor(links / LINKS_PER_NODE);
  for (let link = 0; link < nodes * LINKS_PER_NODE; link++) {
    const from = Math.floor(link / LINKS_PER_NODE);
    yield [from, (from + 1 + (link % LINKS_PER_NODE)) % nodes];
  }
}

/** A valid file of so many links, and two more. */
export function yamlText(links: number): string {
  const nodes = Math.floor(links / LINKS_PER_NODE);
  return [
    'services: { client: {}, server: {} }',
    'bridges:',
    ...Array.from({ length: nodes }, (_, node) => `  - s${node}`),
    'links:',
    '  - { from: client, to: s0, latency: 1ms }',
    `  - { from: server, to: s${nodes >> 1}, latency: 1ms }`,
    ...Array.from(
      pairs(links),
      ([from, to], link) =>
        `  - { from: s${from}, to: s${to}, latency: ${1 + (link % 90)}ms, bandwidth: 100Mbps, loss: 0.1% }`,
    ),
    '',
  ].join('\n');
}

export function graphmlText(edges: number): string {
  const nodes = Math.floor(edges / LINKS_PER_NODE);
  return [
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">',
    '<key id="d0" for="edge" attr.name="latency" attr.type="string"/>',
    '<graph edgedefault="undirected">',
    ...Array.from({ length: nodes }, (_, node) => `<node id="${node}"/>`),
    ...Array.from(
      pairs(edges),
      ([from, to], edge) =>
        `<edge source="${from}" target="${to}"><data key="d0">${1 + (edge % 90)} ms</data></edge>`,
    ),
    '</graph></graphml>',
    '',
  ].join('\n');
}

interface Checked {
  readonly ms: number;
  /** The most that the process had. */
  readonly bytes: number;
}

const SAYS_MEMORY = `data:text/javascript,process.on('exit',()=>console.error('maxRSS='+process.resourceUsage().maxRSS))`;

/** Throws `BenchError` if the file is not valid. */
function check(file: string): Checked {
  const began = performance.now();
  const { status, stderr } = spawnSync(NETFOLD, ['check', '--json', file], {
    ...{ encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] },
    env: { ...process.env, NODE_OPTIONS: `--import=${SAYS_MEMORY}` },
  });
  const ms = performance.now() - began;
  const kilobytes = Number(/maxRSS=(\d+)/.exec(stderr)?.[1]);
  if (status !== 0 || Number.isNaN(kilobytes)) throw new BenchError('COMMAND_FAILED', stderr.slice(0, 500));
  return { ms, bytes: kilobytes * BYTES_PER_KILOBYTE };
}

/** Needs no root. */
export function measureReading(quick: boolean, say: (text: string) => void): Table {
  const folder = mkdtempSync(join(tmpdir(), 'netfold-bench-'));
  try {
    const times = (text: string, ending: string, runs: number): readonly Checked[] => {
      const file = join(folder, `bench.${ending}`);
      writeFileSync(file, text);
      return Array.from({ length: runs }, () => check(file));
    };
    // The first one compiles.
    const small = times(yamlText(LINES), 'yaml', quick ? 4 : 11).slice(1);
    const rows: Row[] = [
      atMost(
        `${LINES.toLocaleString('en')} links, YAML`,
        'ms',
        300,
        small.map(({ ms }) => ms),
      ),
    ];
    for (const { name, ending, text, boundMs } of FORMATS) {
      const runs = quick ? 1 : 3;
      const [fewer, many] = [times(text(FEWER), ending, runs), times(text(MANY), ending, runs)];
      say(
        `${name}: ${MANY.toLocaleString('en')} links in ${millisToSeconds(median(many.map(({ ms }) => ms))).toFixed(1)} s`,
      );
      const what = `${MANY.toLocaleString('en')} links, ${name}`;
      const growth = many.map(({ ms }, run) => ms / fewer[run]!.ms);
      rows.push(
        atMost(
          what,
          'ms',
          boundMs,
          many.map(({ ms }) => ms),
        ),
        atMost(
          `${what}: memory`,
          'MB',
          MANY_MB,
          many.map(({ bytes }) => megabytes(bytes)),
        ),
        atMost(
          `${what}: by the time of a quarter`,
          'factor',
          5,
          growth,
          'linear: 4, less what a start takes',
        ),
      );
    }
    return {
      id: 'reading',
      title: 'netfold check of large files',
      source: 'no table of the literature; the bounds are netfold’s own',
      method:
        'The whole process, from its start: reading, checking, expanding. Bridges in a circle, each linked to the next five. The median counts.',
      sampled: 'runs',
      rows,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
