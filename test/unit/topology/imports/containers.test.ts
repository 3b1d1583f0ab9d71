import { describe, expect, it } from 'vitest';
import { problems } from '../support.ts';
import { example, imported, names, pathOf } from './support.ts';

const named = <T extends { readonly name: string }>(all: readonly T[], name: string): T =>
  all.find((one) => one.name === name)!;

describe('a lab of containerlab', () => {
  const { format, topology, told } = example('fabric.clab.yml');

  it('has its nodes as services and bridges, and those with several links forward', () => {
    expect(format).toBe('containerlab');
    expect(topology.name).toBe('fabric');
    expect(names(topology.services)).toEqual(['spine', 'leaf1', 'leaf2', 'host-1', 'host2']);
    expect(names(topology.bridges)).toEqual(['lan']);
    expect(topology.services.filter(({ forward }) => forward).map(({ name }) => name)).toEqual([
      ...['spine', 'leaf1', 'leaf2'],
    ]);
    expect(pathOf(topology, 'host-1', 'host2')).toMatchObject({ latency: 0, hops: 5 });
  });

  it('has images, commands and variables, from groups, kinds and defaults', () => {
    expect(named(topology.services, 'leaf1')).toMatchObject({
      ...{ image: 'frr:9', env: { LAB: 'fabric', ROLE: 'router' } },
    });
    expect(named(topology.services, 'host-1')).toMatchObject({
      ...{ image: 'alpine:3', command: ['sleep', 'a day'], env: { LAB: 'fabric' } },
    });
    expect(named(topology.services, 'host2').env).toEqual({ LAB: 'fabric', ROLE: 'client', COUNT: '3' });
  });

  it('tells of what is assumed and left out', () => {
    for (const one of [
      /^16 NAME_CHANGED "host.1" is called host-1/,
      /^13 FORWARD_ASSUMED spine is linked to 2 others/,
      /^20 LATENCY_ASSUMED links of a lab have no latency/,
      /^22 LINK_DUPLICATE parallel to the edge in line 21/,
      /^24 KEY_IGNORED the attribute "mtu" of 1 link/,
      /^30 LINK_LEFT_OUT a link to host leads out of the lab/,
      /^31 LINK_LEFT_OUT a link to mgmt-net leads out of the lab/,
      /KEY_IGNORED the attribute "startup-config" of 1 node/,
      /KEY_IGNORED attributes of the graph as a whole are left out: "mgmt"/,
    ])
      expect(told).toContainEqual(expect.stringMatching(one));
  });

  it('is recognised whatever it is called', () => {
    for (const name of ['a.yml', 'a.yaml', 'a', 'a.json'])
      expect(example('triangle.clab.yml', name).format).toBe('containerlab');
    const { topology } = example('triangle.clab.yml');
    expect(pathOf(topology, 'r1', 'r2')!.hops).toBe(1);
  });

  it.each([
    ['topology:\n  nodes: []', 'NOT_A_TOPOLOGY'],
    ['topology: 5', 'NOT_A_TOPOLOGY'],
    ['x: 5', 'NOT_A_TOPOLOGY'],
    ['topology:\n  nodes: {}', 'NO_SERVICES'],
    ['topology:\n  nodes: { b: { kind: bridge } }', 'NO_SERVICES'],
    ['topology:\n  nodes: { a: }\n  links: 5', 'VALUE_INVALID'],
    ['topology:\n  nodes: { a: }\n  links: [5]', 'VALUE_INVALID'],
    ['topology:\n  nodes: { a: }\n  links: [{ endpoints: ["a:1"] }]', 'VALUE_INVALID'],
    ['topology:\n  nodes: { a: }\n  links: [{ endpoints: ["a", "b"] }]', 'VALUE_INVALID'],
    ['topology:\n  nodes: { a: }\n  links: [{ endpoints: ["a:1", "b:1"] }]', 'NAME_UNKNOWN'],
    ['topology: [', 'YAML_SYNTAX'],
  ])('refuses %s: %s', (text, code) => {
    expect(problems(text, 'a.clab.yml').map((one) => one.code)).toContain(code);
  });

  it('leaves out commands and variables that are none', () => {
    const node = '{ cmd: "x \'y", env: { "A B": 1, NETFOLD_NODE: 2, C: [1], D: true }, image: "a b" }';
    const { topology, told } = imported(`topology:\n  nodes: { a: ${node} }`, 'a.clab.yml');
    expect(topology.services[0]).toMatchObject({ env: { D: 'true' } });
    expect(topology.services[0]).not.toHaveProperty('command');
    expect(topology.services[0]).not.toHaveProperty('image');
    expect(told.filter((line) => line.includes('VALUE_INVALID'))).toHaveLength(5);
  });
});

