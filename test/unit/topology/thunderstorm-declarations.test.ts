import { describe, expect, it } from 'vitest';
import { Folding } from '../../../topology/fold/fold.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { formatDiagnostic, loadTopology, TopologyError } from '../../../topology/load.ts';
import { timelineRows } from '../../../topology/report/timeline.ts';
import { diagnostics, load } from './thunderstorm-support.ts';

const DECLARED = [
  'bootstrapper boot:1',
  'service server image=reg.example/srv:1.2 replicas=3 share reuse tags=back core',
  "service client image=cli:2 command=['server', '80'] tags=front",
  'service board image=board:1 supervisor port=8088',
  'bridges s1 s2',
  'bridge s3 tags=core',
  'link client--s1 latency=5.5 jitter=0.3 drop=0.01 up=10Mbps down=4Mbps network=net tags=access',
  'link s1--s2 latency=10.0 up=60Mbps symmetric network=net',
  'link s2--server latency=1.0 up=100Mbps',
  'link s3--s1 latency=1.0 up=1Gbps symmetric',
  'link board--s1 latency=1.0 up=1Mbps symmetric',
];
const standalone = (lines: readonly string[]) => loadTopology(lines.join('\n'), 'a/my-storm.tdl');

function problems(lines: readonly string[]): string[] {
  try {
    standalone(lines);
  } catch (error) {
    if (!(error instanceof TopologyError)) throw error;
    return error.diagnostics.filter(({ severity }) => severity === 'error').map(formatDiagnostic);
  }
  throw new Error('the script was accepted');
}

