/** Manifests for Kubernetes, checked strictly against a part of its published schema: a field that it does not have fails. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { writeManifests } from '../../../controller/deploy/kubernetes.ts';
import { nodeSelector, parseClusterSelector } from '../../../controller/deploy/kubernetes-selectors.ts';
import { loadTopology } from '../../../topology/load.ts';
import { schemaBreaches } from '../../support/kubernetes/schema.ts';

const SHOP = `
services:
  web:
    image: "nginx:1"
    replicas: 3
    entrypoint: [/bin/serve]
    command: ["$(HOME)"]
    environment: { A: b }
    user: "1000"
    working_dir: /srv
    volumes: ["data:/data", "./static:/static:ro", "/tmp/x"]
    ports: ["80"]
    resources: { cpu: 0.5, memory: 128m }
    healthcheck: { test: "true", interval: 5s, timeout: 1s, start_period: 2s, retries: 3 }
    cap_add: [NET_RAW]
  db: { image: "postgres:16", after: [web], ports: ["8080:5432"] }
links: [{ from: web, to: db, latency: 20ms }]
`;

interface Manifest {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Record<string, string>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: what is looked at is any part of a manifest.
  readonly spec: any;
}

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-deploy-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function deploy(text: string, selectors: readonly string[] = [], name = 'shop'): readonly string[] {
  const { topology } = loadTopology(text, '/work/shop.yaml');
  const source = { file: '/work/shop.yaml', text };
  const deployment = { name, folder: join(folder, 'out'), image: 'netfold:1', topology, source };
  return writeManifests(deployment, selectors.map(parseClusterSelector));
}

const manifests = (file: string): Manifest[] =>
  parseAllDocuments(readFileSync(join(folder, 'out', file), 'utf8')).map((one) => one.toJS() as Manifest);

const of = (all: readonly Manifest[], kind: string, name?: string): Manifest =>
  all.find((one) => one.kind === kind && (name === undefined || one.metadata.name === name))!;

describe('the manifests', () => {
  test('are what the published schema has, and nothing else', () => {
    deploy(SHOP);
    const all = [...manifests('agents.yaml'), ...manifests('workloads.yaml')];
    expect(all.map(({ kind }) => kind).sort()).toEqual([
      ...['DaemonSet', 'Namespace', 'Namespace', 'NetworkPolicy', 'Service', 'Service', 'Service'],
      ...['ServiceAccount', 'StatefulSet', 'StatefulSet'],
    ]);
    expect(all.flatMap(schemaBreaches)).toEqual([]);
  });

  test('would be refused with a field too many, one of another type, and without one that is needed', () => {
    deploy(SHOP);
    const set = of(manifests('workloads.yaml'), 'StatefulSet');
    expect(schemaBreaches({ ...set, spec: { ...set.spec, replica: 3 } })).toEqual([
      'spec.replica: is not known',
    ]);
    expect(schemaBreaches({ ...set, spec: { ...set.spec, replicas: '3' } })).toEqual([
      'spec.replicas: is no integer',
    ]);
    const { selector: _, ...without } = set.spec;
    expect(schemaBreaches({ ...set, spec: without })).toEqual(['spec.selector: is missing']);
  });

  test('have each setting of a service', () => {
    const lost = deploy(SHOP);
    const { spec } = of(manifests('workloads.yaml'), 'StatefulSet', 'web');
    expect(spec).toMatchObject({ replicas: 3, serviceName: 'web', podManagementPolicy: 'Parallel' });
    expect(spec.template.spec.containers).toEqual([
      {
        ...{ name: 'web', image: 'nginx:1', command: ['/bin/serve'], args: ['$$(HOME)'], workingDir: '/srv' },
        env: [
          { name: 'A', value: 'b' },
          { name: 'NETFOLD_SERVICE', value: 'web' },
          { name: 'NETFOLD_POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        ],
        ports: [{ containerPort: 80, protocol: 'TCP' }],
        volumeMounts: [
          { name: 'volume-0', mountPath: '/data' },
          { name: 'volume-1', mountPath: '/static', readOnly: true },
          { name: 'volume-2', mountPath: '/tmp/x' },
        ],
        resources: { limits: { cpu: '0.5', memory: '134217728' } },
        securityContext: { runAsUser: 1000, capabilities: { add: ['NET_RAW'] } },
        livenessProbe: {
          exec: { command: ['/bin/sh', '-c', 'true'] },
          ...{ periodSeconds: 5, timeoutSeconds: 1, initialDelaySeconds: 2, failureThreshold: 3 },
        },
      },
    ]);
    expect(spec.template.spec.volumes).toEqual([
      { name: 'volume-0', emptyDir: {} },
      { name: 'volume-1', hostPath: { path: '/work/static' } },
      { name: 'volume-2', emptyDir: {} },
    ]);
    expect(lost).toEqual([
      "services.web.volumes: data is a folder of each pod's own, and ends with it",
      'services.web.volumes: ./static has to be on each node, at the same path',
      'services.db.after: all pods start at once',
    ]);
  });

  test('give applications a namespace with as few rights as they need, and agents another', () => {
    deploy(SHOP);
    const level = 'pod-security.kubernetes.io/enforce';
    expect(of(manifests('workloads.yaml'), 'Namespace').metadata.labels![level]).toBe('privileged');
    deploy('services: { a: { image: x }, b: { image: x } }');
    expect(of(manifests('workloads.yaml'), 'Namespace').metadata.labels![level]).toBe('baseline');
    const agents = manifests('agents.yaml');
    expect(of(agents, 'Namespace').metadata).toMatchObject({
      name: 'shop-netfold',
      labels: { [level]: 'privileged' },
    });
    const { spec } = of(agents, 'DaemonSet').spec.template;
    expect(spec.automountServiceAccountToken).toBe(false);
    expect(spec.containers[0].securityContext).toMatchObject({
      ...{ readOnlyRootFilesystem: true, privileged: false },
      capabilities: { drop: ['ALL'] },
    });
  });

  test('give agents no volume as a folder of their own, which must not be everybody’s to write', () => {
    deploy(SHOP);
    const { containers, volumes } = of(manifests('agents.yaml'), 'DaemonSet').spec.template.spec;
    const writable = volumes.filter((one: { emptyDir?: object }) => one.emptyDir);
    const names = writable.map(({ name }: { name: string }) => name);
    const mounts: { name: string; mountPath: string }[] = containers[0].volumeMounts;
    const paths = mounts.filter(({ name }) => names.includes(name)).map(({ mountPath }) => mountPath);
    expect(paths).toEqual(['/run', '/var/lib', '/tmp']);
  });

  test('select pods that are there instead of making some', () => {
    deploy(SHOP, ['web=app=web,namespace=other', 'db=app=db']);
    expect(readFileSync(join(folder, 'out/kustomization.yaml'), 'utf8')).not.toContain('workloads');
    const { args } = of(manifests('agents.yaml'), 'DaemonSet').spec.template.spec.containers[0];
    expect(args.slice(-4)).toEqual([
      '--select',
      'web=label:app=web,namespace:other',
      '--select',
      'db=label:app=db',
    ]);
  });

  const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;
  const build = () => {
    deploy(SHOP);
    const built = execFileSync('kubectl', ['kustomize', join(folder, 'out')], { encoding: 'utf8' });
    const all = parseAllDocuments(built).map((one) => one.toJS() as Manifest);
    expect(all.flatMap(schemaBreaches)).toEqual([]);
    const { volumes } = of(all, 'DaemonSet').spec.template.spec;
    const config = of(all, 'ConfigMap').metadata.name;
    expect(config).toMatch(/^netfold-topology-[a-z0-9]+$/);
    expect(volumes[1].configMap.name).toBe(config);
    expect(volumes[2].secret.secretName).toBe(of(all, 'Secret').metadata.name);
  };
  const overlay = () => {
    deploy(SHOP);
    const over = join(folder, 'over');
    mkdirSync(over);
    const toleration = [{ key: 'gpu', operator: 'Exists' }];
    const patch = {
      ...{ apiVersion: 'apps/v1', kind: 'DaemonSet' },
      metadata: { name: 'netfold-agent', namespace: 'shop-netfold' },
      spec: { template: { spec: { tolerations: toleration } } },
    };
    const its = { resources: ['../out'], images: [{ name: 'netfold', newName: 'registry.local/netfold' }] };
    writeFileSync(join(over, 'patch.yaml'), JSON.stringify(patch));
    writeFileSync(
      join(over, 'kustomization.yaml'),
      JSON.stringify({ ...its, patches: [{ path: 'patch.yaml' }] }),
    );
    const built = execFileSync('kubectl', ['kustomize', over], { encoding: 'utf8' });
    const all = parseAllDocuments(built).map((one) => one.toJS() as Manifest);
    expect(all.flatMap(schemaBreaches)).toEqual([]);
    const { containers, tolerations } = of(all, 'DaemonSet').spec.template.spec;
    expect(containers[0].image).toBe('registry.local/netfold:1');
    expect(tolerations).toEqual(toleration);
  };
  // A machine without it has less to show, not a test that was left out.
  if (hasKubectl) {
    test('are a base of kustomize', build);
    test('are changed by an overlay', overlay);
  }
});

describe('a folder', () => {
  const key = (): string => readFileSync(join(folder, 'out/mesh.key'), 'utf8');

  test('is written again with the same keys', () => {
    deploy(SHOP);
    const before = key();
    deploy(SHOP);
    expect(key()).toBe(before);
  });

  test('of somebody else is left alone', () => {
    writeFileSync(join(folder, 'mine'), '');
    const { topology } = loadTopology(SHOP, '/work/shop.yaml');
    const source = { file: '/work/shop.yaml', text: SHOP };
    expect(() => writeManifests({ name: 'shop', folder, image: 'x', topology, source }, [])).toThrow(
      expect.objectContaining({ code: 'DEPLOY_FOLDER' }),
    );
  });
});

test.each([
  ['services: { a: {}, b: { image: x } }', 'shop', 'DEPLOY_UNSUPPORTED'],
  ['services: { a: { image: x }, b: { image: x } }', 'Shop', 'DEPLOY_NAME'],
  ['services: { a_b: { image: x }, b: { image: x } }', 'shop', 'DEPLOY_NAME'],
])('%s as %s: %s', (text, name, code) => {
  expect(() => deploy(text, [], name)).toThrow(expect.objectContaining({ code, remedy: expect.any(String) }));
});

test.each([
  ['client=app=web', 'client=label:app=web'],
  ['client=app=web,namespace=shop', 'client=label:app=web,namespace:shop'],
  ['client=app.kubernetes.io/name=web,tier=', 'client=label:app.kubernetes.io/name=web,label:tier='],
])('--select %s is %s on each node', (text, expected) => {
  expect(nodeSelector(parseClusterSelector(text))).toBe(expected);
});

test.each([
  '',
  'client',
  'client=',
  'client=app',
  'client=app=web,',
  'client=namespace=shop',
  'client=a b=c',
])('--select %j is none', (text) => {
  expect(() => parseClusterSelector(text)).toThrow(expect.objectContaining({ code: 'DEPLOY_USAGE' }));
});
