/** Topologies, scripts, event lines and quantities: everything that a user writes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exemptionBytes } from '../../agent/linux/programs/exemption-bytes.ts';
import { DeployError } from '../../controller/deploy/errors.ts';
import { nodeSelector, parseClusterSelector } from '../../controller/deploy/kubernetes-selectors.ts';
import { parseExemptions, requireRoomFor } from '../../controller/exemption.ts';
import { parseProbe } from '../../controller/inject/host-probe.ts';
import { parseStatus } from '../../controller/inject/running.ts';
import { readInventory } from '../../controller/inventory/read.ts';
import { ContainerError } from '../../controller/platform/containers/errors.ts';
import { isSelected, parseSelector } from '../../controller/platform/containers/selectors.ts';
import { NetfoldError } from '../../proto/errors.ts';
import { parseAction, parseEvent } from '../../topology/events/grammar.ts';
import { Folding } from '../../topology/fold/fold.ts';
import { expandGraph } from '../../topology/fold/graph.ts';
import { type LoadedTopology, loadTopology, TopologyError } from '../../topology/load.ts';
import { Findings } from '../../topology/model/diagnostics.ts';
import { quantityTargets } from './quantities.ts';
import { simpleYaml } from './simple-yaml.ts';
import { textTarget } from './target.ts';

const EXAMPLES = join(import.meta.dirname, '..', '..', 'examples');

const YAML = `name: fuzz
routing: hops
transmission: bottleneck
services:
  client: { replicas: 3, run: "iperf3 -c server", tags: [edge], share: true, after: server, restart: on-failure }
  server: { image: "a:1", command: [x, y], forward: true, env: { PORT: "80" }, run: x, ready: { port: 80, timeout: 5s } }
  web: { image: "w:1", entrypoint: [/e], args: "-v 'a b'", environment: ["A=1"], user: "5:6", working_dir: /w, volumes: ["./a:/b:ro", /c], ports: ["127.0.0.1:80-81:80-81/udp", 90], resources: { cpu: 0.5, memory: 1.5g }, healthcheck: { test: [CMD, x], interval: 5s, retries: 3 } }
bridges: { s1: { tags: [core] }, s2: {} }
links:
  - { from: client, to: s1, latency: 5ms, jitter: 250us, distribution: pareto, loss: 0.1%, bandwidth: 100Mbps, queue: 200 packets }
  - { from: s1, to: s2, latency: 10ms, up: 60Mbps, down: 5Mbps, queue: 64KiB, tags: [trunk] }
  - { from: server, to: s2, oneway: true }
  - { from: s2, to: server, oneway: true, queue: 50ms, loss_model: gilbert-elliott p=1% r=20% h=10%, slots: 2ms..4ms }
  - { from: web, to: s1, loss_model: bursts 1% of 5 packets, duplicate: 1%, up: { corrupt: 1%, reorder: 2%, reorder_distance: 3 packets }, down: { bandwidth: 2Mbps, loss_model: markov p13=1% p31=30% p32=10% p23=50% } }
  - { from: web, to: s2, name: x, jitter: 1ms, overhead: atm, mtu: 1400, rules: [drop 10% only udp:53, 'reset except icmp, dscp:46', delay 20ms only tcp], quantiles: 1 2 3 4 5 6 7 9, jitter_correlation: 25% }
events:
  - at 5s crash client 2
  - at 6s join client
  - from 7s to 9s flap s1--s2 every 500ms
  - from 7s to 9s churn client 50% every 1s replace seed 4
  - at 9s set tag:trunk latency=200%
  - at 10s partition client | server
  - at 11s run server "echo hi"
  - at 11s start bulk
  - at 11s stop *
  - at 12s quit
sequences:
  main: { at: 1s, steps: ['run server "a" exit 0 timeout 3s', 'run server "b" detached', wait 1s, wait for go from client, 'wait for log server contains "up"', start bulk] }
  undo: { after: main fails, steps: [heal] }
traffic:
  - { from: client, to: server, name: bulk }
  - { from: client, to: server, kind: pareto, rate: 1Mbps, on: 10ms, off: 20ms, shape: 1.2, start: 2s, stop: 4s, count: 3, seed: 5 }
  - { from: client, to: server, kind: telnet, interval: 1s, protocol: udp }
  - { from: client, to: server, kind: ftp, size: 1000B, off: 1s }
  - { from: client, to: server, kind: web, start: never }
  - { from: client, to: server, trace: "packets: 0 100, 500 1472" }
`;
const ALIASES = `services: { a: &a { tags: [x] }, b: *a }
bridges: [s]
links: &l
  - &k { from: a, to: s }
  - { from: b, to: s, latency: 1.5ms }
`;
const LANGUAGE = `include: [part.yaml]
vars: { delay: 20ms, k: 3, far: "\${delay}" }
defaults: { link: { bandwidth: 1Gbps, latency: "\${delay}" }, service: { forward: false, tags: [all] } }
profiles: { office: { latency: 2ms, up: 5Mbps } }
distance: { factor: 1.4 }
routing: weight
services:
  "web[1..\${k}]": { replicas: "\${n}", run: "serve \${n} \${HOME}", location: [46.9, 7.4] }
  db: { location: [47.4, 8.5] }
  far[01..02]: {}
bridges: { "s[1..2]": { location: [0, 0] }, t: {} }
matrix:
  groups: { eu: "web[1..2]", us: [web3, far01] }
  rtt: |
    x,eu,us
    eu,1,70.5
    us,90ms,
  bandwidth: { eu: { us: 1Gbps } }
  loss: 0.1%
links:
  - { from: db, to: "s[i=1..2]", profile: dsl, weight: "\${i}" }
  - { from: s1, to: s2, name: "x[1..2]", latency: "\${n * 2 % 3 + 1}ms", weight: { up: 1, down: 2 } }
  - { from: "far[01..02]", to: t, profile: office }
  - { from: s2, to: t }
routes: [db > s1 > s2 > t > far02, "far02 <> t <> far01"]
events:
  - at \${k}s set s1--s2:x1 latency=\${far}
  - "at \${n}s crash web[1..3]"
  - at 5s run db "echo \${k} \${HOME} [1..3]"
`;
const PARTS = new Map([
  [
    'part.yaml',
    {
      text: 'include: fuzz.yaml\nvars: { k: 1 }\nbridges: [u]\nlinks: [ { from: u, to: t, latency: "${k}ms" } ]',
    },
  ],
  ['part.csv', { text: 'x,eu,us\neu,,1\nus,2,' }],
  ['part.json', { text: '{"eu": {"us": 3}}' }],
]);
/** Other files, and variables from outside. What is expanded must be read again as the same. */
function readLanguage(text: string): void {
  const read = (path: string) => PARTS.get(path) ?? { problem: 'there is no such file' };
  const loaded = loadTopology(text, 'fuzz.yaml', undefined, undefined, { read, isExpansionWanted: true });
  use(loaded);
  const again = readExpanded(loaded.expanded!());
  const sizes = ({ services, bridges, links, events, routes = [] }: LoadedTopology['topology']): string =>
    [services, bridges, links, events, routes].map(({ length }) => length).join();
  if (sizes(again.topology) !== sizes(loaded.topology)) throw new Error('the expanded file is another one');
}