describe('a script that declares its topology', () => {
  const { topology, warnings } = standalone(DECLARED);
  const [server, client] = topology.services;

  it('has the name of its file and the routing of Kollaps', () => {
    expect([topology.name, topology.routing]).toEqual(['my-storm', 'hops']);
  });

  it('has services', () => {
    expect(server).toMatchObject({
      name: 'server',
      image: 'reg.example/srv:1.2',
      replicas: 3,
      shareLinks: true,
      forward: true,
      tags: ['back', 'core'],
      position: { file: 'a/my-storm.tdl', line: 2, column: 1 },
    });
    expect(server).not.toHaveProperty('command');
    expect(client).toMatchObject({
      command: ['server', '80'],
      replicas: 1,
      shareLinks: false,
      tags: ['front'],
    });
  });

  it('has bridges', () => {
    expect(topology.bridges.map(({ name, tags }) => [name, tags])).toEqual([
      ['s1', []],
      ['s2', []],
      ['s3', ['core']],
    ]);
    expect(topology.bridges.map(({ position }) => [position.line, position.column])).toEqual([
      [5, 9],
      [5, 12],
      [6, 1],
    ]);
  });

  it('has links, each direction with its rate, one-way without a way back', () => {
    const [access, trunk, last] = topology.links;
    expect(access).toMatchObject({
      from: 'client',
      to: 's1',
      up: { latency: 5500, jitter: 300, loss: 0.01, bandwidth: 10e6 },
      down: { latency: 5500, jitter: 300, loss: 0.01, bandwidth: 4e6 },
      tags: ['access'],
    });
    expect(trunk!.down).toEqual(trunk!.up);
    expect(trunk!.up).toMatchObject({ latency: 10_000, jitter: 0, loss: 0, bandwidth: 60e6 });
    expect(last!.down).toBeUndefined();
    const folding = new Folding(expandGraph(topology));
    const [clientNode, serverNode] = [0, 1];
    expect(folding.path(clientNode, serverNode)).toMatchObject({ latency: 16_500, bandwidth: 10e6 });
    expect(folding.path(serverNode, clientNode)).toBeUndefined();
  });

  it('leaves out what is for Kollaps alone, and says so', () => {
    expect(topology.services.map(({ name }) => name)).toEqual(['server', 'client']);
    expect(topology.links).toHaveLength(4);
    expect(warnings.map(({ code, line }) => [line, code])).toEqual([
      [1, 'KEY_IGNORED'],
      // Its only link leads to it.
      [2, 'SERVICE_ISOLATED'],
      [4, 'SUPERVISOR_LEFT_OUT'],
      [7, 'KEY_IGNORED'],
      [11, 'SUPERVISOR_LEFT_OUT'],
    ]);
  });

  it('has as many replicas as its joins need', () => {
    const replicas = (...events: string[]): number[] =>
      standalone([...DECLARED, ...events]).topology.services.map((service) => service.replicas);
    expect(replicas('at 0s client join 4', 'at 9s client crash 2', 'at 10s client join')).toEqual([3, 4]);
    expect(replicas('at 0s server join 2')).toEqual([2, 1]);
    expect(replicas('at 0s tags=back front join 2', 'at 4s server join 50%')).toEqual([3, 2]);
  });

  it('has events', () => {
    const { topology: stormy } = standalone([...DECLARED, 'at 3s tags=core leave 1', 'at 1s client join']);
    expect(timelineRows(stormy).map(({ verb, target, line }) => [verb, target, line])).toEqual([
      ['join', 'client.0', 13],
      ['leave', 'server.2', 12],
      ['leave', 's3', 12],
    ]);
  });

  it('may have another script beside it', () => {
    const { topology: both } = loadTopology(DECLARED.join('\n'), 'a.tdl', {
      file: 'b.tdl',
      text: 'at 1s client join 5\nservice extra image=e\nlink extra--s2 latency=1.0 up=1Mbps symmetric',
    });
    expect(both.services.map(({ name, replicas }) => [name, replicas])).toEqual([
      ['server', 3],
      ['client', 5],
      ['extra', 1],
    ]);
    expect(both.links.at(-1)).toMatchObject({ from: 'extra', position: { file: 'b.tdl', line: 3 } });
  });

  it.each([
    ['service web', 'a.+:12:12: error: service: the image is missing'],
    ["service web image=['a']", 'service: an image is not a list'],
    ['service web image=i replicas=0', '"0" is not a number of replicas'],
    ['service web image=i port=80', 'only a supervisor has a port'],
    ['service web image=i ip=1', 'expected an option .*, but found "ip"'],
    ['service 9web image=i', 'does not begin with a letter'],
    ['service server image=i', 'the name "server" is already used in line 2'],
    ['bridges s9 s1', ':12:12: error: s1: the name "s1" is already used in line 5'],
    ['bridges', 'expected a name \\(of a bridge\\)'],
    ['bridge s9 tags=', 'expected a name \\(tags\\)'],
    ['bootstrapper other:1', 'there is a bootstrapper in line 1 already'],
    ['link client--s2 up=1Mbps', 'the latency is missing'],
    ['link client--s2 latency=1.0', 'the up is missing'],
    ['link client--s2 latency=1 up=1Mbps down=2Mbps symmetric', 'symmetric stands beside down'],
    ['link client-s2 latency=1.0 up=1Mbps', '"client-s2" is not a link'],
    ['link client--s9 latency=1.0 up=1Mbps', 'there is no service or bridge "s9"'],
    ['link s2--s1 latency=1.0 up=1Mbps', 's2 and s1 are already linked in line 8'],
    ['link client--s2 latency=1.0 up=1Mbps drop=2', '"2" is not a fraction'],
  ])('is refused with %j', (line, message) => {
    const found = problems([...DECLARED, line]);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(new RegExp(message));
  });

  it('is refused without services', () => {
    expect(problems(['at 1s quit'])[0]).toMatch(/declares no services .*--events/);
  });
});

describe('declarations beside a topology file', () => {
  const EXTRA = [
    'service extra image=e',
    'link extra--s2 latency=3.0 up=7Mbps down=3Mbps',
    'at 1s extra crash',
  ];

  it('are added to it', () => {
    const { topology } = load(EXTRA);
    expect(topology.services.map(({ name }) => name)).toEqual(['client', 'server', 'extra']);
    expect(topology.links).toHaveLength(4);
    expect(topology.routing).toBe('latency');
  });

  it('may not name anything twice', () => {
    const [problem] = diagnostics(['service server image=i']);
    expect(formatDiagnostic(problem!)).toMatch(/^storm\.tdl:1:1: .*already used in line 3 of net\.yaml/);
    const [link] = diagnostics(['link s2--s1 latency=1.0 up=1Mbps']);
    expect(formatDiagnostic(link!)).toMatch(/^storm\.tdl:1:1: .*already linked in line 7 of net\.yaml/);
  });
});
