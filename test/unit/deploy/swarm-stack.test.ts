import { describe, expect, test } from 'vitest';
import { swarmStack } from '../../../controller/deploy/swarm-stack.ts';
import { loadTopology } from '../../../topology/load.ts';

const FILES = { topology: 'topology.yaml', meshKey: 'mesh.key', userKey: 'user.key' };
const SHOP = `
services:
  web:
    image: "nginx:1"
    replicas: 3
    command: [serve, "$HOME", "{{x}}"]
    environment: { PRICE: "5$", TEMPLATE: "{{.Task.Slot}}" }
    user: "1000"
    working_dir: /srv
    volumes: ["data:/data", "./static:/static:ro", "/tmp/x"]
    ports: ["80"]
    resources: { cpu: 0.5, memory: 128m }
    healthcheck: { test: [CMD, "true"], interval: 5s, retries: 3 }
    cap_add: [NET_RAW]
    after: [db]
  db: { image: "postgres:16", restart: "no", ports: ["127.0.0.1:8080:80"] }
links: [{ from: web, to: db, latency: 20ms }]
`;

const stackOf = (text: string, name = 'shop') =>
  swarmStack({
    ...{ name, image: 'netfold:1', files: FILES, version: '0123' },
    topology: loadTopology(text, '/work/shop.yaml').topology,
  });
type Stack = Record<string, Record<string, Record<string, unknown>>>;

describe('the stack', () => {
  const { stack, lost } = stackOf(SHOP);
  const { services, networks, secrets } = stack as unknown as Stack;

  test('has each setting of a service', () => {
    expect(services!.web).toEqual({
      image: 'nginx:1',
      command: ['serve', '$$HOME', '{{x}}'],
      environment: {
        ...{ PRICE: '5$$', TEMPLATE: '{{"{{"}}.Task.Slot}}' },
        ...{ NETFOLD_SERVICE: 'web', NETFOLD_SLOT: '{{.Task.Slot}}' },
      },
      ...{ user: '1000', working_dir: '/srv', cap_add: ['NET_RAW'] },
      volumes: [
        { type: 'volume', source: 'data', target: '/data', read_only: false },
        { type: 'bind', source: '/work/static', target: '/static', read_only: true },
        { type: 'volume', target: '/tmp/x' },
      ],
      ports: [{ target: 80, protocol: 'tcp', mode: 'host' }],
      healthcheck: { test: ['CMD', 'true'], interval: '5s', retries: 3 },
      networks: ['netfold-experiment'],
      deploy: {
        ...{ mode: 'replicated', replicas: 3, endpoint_mode: 'dnsrr' },
        restart_policy: { condition: 'any', delay: '1s' },
        resources: { limits: { cpus: '0.5', memory: '134217728' } },
      },
    });
  });

  test('says what Swarm does otherwise', () => {
    expect(lost).toEqual([
      'services.web.after: Swarm starts all services at once',
      'services.web.volumes: ./static has to be on each node, at the same path',
      'services.db.restart: Swarm starts every task again',
      'services.db.ports: published at all addresses of the node',
    ]);
  });

  test('has an agent on each node, with few rights and a network of its own', () => {
    const agent = services!['netfold-agent']!;
    expect(agent).toMatchObject({
      ...{ networks: ['netfold-control'], cap_drop: ['ALL'], read_only: true },
      deploy: { mode: 'global' },
    });
    expect((agent.command as string[]).join(' ')).toBe(
      'node /etc/netfold/topology.yaml --name shop --engine docker --network shop_netfold-experiment --find tasks.netfold-agent --mesh-key /etc/netfold/mesh.key --user-key /etc/netfold/user.key --select web=label:com.docker.swarm.service.name=shop_web --select db=label:com.docker.swarm.service.name=shop_db',
    );
    expect(networks!['netfold-experiment']).toEqual({ driver: 'overlay', attachable: true });
    expect(secrets!.mesh_key).toEqual({ name: 'shop_mesh-key_0123', file: './mesh.key' });
  });
});

test.each([
  ['services: { a: {}, b: { image: x } }', 'shop', 'DEPLOY_UNSUPPORTED'],
  ['services: { a: { image: x }, b: { image: x } }', 'a.b', 'DEPLOY_NAME'],
  [`services: { ${'a'.repeat(40)}: { image: x }, b: { image: x } }`, 'n'.repeat(30), 'DEPLOY_NAME'],
  ['services: { netfold-agent: { image: x }, b: { image: x } }', 'shop', 'DEPLOY_NAME'],
])('%s as %s: %s', (text, name, code) => {
  expect(() => stackOf(text, name)).toThrow(expect.objectContaining({ code, remedy: expect.any(String) }));
});
