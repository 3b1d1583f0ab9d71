/** Swarms on which no stack can be deployed, by what Docker's command line says of them. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { requireSwarm } from '../../../controller/deploy/swarm.ts';
import { loadTopology } from '../../../topology/load.ts';

const text = 'services: { a: &one { image: x }, b: *one }\nlinks: [{ from: a, to: b }]';
const { topology } = loadTopology(text, 'two.yaml');
const SWARM = { LocalNodeState: 'active', ControlAvailable: true };

const path = process.env.PATH!;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  process.env.PATH = `${folder}:${path}`;
});

afterEach(() => {
  process.env.PATH = path;
  rmSync(folder, { recursive: true });
});

/** `absent`: an image that the node does not have. */
function requireThat(swarm: object, hosts: readonly string[], absent = 'none') {
  const program = join(folder, 'docker');
  writeFileSync(join(folder, 'info'), JSON.stringify(swarm));
  writeFileSync(join(folder, 'nodes'), `${hosts.join('\n')}\n`);
  const script = `#!/bin/sh
    case "$*" in
      info*) cat ${folder}/info ;;
      "node ls"*) cat ${folder}/nodes ;;
      *${absent}) echo "Error: No such image" >&2; exit 1 ;;
      *) echo sha256:0123 ;;
    esac`;
  writeFileSync(program, script);
  chmodSync(program, 0o755);
  const source = { file: 'two.yaml', text };
  return requireSwarm({ name: 'shop', folder, image: 'netfold:1', topology, source });
}

test.each<[what: string, swarm: object, hosts: string[], says: string, remedy: string]>([
  [
    'in no swarm',
    { ...SWARM, LocalNodeState: 'inactive' },
    ['n1'],
    'in no swarm',
    'make one: docker swarm init',
  ],
  [
    'no manager',
    { ...SWARM, ControlAvailable: false },
    ['n1'],
    'is no manager',
    'deploy from one, or make this one: docker node promote NODE, on a manager',
  ],
  [
    'one of two with the same name',
    SWARM,
    ['n1', 'n2', 'n1'],
    'two nodes of the swarm have the host name n1',
    'give each its own: hostnamectl set-hostname NAME, and start its engine again',
  ],
  [
    'one that says nothing of a swarm',
    {},
    ['n1'],
    'does not say whether it is in a swarm',
    'see docker info',
  ],
])('this node is %s', async (_, swarm, hosts, says, remedy) => {
  await expect(requireThat(swarm, hosts)).rejects.toMatchObject({
    ...{ code: 'CLUSTER_MISSING', message: expect.stringContaining(says), remedy },
  });
});

test('images that this node does not have are told', async () => {
  expect(await requireThat(SWARM, ['n1', 'n2'])).toEqual([]);
  expect(await requireThat(SWARM, ['n1', 'n2'], 'netfold:1')).toEqual([
    expect.stringContaining('the image netfold:1 is not on this node'),
  ]);
});
