import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { micros } from '../../../../proto/units.ts';
import { eventLine } from '../../../../topology/events/write.ts';
import { nativeText } from '../../../../topology/formats/native/write.ts';
import { loadTopology } from '../../../../topology/load.ts';
import type { Topology } from '../../../../topology/model/model.ts';
import { netfold } from '../../../support/lab/cli.ts';
import { linkOf } from './support.ts';

vi.setConfig({ testTimeout: 60_000 });

const EXAMPLES = join(import.meta.dirname, '../../../../examples');
const files = (folder: string): string[] =>
  readdirSync(join(EXAMPLES, folder))
    .filter((file) => /\.\w+$/.test(file))
    .map((file) => join(EXAMPLES, folder, file));

/** Where parts stand in their file is what differs. */
const withoutPlaces = (topology: Topology): unknown =>
  JSON.parse(
    JSON.stringify(topology, (key, value: unknown) =>
      key === 'position' ? undefined : value === Number.POSITIVE_INFINITY ? 'unlimited' : value,
    ),
  );
const load = (text: string, file = 'a.yaml'): Topology => loadTopology(text, file).topology;

const ALL = `name: all
routing: hops
transmission: every link
services:
  client: { replicas: 3, run: "echo \\"a: b\\" # 'c'\\n", tags: [edge, "no"], share: true, after: [server], restart: "no" }
  server: { image: "a:1", command: [x, "-y", "80", "no", "", "{"], forward: true, env: { PORT: "80", no: "" }, run: x, ready: { port: 80, timeout: 5s } }
  on: { run: x, ready: { log: "a # b" }, cwd: /srv, user: "1000", processes: 99, descriptors: 77, cap_add: [NET_ADMIN], cap_drop: [ALL] }
bridges: { s1: { tags: [core] }, s2: {} }
links:
  - { from: client, to: s1, latency: 5ms, jitter: 250us, distribution: pareto, loss: 0.1%, bandwidth: 100Mbps, queue: 200 packets }
  - { from: s1, to: s2, latency: 10ms, up: 60Mbps, down: 5Mbps, queue: 64KiB, tags: [trunk] }
  - { from: server, to: s2, oneway: true, latency: 1.5s, bandwidth: 8bps }
  - { from: s2, to: server, oneway: true, queue: 50ms }
  - { from: on, to: s2, up: 1Gbps }
`;

/** So many leave, each at a random instant. */
const SCATTER = `bootstrapper boot
service a image=x replicas=4
service b image=x
bridges s
link a--s latency=1 up=10Mbps down=10Mbps
link b--s latency=1 up=10Mbps down=10Mbps
at 0s a join 4
from 10s to 20s a leave 2
`;

const EVENTS = [
  ...[
    'at 1s join client.2',
    'at 2s crash client 2',
    'at 3s join tag:edge',
    'at 4s leave client 50%',
    'at 5s disconnect server',
  ],
  ...[
    'from 6s to 7s flap s1--s2 every 500ms',
    'from 7s to 8s churn client 50% every 1s replace seed 4',
    'from 7s to 8s churn on 1 every 1s seed 1',
  ],
  ...[
    'at 9s set tag:trunk latency=200% loss=+1% up=unlimited',
    'from 9.5s to 9.6s set s1->s2 jitter=-100us bandwidth=5Mbps',
  ],
  ...[
    'at 10s partition client | server on',
    'at 11s heal',
    'at 12s run server "echo \\"a\\\\b\\""',
    'at 13s signal * USR1',
    'at 14s quit',
  ],
];

