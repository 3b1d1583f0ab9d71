/** Files of other programs, which are recognised by their content. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nativeText } from '../../topology/formats/native/write.ts';
import { formatOf } from '../../topology/formats/registry.ts';
import { loadTopology, TopologyError } from '../../topology/load.ts';
import type { Topology } from '../../topology/model/model.ts';
import { type Target, textTarget } from './target.ts';

const EXAMPLES = join(import.meta.dirname, '..', '..', 'examples');

const PIECES = [
  ...[
    '<node id="x"/>',
    '<edge source="0" target="1"/>',
    '<data key="d1">',
    '</data>',
    '<hyperedge>',
    '<graph>',
  ],
  ...[
    'node [ id 7 ]',
    'edge [ source 0 target 1 ]',
    ' [ ',
    ' ] ',
    '"id": ',
    '"links": [',
    '{"id": 1},',
    'null',
  ],
  ...[
    ' ms',
    ' Mbit',
    '10 Gbit/s',
    '0.5%',
    'latency ',
    '"latency": ',
    '-1',
    '1e9',
    'NaN',
    '&#233;',
    '&amp;',
    '"',
  ],
  ...['<coordinates>', '<capacity>', 'Edges: ', 'Nodes: ', '0 1 1 ', ',', ';', '\n'],
  ...[
    'set x [$ns node]\n',
    '$ns at 1 ',
    '{',
    '}',
    '[',
    ']',
    '$',
    'proc f {} {',
    'expr ',
    'while 1 ',
    'foreach i {1 2} ',
    'upvar 1 ',
  ],
  ...[
    'regexp {(a+)+$} ',
    'string repeat ',
    'lsort ',
    'format %',
    '[$ns duplex-link $left $right 1Mb 1ms DropTail]',
    'catch {',
    'uplevel ',
  ],
  ...[
    'NODES (\n',
    ' ( A B ) ',
    '-> <1> {-2}',
    '|0\n',
    'EDGES (\n',
    'r1[0]="A"\n',
    '"opts": {',
    '"node_id": "n1"',
    '"filters": ',
  ],
  ...[
    '<link node1="1" node2="2"/>',
    '<options delay="5"/>',
    'node n1 {',
    'nodes {n1 n2}',
    ' - r1-r2\n',
    'interfaces: ',
  ],
  ...['endpoints: ["a:1", "b:1"]', 'kind: bridge', 'networks: [front]', 'command: ', '<<: *common', 'env: '],
];

interface Kind {
  readonly name: string;
  /** As which its mutations are read. */
  readonly file: string;
  readonly examples: RegExp;
  /** Below examples/; `formats` if it is absent. */
  readonly folder?: string;
}

const KINDS: readonly Kind[] = [
  { name: 'GraphML', file: 'fuzz.graphml', examples: /\.graphml$/ },
  { name: 'GML', file: 'fuzz.gml', examples: /\.gml$/ },
  { name: 'node-link JSON', file: 'fuzz.node-link.json', examples: /^[^.]+\.json$/ },
  { name: 'SNDlib XML', file: 'fuzz.sndlib.xml', examples: /(?:sndlib|plane)\.xml$/ },
  { name: 'BRITE', file: 'fuzz.brite', examples: /\.brite$/ },
  { name: 'latency matrix', file: 'fuzz.csv', examples: /\.csv$/ },
  { name: 'SNDlib native', file: 'fuzz.sndlib', examples: /\.sndlib(?:\.txt)?$/ },
  { name: 'CAIDA', file: 'fuzz.as-rel.txt', examples: /\.as-rel2?\.txt$/ },
  { name: 'Rocketfuel', file: 'fuzz.cch', examples: /\.(?:cch|intra)$/ },
  { name: 'GT-ITM', file: 'fuzz.alt', examples: /\.alt$/ },
  { name: 'Kathará', file: 'lab.conf', examples: /\.lab\.conf$/ },
  { name: 'MiniEdit', file: 'fuzz.mn', examples: /\.mn(?:\.json)?$/ },
  { name: 'GNS3', file: 'fuzz.gns3', examples: /\.gns3$/ },
  { name: 'CORE XML', file: 'fuzz.core.xml', examples: /\.core\.xml$/ },
  { name: 'CORE .imn', file: 'fuzz.imn', examples: /\.imn$/ },
  { name: 'netlab', file: 'fuzz.netlab.yml', examples: /\.netlab\.yml$/ },
  { name: 'containerlab', file: 'fuzz.clab.yml', examples: /\.clab\.yml$/ },
  { name: 'Docker Compose', file: 'compose.yml', examples: /compose\.ya?ml$/ },
  { name: 'ns-2', file: 'fuzz.ns', examples: /\.(?:ns|tcl)$/, folder: 'ns2' },
];

const isRefused = (error: unknown): boolean =>
  error instanceof TopologyError &&
  error.diagnostics.every(({ line, column, message }) => line >= 1 && column >= 1 && message !== '');

/** What is read must be written so that it can be read again. */
function use(text: string, file: string): void {
  const { topology } = loadTopology(text, file);
  const again = readAgain(nativeText(topology));
  if (again.services.length !== topology.services.length || again.bridges.length !== topology.bridges.length)
    throw new Error(`${formatOf({ file, text }).name}: other nodes when read again`);
}

/** A refusal of what netfold itself has written is a fault. */
function readAgain(text: string): Topology {
  try {
    return loadTopology(text, 'fuzz.yaml').topology;
  } catch (error) {
    throw new Error(`what was converted is refused: ${(error as Error).message}`);
  }
}

export const IMPORTS: readonly Target[] = KINDS.map(({ name, file, examples, folder = 'formats' }) =>
  textTarget({
    name,
    seeds: readdirSync(join(EXAMPLES, folder))
      .filter((one) => examples.test(one))
      .sort()
      .map((one) => readFileSync(join(EXAMPLES, folder, one), 'utf8')),
    pieces: PIECES,
    read: (text) => use(text, file),
    isCoded: isRefused,
  }),
);
