import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EXPORTS, exportNamed } from '../../../../topology/export/registry.ts';
import { loadTopology } from '../../../../topology/load.ts';
import type { Topology } from '../../../../topology/model/model.ts';

const FILE = `name: lab
services:
  client: { replicas: 2, run: "echo \\"it's\\" $HOME" }
  server: { image: "nginx:1", env: { PORT: "80" } }
bridges: [s1, a-rather-long-bridge]
links:
  - { from: client, to: s1, latency: 5ms, up: 10Mbps, down: 2Mbps }
  - { from: s1, to: a-rather-long-bridge, latency: 10ms, jitter: 1ms, loss: 0.5%, bandwidth: 1Gbps }
  - { from: server, to: a-rather-long-bridge, oneway: true, latency: 1ms }
  - { from: a-rather-long-bridge, to: server, oneway: true, latency: 3ms, queue: 10 packets }
events:
  - at 1s crash server
`;
const topology: Topology = loadTopology(FILE, 'lab.yaml').topology;
const written = (name: string, of = topology) => exportNamed(name)!.write(of, 'From lab.yaml.');

describe('every exporter', () => {
  it.each(EXPORTS.map(({ name }) => name))('%s tells what it leaves out', (name) => {
    const { text, lost } = written(name);
    expect(text.endsWith('\n')).toBe(true);
    expect(text).toContain('From lab.yaml.');
    expect(lost.join('\n')).toMatch(/1 event: /);
    expect(lost.join('\n')).toMatch(/1 link direction: no size of the queue/);
  });

  it.each(EXPORTS.map(({ name }) => name))('%s tells nothing of what is not there', (name) => {
    const plain = loadTopology(
      'services: { a: { forward: true }, b: { forward: true } }\nlinks: [ { from: a, to: b, bandwidth: 1Mbps } ]',
      'x.yaml',
    ).topology;
    const { lost } = written(name, plain);
    expect(lost.filter((line) => !/image|addresses|spanning/.test(line))).toEqual([]);
  });

  it.each(EXPORTS.map(({ name }) => name))('%s takes any names and commands', (name) => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,39}$/),
        (run, service) => {
          const one = { ...topology.services[0]!, name: service, run };
          const { text } = written(name, { ...topology, services: [one], links: [], events: [] });
          expect(typeof text).toBe('string');
        },
      ),
      { seed: 1, numRuns: 50 },
    );
  });
});

describe('mermaid', () => {
  it('draws services, bridges, links and their directions', () => {
    expect(written('mermaid').text).toBe(`%% From lab.yaml.
graph LR
  n0["client × 2"]
  n1["server"]
  n2(("s1"))
  n3(("a-rather-long-bridge"))
  n0 ---|"5ms, 10Mbps / 2Mbps"| n2
  n2 ---|"10ms, ± 1ms, 0.5% lost, 1Gbps"| n3
  n1 -->|"1ms"| n3
  n3 -->|"3ms"| n1
`);
  });
});

describe('GraphML', () => {
  it('is read again by netfold, with each direction', () => {
    const again = loadTopology(written('graphml').text, 'lab.graphml').topology;
    const trunk = again.links.find(({ from, to }) => /s1-r/.test(from + to) && /long/.test(from + to))!;
    expect(trunk.up).toMatchObject({ latency: 10_000, jitter: 1_000, loss: 0.005, bandwidth: 1e9 });
    const access = again.links.find(
      ({ from, to }) => /client.*0-r/.test(from + to) && /s1-r/.test(from + to),
    )!;
    const directions = access.from.startsWith('client') ? access : { up: access.down!, down: access.up };
    expect([directions.up.bandwidth, directions.down!.bandwidth]).toEqual([10e6, 2e6]);
  });
});

describe('containerlab', () => {
  it('is read again by netfold', () => {
    const { text } = written('containerlab');
    const again = loadTopology(text, 'lab.clab.yml').topology;
    expect(again.services.map(({ name }) => name)).toEqual(['client-0', 'client-1', 'server']);
    expect(again.services.find(({ name }) => name === 'server')).toMatchObject({
      image: 'nginx:1',
      env: { PORT: '80' },
    });
    expect(again.bridges.map(({ name }) => name)).toEqual(['s1', 'br4']);
    expect(text).toContain(
      '# containerlab tools netem set -n clab-lab-client-0 -i eth1 --delay 5ms --rate 10000\n',
    );
    expect(text.match(/tools netem/g)).toHaveLength(3);
    for (const [, name] of text.matchAll(/"(?:s1|br4):([^"]+)"/g)) expect(name!.length).toBeLessThan(16);
  });
});

describe('Mininet', () => {
  it('has hosts, switches, links with each direction, and commands', () => {
    const { text, lost } = written('mininet');
    expect(text).toContain('    net.addHost("client-0")  # client.0\n');
    expect(text).toContain(
      '    net.addSwitch("s4", dpid="0000000000000005", stp=True)  # a-rather-long-bridge\n',
    );
    expect(text).toContain(
      `net.addLink("client-0", "s1", params1={'bw': 10, 'delay': '5ms'}, params2={'bw': 2, 'delay': '5ms'})`,
    );
    expect(text).toContain(`params1={'bw': 1000, 'delay': '10ms', 'jitter': '1ms', 'loss': 0.5}`);
    expect(text).toContain(`net.get("client-1").popen(['/bin/sh', '-c', "echo \\"it's\\" $HOME"])`);
    expect(lost.join('\n')).toMatch(/one-way/);
  });
});

describe('ns-3', () => {
  it('has nodes, and links with the rates and losses of each direction', () => {
    const { text, lost } = written('ns-3');
    expect(text).toContain('nodes.Create(5);');
    expect(text).toContain('Names::Add("client.0", nodes.Get(0));');
    expect(text).toContain('Link(nodes, 0, 3, "5ms", 10000000ULL, 2000000ULL, 0, 0, 5000, 5000);');
    expect(text).toContain(
      'Link(nodes, 3, 4, "10ms", 1000000000ULL, 1000000000ULL, 0.005, 0.005, 10000, 10000);',
    );
    expect(lost.join('\n')).toMatch(/no jitter/);
  });

  it('routes by hops and weights as the file does', () => {
    const text = (routing: string): string =>
      written(
        'ns-3',
        loadTopology(
          `routing: ${routing}\nservices: { a: {}, b: {} }\nlinks: [ { from: a, to: b, latency: 200ms, weight: { up: 3, down: 4 } } ]`,
          'x.yaml',
        ).topology,
      ).text;
    expect(text('hops')).toContain('0, 0, 1, 1);');
    expect(text('weight')).toContain('0, 0, 3, 4);');
    expect(text('latency')).toContain('0, 0, 65535, 65535);');
  });
});