/** A refusal of what netfold itself has written is a fault. */
function readExpanded(text: string): LoadedTopology {
  try {
    return loadTopology(text, 'fuzz.yaml');
  } catch (error) {
    throw new Error(`the expanded file is refused: ${(error as Error).message}`);
  }
}
export const XML = `<?xml version="1.0"?>
<experiment boot="b:1">
  <services><service name="a" image="i" command="['x', '1']" replicas="2" share="true"/><service name="z" ip="192.0.2.1" reuse="false"/></services>
  <bridges><bridge name="s"/></bridges>
  <links><link origin="a" dest="s" latency="1.5" jitter="0.1" drop="0.01" upload="10Mbps" download="1Mbps" network="n"/>
  <link origin="s" dest="z" latency="1" upload="1Gbps"/></links>
  <dynamic><schedule name="z" time="0.0" action="join" amount="2"/><schedule name="z" time="1" action="leave" amount="1"/>
  <schedule origin="a" dest="s" time="5" latency="3" upload="5Mbps"/><schedule name="s" time="6" action="leave"/></dynamic>
</experiment>`;
const SCRIPT = `bootstrapper b:1
service extra image=a:1 replicas=2 share command=['x', '1'] tags=edge
bridges s8 s9
bridge s7 tags=core
link extra--s1 latency=1.5 jitter=0.1 drop=0.01 up=10Mbps down=1Mbps network=n tags=trunk
at 5s tags=edge core leave 50%
at 6s client--s1 set latency=200% up=5Mbps symmetric
from 7s to 9s client--s1 flap 0.5s
from 10s to 20s client churn 50% replace 20%
at 31s partition client;server
at 1d quit`;
const INVENTORY = `hosts:
  host1: { address: 192.0.2.7, user: root, port: 22, jump: "me@gw:22,x", shape: eth0, is: [a, b.0], labels: [edge] }
  host2: { cores: 1.5, memory: 16GiB, bandwidth: 1Gbps, endpoints: 9, shape: "2001:db8::1" }
  host3: { is: { c: eth1, d.0: "10.0.0.7" } }
needs: { db: { cores: 2, memory: 4GB } }
pins: { db: host1, "tag:x": [label:edge, host2] }
apart: [db, [a.0, a.1]]
`;
const ANSIBLE = `all:
  vars: { ansible_user: root, other: [1] }
  hosts: { lone: }
  children:
    web:
      hosts: { "web[01:03].x": { netfold_cores: 4 }, "db-[a:c]": {} }
      vars: { ansible_ssh_common_args: '-o ProxyJump=gw -J x', ansible_port: 2222 }
      children: { canary: { hosts: { web03.x: { netfold_is: db, ansible_host: "::1" } } } }
`;
const BASE = YAML.slice(0, YAML.indexOf('events:'));

