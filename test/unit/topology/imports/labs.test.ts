/** Labs of emulators: Kathará, MiniEdit, GNS3, CORE, netlab. */
import { describe, expect, it } from 'vitest';
import { problems } from '../support.ts';
import { example, imported, linkOf, names, pathOf } from './support.ts';

const forwarding = ({ topology }: ReturnType<typeof example>): string[] =>
  names(topology.services.filter(({ forward }) => forward));

describe('a lab.conf of Kathará', () => {
  it('has machines, collision domains and images', () => {
    const ring = example('ring.lab.conf');
    expect(ring.format).toBe('Kathará');
    expect(names(ring.topology.services)).toEqual(['pc1', 'r1', 'r2', 'r3']);
    expect(names(ring.topology.bridges)).toEqual(['A-net', 'B-net', 'D-net', 'C-net']);
    expect(ring.topology.services[0]!.image).toBe('kathara/base');
    expect(forwarding(ring)).toEqual(['r1', 'r2', 'r3']);
    expect(pathOf(ring.topology, 'pc1', 'r2')!.hops).toBe(4);
    for (const one of [
      /^1 KEY_IGNORED .*"LAB_DESCRIPTION", "LAB_VERSION"/,
      /^11 KEY_IGNORED the attribute "hardware address"/,
      /^14 KEY_IGNORED the attribute "mem"/,
    ])
      expect(ring.told).toContainEqual(expect.stringMatching(one));
  });

  it('is recognised by its content, with quotes of both kinds and comments', () => {
    const { format, topology, told } = example('two-lans.lab.conf', 'x.txt');
    expect(format).toBe('Kathará');
    expect(names(topology.services)).toEqual(['host-a', 'gateway', 'host-b']);
    expect(told).toContainEqual(expect.stringMatching(/^7 LINK_DUPLICATE/));
  });

  it.each([
    ['pc1[0]', 'VALUE_INVALID'],
    ['pc1[0]="a b"', 'VALUE_INVALID'],
    ['# nothing\n', 'NO_SERVICES'],
  ])('refuses %s', (text, code) => {
    expect(problems(text, 'lab.conf')[0]!.code).toBe(code);
  });
});

describe('a file of MiniEdit', () => {
  it('has hosts, switches, and what links do', () => {
    const { format, topology, told } = example('triangle.mn', 'x.json');
    expect(format).toBe('Mininet MiniEdit');
    expect(topology.services.map(({ name, run }) => [name, run])).toEqual([
      ['h1', 'iperf3 -s -D'],
      ['h2', undefined],
    ]);
    expect(linkOf(topology, 'h1', 's1')!.up).toMatchObject({ latency: 5_000, loss: 0.01, bandwidth: 10e6 });
    expect(linkOf(topology, 'h2', 's2')!.up.latency).toBe(2_000);
    expect(linkOf(topology, 's1', 's2')!.up.latency).toBe(0);
    expect(told).toContainEqual(expect.stringMatching(/"application", "controllers"/));
  });

  it('has routers', () => {
    const file = example('router.mn.json');
    expect(forwarding(file)).toEqual(['r1']);
    expect(file.told).toContainEqual(expect.stringMatching(/KEY_IGNORED .*"max_queue_size"/));
  });

  it.each([
    ['{"hosts": 1, "switches": [], "links": []}', 'NOT_A_TOPOLOGY'],
    ['{"hosts": [{}], "switches": [], "links": []}', 'KEY_MISSING'],
    [
      '{"hosts": [{"opts": {"hostname": "a"}}], "switches": [], "links": [{"src": "a", "dest": "b"}]}',
      'NAME_UNKNOWN',
    ],
    [
      '{"hosts": [{"opts": {"hostname": "a"}}, {"opts": {"hostname": "a"}}], "switches": [], "links": []}',
      'NAME_DUPLICATE',
    ],
    [
      '{"hosts": [{"opts": {"hostname": "a"}}], "switches": [{"opts": {"hostname": "s"}}], "links": [{"src": "a", "dest": "s", "opts": {"delay": "soon"}}]}',
      'UNIT',
    ],
  ])('refuses %s', (text, code) => {
    expect(problems(text, 'a.mn').map((one) => one.code)).toContain(code);
  });
});

describe('a project of GNS3', () => {
  it('has nodes, switches, and filters of links', () => {
    const file = example('branch.gns3', 'x.json');
    expect(file.format).toBe('GNS3');
    expect(names(file.topology.services)).toEqual(['PC-1', 'R1']);
    expect(names(file.topology.bridges)).toEqual(['Switch1']);
    expect(forwarding(file)).toEqual(['R1']);
    expect(linkOf(file.topology, 'PC-1', 'R1')!.down).toMatchObject({
      latency: 30_000,
      jitter: 2_000,
      loss: 0.01,
    });
    for (const one of [
      /^10 KEY_IGNORED .*"frequency_drop"/,
      /^14 NAME_CHANGED "PC 1"/,
      /^17 LINK_LEFT_OUT Internet/,
    ])
      expect(file.told).toContainEqual(expect.stringMatching(one));
  });

  it('has images of containers', () => {
    const { topology, told } = example('web.gns3');
    expect(topology.services.map(({ image }) => image)).toEqual(['nginx:1', 'alpine:3']);
    expect(told).toContainEqual(expect.stringMatching(/"suspend"/));
  });

  it.each([
    ['{"project_id": "x", "topology": {}, "node_id": 1}', 'NOT_A_TOPOLOGY'],
    ['{"topology": {"nodes": [{}]}}', 'KEY_MISSING'],
    [
      '{"project_id": "x", "topology": {"nodes": [{"node_id": "a"}], "links": [{"nodes": [{"node_id": "a"}]}]}}',
      'VALUE_INVALID',
    ],
    ['{"topology": {"nodes": []}}', 'NO_SERVICES'],
  ])('refuses %s', (text, code) => {
    expect(problems(text, 'a.gns3')[0]!.code).toBe(code);
  });
});

