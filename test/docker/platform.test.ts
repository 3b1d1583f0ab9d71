/** Containers that run already keep the contract of `Platform`, with a real engine. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { agentsOf } from '../../controller/machine/processes.ts';
import { experimentFolder } from '../../controller/names.ts';
import { sandboxNames } from '../../controller/platform/containers/sandbox.ts';
import { parseSelector } from '../../controller/platform/containers/selectors.ts';
import { type DockerOptions, docker } from '../../controller/platform/docker/docker.ts';
import type { DockerPlan } from '../../controller/platform/docker/docker-plan.ts';
import { loadTopology } from '../../topology/load.ts';
import { TestEngine } from '../support/docker/engine.ts';
import { type OpenedPlatform, platformContract } from '../support/fakes/platform-contract.ts';
import { experimentName } from '../support/lab/lab.ts';
import { tracesOf } from '../support/lab/traces.ts';

const { topology } = loadTopology(
  'services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, latency: 30ms }]',
  'two.yaml',
);
const CONTAINERS = ['one', 'two'];

let engine: TestEngine;
const hostBefore = process.env.DOCKER_HOST;

beforeAll(async () => {
  engine = await TestEngine.start();
  process.env.DOCKER_HOST = engine.env.DOCKER_HOST;
  engine.docker('network', 'create', '--subnet', '10.77.0.0/24', 'net');
  for (const name of CONTAINERS) engine.run(name, '--network', 'net');
});

afterAll(async () => {
  if (hostBefore === undefined) delete process.env.DOCKER_HOST;
  else process.env.DOCKER_HOST = hostBefore;
  await engine.remove();
});

const inNetworkOf = (name: string, command: string): string =>
  execFileSync('nsenter', [`--net=/proc/${engine.pidOf(name)}/ns/net`, 'sh', '-c', command], {
    encoding: 'utf8',
  });
const shown = (): string[] =>
  CONTAINERS.map((name) =>
    inNetworkOf(name, 'tc -d qdisc; tc -d class show dev eth0; nft list ruleset 2>/dev/null'),
  );

describe('containers that run already', () =>
  platformContract((): OpenedPlatform => {
    const experiment = experimentName();
    mkdirSync(experimentFolder(experiment), { recursive: true });
    const logFolder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
    const options: DockerOptions = {
      selectors: ['a=name:one', 'b=name:two'].map(parseSelector),
      ...{ takeOver: false, leaseMs: 30_000 },
    };
    return {
      platform: docker,
      wanted: { experiment, topology, endpoints: ['a.0', 'b.0'], options },
      logFolder,
      traces: () => [tracesOf(experiment), agentsOf(experiment), sandboxNames(experiment), shown()],
      shape: () => {
        for (const name of CONTAINERS)
          inNetworkOf(
            name,
            'tc qdisc add dev eth0 root handle 4e46: htb default 0; nft add table inet netfold',
          );
      },
      isOwn: (leftover) => leftover.experiment === experiment,
      spoil: (plan) => {
        const { containers } = plan as DockerPlan;
        const withPid = (pid: number): DockerPlan => ({
          ...(plan as DockerPlan),
          containers: [containers[0]!, { ...containers[1]!, namespacePath: `/proc/${pid}/ns/net` }],
        });
        return [
          ['a container that has ended', withPid(2 ** 22 + 1)],
          ['a process of another network', withPid(process.pid)],
        ];
      },
      close: () => {
        rmSync(experimentFolder(experiment), { recursive: true, force: true });
        rmSync(logFolder, { recursive: true });
      },
    };
  }));