const LINES = [
  'at 5s crash client 2',
  'at 1m30s join client.1 tag:edge 50%',
  'from 7s to 9s flap s1--s2 every 500ms',
  'from 7s to 9s churn client 50% every 1s replace seed 4',
  'at 9s set tag:x s1->s2 latency=200% loss=+1% up=5Mbps queue=64KB bandwidth=unlimited',
  'at 9s set a--b loss_model="bursts 1% of 5 packets" duplicate=none reorder_distance="3 packets" slots=2ms..4ms trace=night overhead=atm mtu=1400',
  'at 9s set a->b rules="drop 3rd only syn:80; drop every 10th only ip:6; reset only tcp:22"',
  'at 10s partition client s1 | server | *',
  'at 11s run server "echo \\"hi\\""',
  'at 11s signal server.0 TERM',
  'from 1h to 2h disconnect a',
  'at 12s quit',
];
const CONTAINER = {
  ...{ id: 'a'.repeat(64), name: 'db-main', state: 'running' },
  labels: { app: 'web', 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'db' },
};
const PIECES = [
  ...['tag:', 'client', 'server', 's1', 's1--s2', ' every ', ' at 1s ', 'from 1s to 2s ', 'latency=', '%'],
  ...['  a: {}\n', 'links:\n', 'run: |\n', 'replicas: ', '<service name="a"/>', ' latency="1"', 'tags='],
  ...['ms', 'Mbps', 'packets', 'KiB', '&a ', '*a', '<<: *a', '? ', '!!map ', '%YAML 1.1\n', '---\n'],
];

const isRefused = (error: unknown): boolean =>
  error instanceof TopologyError && error.diagnostics.length > 0 && error.diagnostics.every(isComplete);
const isComplete = ({ line, column, message }: TopologyError['diagnostics'][number]): boolean =>
  line >= 1 && column >= 1 && message !== '';

/** Folds what was read, too. */
function use({ topology }: LoadedTopology): void {
  const graph = expandGraph(topology);
  new Folding(graph).path(0, graph.endpoints.length - 1);
}

const examples = readdirSync(EXAMPLES)
  .filter((file) => file.endsWith('.yaml'))
  .sort()
  .map((file) => readFileSync(join(EXAMPLES, file), 'utf8'));

/** One line of text; its errors are findings. */
function readLine(read: (findings: Findings) => unknown): void {
  const findings = new Findings('fuzz');
  if (read(findings) === undefined && !findings.hasErrors) throw new Error('neither an event nor an error');
}