describe('a scenario of CORE', () => {
  it('has devices, networks, and options of links in its units', () => {
    const file = example('campus.core.xml', 'x.xml');
    expect(file.format).toBe('CORE XML');
    expect(names(file.topology.services)).toEqual(['n1', 'n2', 'n4']);
    expect(forwarding(file)).toEqual(['n1']);
    const { up } = linkOf(file.topology, 'n1', 'n2')!;
    expect(up).toMatchObject({ latency: 5_000, jitter: 1_000, bandwidth: 10e6 });
    expect(up.loss).toBeCloseTo(0.005);
    expect(linkOf(file.topology, 'n1', 'switch1')!.up).toMatchObject({
      latency: 0,
      bandwidth: Number.POSITIVE_INFINITY,
    });
    for (const one of [
      /"position" of 3 nodes/,
      /"services" of 1 node/,
      /^13 KEY_IGNORED .*"dup"/,
      /"session_options"/,
    ])
      expect(file.told).toContainEqual(expect.stringMatching(one));
  });

  it('has directions of their own, and radio as a switch', () => {
    const { topology, told } = example('radio.core.xml');
    expect(pathOf(topology, 'alpha', 'bravo')!.latency).toBe(20_000);
    expect(pathOf(topology, 'bravo', 'alpha')!.latency).toBe(30_000);
    expect(told).toContainEqual(expect.stringMatching(/^2 KEY_IGNORED radio \(WIRELESS_LAN\)/));
  });

  it.each([
    ['<scenario><devices><device name="a"/></devices></scenario>', 'KEY_MISSING'],
    [
      '<scenario><devices><device id="1"/></devices><links><link node1="1"/></links></scenario>',
      'KEY_MISSING',
    ],
    [
      '<scenario><devices><device id="1"/></devices><links><link node1="1" node2="9"/></links></scenario>',
      'NAME_UNKNOWN',
    ],
    ['<scenario><devices/></scenario>', 'NO_SERVICES'],
    ['<scene/>', 'NOT_A_TOPOLOGY'],
  ])('refuses %s', (text, code) => {
    expect(problems(text, 'a.core.xml')[0]!.code).toBe(code);
  });
});

describe('an .imn of CORE', () => {
  it('has nodes with the names of their hosts, and what links do', () => {
    const file = example('backbone.imn', 'x.txt');
    expect(file.format).toBe('CORE .imn');
    expect(names(file.topology.services)).toEqual(['r1', 'server']);
    expect(names(file.topology.bridges)).toEqual(['sw1']);
    expect(forwarding(file)).toEqual(['r1']);
    expect(linkOf(file.topology, 'r1', 'sw1')!.up).toMatchObject({
      latency: 10_000,
      loss: 0.01,
      bandwidth: 10e6,
    });
    for (const one of [/^36 LINK_LEFT_OUT eth7/, /^50 KEY_IGNORED .*"duplicate"/])
      expect(file.told).toContainEqual(expect.stringMatching(one));
  });

  it('has a value for each direction', () => {
    const { topology } = example('pair.imn');
    const { up, down } = linkOf(topology, 'pc0', 'n1')!;
    expect([up.latency, down!.latency]).toEqual([2_000, 3_000]);
  });

  it.each([
    ['node n1 {', 'VALUE_INVALID'],
    ['node n1 { type pc }\nlink l1 { nodes {n1} }', 'VALUE_INVALID'],
    ['node n1 { type pc }\nlink l1 { nodes {n1 n2} }', 'NAME_UNKNOWN'],
    ['option global { }', 'NOT_A_TOPOLOGY'],
  ])('refuses %s', (text, code) => {
    expect(problems(text, 'a.imn')[0]!.code).toBe(code);
  });
});

describe('a topology of netlab', () => {
  it('has routers, and links of all forms', () => {
    const file = example('triangle.netlab.yml', 'x.yml');
    expect(file.format).toBe('netlab');
    expect(forwarding(file)).toEqual(['r1', 'r2', 'r3']);
    expect(linkOf(file.topology, 'r1', 'r3')!.up).toMatchObject({
      latency: 20_000,
      loss: 0.01,
      bandwidth: 10e6,
    });
    expect(file.told).toContainEqual(expect.stringMatching(/^11 KEY_IGNORED .*"corrupt"/));
  });

  it('is not what netfold’s own files called topology.yaml are', () => {
    expect(imported('services: { a: {} }', 'topology.yaml').format).toBe('YAML');
  });

  it('has hosts, and a bridge for a link of several', () => {
    const file = example('office.netlab.yml');
    expect(forwarding(file)).toEqual(['gw']);
    expect(names(file.topology.bridges)).toEqual(['lan1']);
    expect(file.told).toContainEqual(expect.stringMatching(/^9 LINK_LEFT_OUT a stub network of "h2"/));
  });

  it.each([
    ['nodes: 1\nlinks: []', 'NOT_A_TOPOLOGY'],
    ['nodes: [a]\nlinks: [a-b]', 'NAME_UNKNOWN'],
    ['nodes: [a, b]\nlinks: 1', 'VALUE_INVALID'],
    ['nodes: [[a]]\nlinks: []', 'VALUE_INVALID'],
  ])('refuses %s', (text, code) => {
    expect(problems(text, 'a.netlab.yml')[0]!.code).toBe(code);
  });
});