describe('the text of a topology', () => {
  it('has the events, as they were written', () => {
    const topology = load(`${ALL}events:\n${EVENTS.map((line) => `  - ${JSON.stringify(line)}\n`).join('')}`);
    expect(topology.events.map(eventLine)).toEqual(EVENTS);
    expect(withoutPlaces(load(nativeText(topology)))).toEqual(withoutPlaces(topology));
  });

  it('gives the same topology, with all that a file may say', () => {
    const topology = load(ALL);
    expect(withoutPlaces(load(nativeText(topology)))).toEqual(withoutPlaces(topology));
  });

  it.each([...files('.'), ...files('formats'), ...files('ns2')])('of %s gives the same topology', (file) => {
    const { events: _, ...topology } = load(readFileSync(file, 'utf8'), file);
    const again = load(nativeText({ ...topology, events: [] }));
    // Directions that differ in more than bandwidth are two links there.
    const isPlain = again.links.length === topology.links.length;
    if (isPlain) expect(withoutPlaces(again)).toEqual(withoutPlaces({ ...topology, events: [] }));
    else expect(again.links.length).toBeGreaterThan(topology.links.length);
    expect(withoutPlaces({ ...again, links: [] })).toEqual(
      withoutPlaces({ ...topology, links: [], events: [] }),
    );
  });

  it('has two links where the directions of one differ', () => {
    const [link] = load(ALL).links;
    const differing = { ...link!, up: { ...link!.up, latency: micros(7000) } };
    const topology = { ...load(ALL), links: [differing] };
    const again = load(nativeText(topology));
    expect(linkOf(again, 'client', 's1')!.up).toEqual(differing.up);
    expect(linkOf(again, 's1', 'client')!.up).toEqual(differing.down);
  });
});

describe('netfold convert', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'netfold-convert-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('writes a file that is valid, and tells of every gap on stderr', async () => {
    const source = join(EXAMPLES, 'formats/research-network.graphml');
    const file = join(folder, 'zoo.yaml');
    const { code, stderr } = await netfold('convert', source, '-o', file);
    expect(code).toBe(0);
    expect(stderr).toContain(`${source}:28: <edge source="3" target="3">: the edge leads from "3" to itself`);
    expect(stderr.match(/NAME_CHANGED|is called/g)!.length).toBeGreaterThan(3);
    expect(readFileSync(file, 'utf8')).toMatch(/^# From research-network.graphml, by netfold convert.\n/);
    const checked = await netfold('check', file);
    expect(checked.stdout).toContain('is valid: 6 services, 6 endpoints, 7 bridges');
    expect((await netfold('convert', source)).stdout).toBe(readFileSync(file, 'utf8'));
  });

  it('is not needed: check and paths read the same file', async () => {
    const source = join(EXAMPLES, 'formats/paths.gml');
    expect((await netfold('check', source)).stdout).toContain('paths is valid: 2 services');
    const { stdout } = await netfold('paths', source, '--json');
    expect(JSON.parse(stdout)).toMatchObject([{ latencyMs: 50 }, { latencyMs: 50 }]);
  });

  it('writes events, and what was told as comments', async () => {
    const { code, stdout, stderr } = await netfold('convert', join(EXAMPLES, 'ns2/simulation.tcl'));
    expect(code).toBe(0);
    expect(stdout).toContain('aqm: "red min=5packets');
    expect(stdout).toContain(
      'traffic:\n  - { from: n-0, to: n-3, name: ftp, kind: greedy, start: 1s, stop: 4s }\n',
    );
    expect(stdout).toContain('events:\n  - "at 2s leave n-2--n-3"\n');
    expect(stdout).toContain('\n# line 3: ');
    expect(stderr).toContain('no files are written here');
    const file = join(folder, 'simulation.yaml');
    writeFileSync(file, stdout);
    expect((await netfold('check', file)).stdout).toContain('is valid: 4 services');
  });

  it('refuses events that a file has no words for, and files that are none', async () => {
    const events = join(folder, 'events.tdl');
    writeFileSync(events, SCATTER);
    const refused = await netfold('convert', events);
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toContain('has 1 event that a topology file has no words for');
    expect(await netfold('convert', join(folder, 'nothing'))).toMatchObject({ code: 1, stdout: '' });
    const broken = join(folder, 'broken.gml');
    writeFileSync(broken, 'graph [');
    expect((await netfold('convert', broken)).stderr).toContain('has no end');
  });
});