export const TEXTS = [
  textTarget({
    name: 'native YAML',
    seeds: [YAML, ALIASES, ...examples],
    pieces: PIECES,
    read: (text) => use(loadTopology(text, 'fuzz.yaml')),
    isCoded: isRefused,
  }),
  simpleYaml([YAML, LANGUAGE, INVENTORY, ...examples], PIECES),
  textTarget({
    name: 'topology language',
    seeds: [LANGUAGE, LANGUAGE.replace('include: [part.yaml]\n', ''), YAML],
    pieces: [
      ...PIECES,
      ...[
        '${',
        '}',
        '${k}',
        '${n}',
        '[1..3]',
        '[i=01..09]',
        'include: part.yaml\n',
        'vars: ',
        'defaults: ',
        'profile: lte',
      ],
      ...[
        'rtt: part.csv',
        'rtt: part.json',
        'matrix: ',
        'groups: ',
        'location: [1, 2]',
        ' * 2',
        ' % 0',
        'routes: ',
        ' <> ',
        ' > ',
      ],
    ],
    read: readLanguage,
    isCoded: isRefused,
  }),
  textTarget({
    name: 'Kollaps XML',
    seeds: [XML],
    pieces: PIECES,
    read: (text) => use(loadTopology(text, 'fuzz.xml')),
    isCoded: isRefused,
  }),
  textTarget({
    name: 'ThunderStorm',
    seeds: [SCRIPT, ...SCRIPT.split('\n').filter((line) => !line.startsWith('link'))],
    pieces: PIECES,
    read: (text) => use(loadTopology(BASE, 'fuzz.yaml', { file: 'fuzz.tdl', text })),
    isCoded: isRefused,
  }),
  textTarget({
    name: 'inventory',
    seeds: [INVENTORY, ANSIBLE],
    pieces: [
      ...PIECES,
      'hosts:',
      'children:',
      'vars:',
      'netfold_is: ',
      'label:edge',
      '[1:9]',
      '[web]\n',
      '{{ x }}',
    ],
    read: (text) => readInventory(text, 'fuzz.yaml'),
    isCoded: isRefused,
  }),
  textTarget({
    name: 'event line',
    seeds: LINES,
    pieces: PIECES,
    read: (line) =>
      readLine((findings) => parseEvent(line, { file: 'fuzz', line: 1, column: 1 }, 'events[0]', findings)),
    isCoded: () => false,
  }),
  textTarget({
    name: 'command',
    seeds: LINES.map((line) => line.replace(/^(?:at \S+|from \S+ to \S+) /, '')),
    pieces: PIECES,
    read: (text) => {
      for (const hasWindow of [true, false]) readLine((findings) => parseAction(text, hasWindow, findings));
    },
    isCoded: () => false,
  }),
  textTarget({
    name: 'selector',
    seeds: [
      ...['client=label:app=web', 'client.0=label:app', 'server=name:db*', 'db=compose:shop/db'],
      'web=label:app=web,namespace:shop',
    ],
    pieces: ['label:', 'name:', 'compose:', 'namespace:', ',', '=', '*', '/', 'app', 'shop'],
    read: (text) => isSelected(parseSelector(text), CONTAINER),
    isCoded: (error) => error instanceof ContainerError,
  }),
  textTarget({
    name: 'selector of a cluster',
    seeds: ['client=app=web,namespace=shop', 'db=app.kubernetes.io/name=db,tier='],
    pieces: ['namespace=', ',', '=', '/', '.', 'app', 'shop'],
    read: (text) => nodeSelector(parseClusterSelector(text)),
    isCoded: (error) => error instanceof DeployError,
  }),
  textTarget({
    name: 'exemptions',
    seeds: ['tcp:8080,udp:53', '10.0.0.0/8,192.0.2.7', '2001:db8::/32,::1'],
    pieces: ['tcp:', 'udp:', ',', '/', '::', '.', '10.0.0.0', '128'],
    read: (text) => {
      const traffic = parseExemptions(text);
      requireRoomFor(traffic);
      exemptionBytes(traffic);
    },
    isCoded: (error) => error instanceof NetfoldError,
  }),
  textTarget({
    name: 'answer of a host',
    seeds: [
      'clock 1.5\nuid 0\nroot yes\nssh 1.2.3.4 5 6.7.8.9 22\naddress eth0@if3 10.0.0.1/8\nhas ip',
      'absent',
      'ended x',
    ],
    pieces: ['clock ', 'address ', 'ssh ', '\n', '/', '@', '%', '{"agents":[]}'],
    read: (text) => {
      parseProbe(text);
      parseStatus(text);
    },
    isCoded: () => false,
  }),
  ...quantityTargets(PIECES),
];