describe('a file of Docker Compose', () => {
  const { format, topology, told } = example('docker-compose.yml');

  it('has its services, and a bridge for each network that is used', () => {
    expect(format).toBe('Docker Compose');
    expect(topology.name).toBe('shop');
    expect(names(topology.services)).toEqual(['web', 'api', 'db']);
    expect(names(topology.bridges)).toEqual(['front-net', 'back-net']);
    expect(topology.links.map(({ from, to }) => `${from}--${to}`)).toEqual([
      ...['web--front-net', 'api--front-net', 'api--back-net', 'db--back-net'],
    ]);
    expect(pathOf(topology, 'api', 'db')!.hops).toBe(2);
    // No service is a router.
    expect(pathOf(topology, 'web', 'db')).toBeUndefined();
  });

  it('has replicas, images, commands, variables and capabilities', () => {
    const [web, api] = topology.services;
    expect(web).toMatchObject({ replicas: 3, image: 'nginx:${TAG:-1}' });
    expect(api).toMatchObject({ command: ['serve', '--name', 'the api'], capAdd: ['NET_ADMIN'] });
    expect(api!.env).toEqual({ PORT: '8080' });
  });

  it('has what its containers are given', () => {
    const [web, api, db] = topology.services;
    expect(web!.container).toEqual({ ports: [{ target: 80, protocol: 'tcp' }], cpus: 0.5 });
    expect(api!.restart).toBe('always');
    expect(db!.container!.volumes).toEqual([
      { source: 'data', target: '/var/lib/postgresql/data', readOnly: false },
    ]);
    const long = imported(
      `services:
  a:
    image: x
    entrypoint: [/run]
    working_dir: /w
    user: "5:6"
    restart: on-failure:3
    cpus: 2
    mem_limit: 1g
    volumes:
      - { type: bind, source: ./a, target: /b, read_only: true }
      - { type: tmpfs, target: /c }
    ports:
      - { target: 80, published: "8080", host_ip: 127.0.0.1, protocol: udp }
      - "x"
    healthcheck: { test: ["CMD", "true"], interval: 5s, retries: 3, timeout: 0 }
`,
      'compose.yml',
    );
    expect(long.topology.services[0]).toMatchObject({
      restart: 'on-failure',
      user: { name: '5:6', position: { line: 6 } },
      container: {
        entrypoint: ['/run'],
        workingDir: '/w',
        cpus: 2,
        memory: 1024 ** 3,
        volumes: [{ source: './a', target: '/b', readOnly: true }],
        ports: [{ target: 80, published: 8080, address: '127.0.0.1', protocol: 'udp' }],
        healthcheck: { test: ['CMD', 'true'], interval: 5e6, retries: 3, timeout: 0 },
      },
    });
    expect(long.told.join('\n')).toMatch(/of the volumes, "\/c" is neither a bind nor a volume/);
    expect(long.told.join('\n')).toMatch(/of the ports, "x" is no port/);
  });

  it('tells of what is assumed and left out', () => {
    for (const one of [
      /VALUE_INVALID "nginx:.*" has a variable, which is not replaced/,
      /VALUE_INVALID the variable "DEBUG" has no value/,
      /LATENCY_ASSUMED networks of containers have no latency/,
      /VALUE_INVALID "80:80" can't be the port of 3 replicas: each gets one that is free/,
      /KEY_IGNORED the attribute "build" of 1 service/,
      /KEY_IGNORED the attribute "depends_on" of 1 service/,
      /KEY_IGNORED the attribute "aliases" of 1 network of a service/,
      /KEY_IGNORED the attribute "driver" of 1 network/,
      /KEY_IGNORED attributes of the graph as a whole are left out: "volumes"/,
    ])
      expect(told).toContainEqual(expect.stringMatching(one));
  });

  it('has a network of its own if it names none', () => {
    const { format, topology, told } = example('compose.yaml');
    expect(format).toBe('Docker Compose');
    expect(names(topology.bridges)).toEqual(['default-net']);
    expect(named(topology.services, 'server').replicas).toBe(2);
    expect(pathOf(topology, 'client', 'server')!.hops).toBe(2);
    expect(told.join('\n')).toContain('LINK_LEFT_OUT network_mode "host"');
  });

  it('is recognised by its name, or by what netfold has not', () => {
    const text = 'services:\n  a: { image: x }\nnetworks:\n  default: {}\n';
    expect(imported(text, 'stack.yml').format).toBe('Docker Compose');
    expect(imported('services:\n  a: { image: x }\n', 'stack.yml').format).toBe('YAML');
  });

  it.each([
    ['services: {}', 'NO_SERVICES'],
    ['services: 5', 'NO_SERVICES'],
    ['x: 5', 'NO_SERVICES'],
    ['services: { a: { networks: [nowhere] } }', 'NAME_UNKNOWN'],
    ['services: { a: { networks: [[1]] } }', 'NAME_UNKNOWN'],
    ['services: { a: { scale: 70000 } , b: { scale: 65000 }, c: { scale: 65000 } }', 'LIMIT'],
  ])('refuses %s: %s', (text, code) => {
    expect(problems(text, 'compose.yml').map((one) => one.code)).toContain(code);
  });

  it('leaves out what is none', () => {
    const { topology, told } = imported(
      'services:\n  a: { scale: 0, cap_add: [FLY], command: 5, environment: 7 }\n  b: 5\n  a.b: {}',
      'compose.yml',
    );
    expect(topology.services[0]).toMatchObject({ replicas: 1, tags: [] });
    expect(names(topology.services)).toEqual(['a', 'b', 'a-b']);
    expect(told.filter((line) => line.includes('VALUE_INVALID'))).toHaveLength(4);
  });
});
