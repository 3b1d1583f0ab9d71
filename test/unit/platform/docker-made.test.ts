/** Containers that an experiment makes: what the engine is asked for, the addresses, the image that waits. */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { placementOf } from '../../../controller/cli/options/placement-options.ts';
import { applicationBody, sandboxBody } from '../../../controller/platform/docker/container-bodies.ts';
import { pauseArchive, pauseProgram } from '../../../controller/platform/docker/pause-image.ts';
import {
  addressIn,
  freeRange,
  ipv6Prefix,
  rangeOf,
  routedRanges,
} from '../../../controller/platform/docker/subnets.ts';
import { loadTopology } from '../../../topology/load.ts';

const made = (settings: string, file = '/srv/lab/net.yaml') => {
  const text = `services: { web: { image: "web:1", ${settings} }, b: { image: x } }\nlinks: [{ from: web, to: b }]`;
  const [service] = loadTopology(text, file).topology.services;
  return { experiment: 'lab', endpoint: 'web.0', addresses: ['10.1.0.2'], service: service! };
};
const application = (settings: string) => applicationBody(made(settings), 'ID', { NETFOLD_NODE: 'web.0' });
const sandbox = (settings: string) => sandboxBody(made(settings));

describe('the container of an application', () => {
  it('is of the image, in the network of the other, with labels', () => {
    expect(application('replicas: 1')).toEqual({
      Image: 'web:1',
      Labels: { 'netfold.experiment': 'lab', 'netfold.endpoint': 'web.0' },
      Env: ['NETFOLD_NODE=web.0'],
      HostConfig: { NetworkMode: 'container:ID', Binds: [] },
    });
  });

  it('finds a folder for what it leaves, unless the service has a volume there', () => {
    const body = (settings: string): object =>
      applicationBody(made(settings), 'ID', { NETFOLD_NODE: 'web.0' }, '/run/out/web.0');
    expect(body('replicas: 1')).toMatchObject({
      Env: ['NETFOLD_NODE=web.0', 'NETFOLD_OUT=/netfold/out'],
      HostConfig: { Binds: ['/run/out/web.0:/netfold/out:rw'] },
    });
    expect(body('volumes: [/mine:/netfold/out]')).toMatchObject({
      Env: ['NETFOLD_NODE=web.0'],
      HostConfig: { Binds: ['/mine:/netfold/out:rw'] },
    });
  });

  it.each<[string, object]>([
    ['command: [a, b]', { Cmd: ['a', 'b'] }],
    ['entrypoint: /run x', { Entrypoint: ['/run', 'x'] }],
    ['environment: { A: 1 }', { Env: ['A=1', 'NETFOLD_NODE=web.0'] }],
    ['user: "5:6"', { User: '5:6' }],
    ['working_dir: /w', { WorkingDir: '/w' }],
    [
      'healthcheck: { test: "x", interval: 5s, timeout: 1s, start_period: 2s, retries: 4 }',
      {
        Healthcheck: { Test: ['CMD-SHELL', 'x'], Interval: 5e9, Timeout: 1e9, StartPeriod: 2e9, Retries: 4 },
      },
    ],
    ['volumes: [/data]', { Volumes: { '/data': {} } }],
    ['volumes: [./a:/b:ro]', { HostConfig: { Binds: ['/srv/lab/a:/b:ro'] } }],
    ['volumes: [/a:/b]', { HostConfig: { Binds: ['/a:/b:rw'] } }],
    ['volumes: [cache:/b]', { HostConfig: { Binds: ['netfold.lab.cache:/b:rw'] } }],
    ['resources: { cpu: 0.25 }', { HostConfig: { NanoCpus: 250_000_000 } }],
    ['resources: { memory: 64m }', { HostConfig: { Memory: 64 * 1024 ** 2 } }],
    ['processes: 100', { HostConfig: { PidsLimit: 100 } }],
    ['descriptors: 100', { HostConfig: { Ulimits: [{ Name: 'nofile', Soft: 100, Hard: 100 }] } }],
    ['cap_add: [NET_ADMIN]', { HostConfig: { CapAdd: ['NET_ADMIN'] } }],
    ['cap_drop: [ALL]', { HostConfig: { CapDrop: ['ALL'] } }],
  ])('has what %s says', (settings, body) => {
    expect(application(settings)).toMatchObject(body);
  });
});

describe('the container of a network', () => {
  it('has names, an address, nothing to do, and no rights', () => {
    expect(sandbox('replicas: 1')).toMatchObject({
      Cmd: ['/pause'],
      Hostname: 'web.0',
      Labels: { 'netfold.network-of': 'lab/web.0' },
      HostConfig: { NetworkMode: 'netfold.lab', CapDrop: ['ALL'], ReadonlyRootfs: true },
      NetworkingConfig: {
        EndpointsConfig: {
          'netfold.lab': { IPAMConfig: { IPv4Address: '10.1.0.2' }, Aliases: ['web', 'web.0'] },
        },
      },
    });
  });

  it('publishes ports', () => {
    expect(sandbox('ports: ["8080:80", "127.0.0.1:53:53/udp", 81]')).toMatchObject({
      ExposedPorts: { '80/tcp': {}, '53/udp': {}, '81/tcp': {} },
      HostConfig: {
        PortBindings: {
          '80/tcp': [{ HostPort: '8080' }],
          '53/udp': [{ HostIp: '127.0.0.1', HostPort: '53' }],
          '81/tcp': [{ HostPort: '' }],
        },
      },
    });
  });
});

describe('the range of an experiment', () => {
  it.each([
    ['10.1.2.3/16', '10.1.0.0', 65_536],
    ['192.0.2.1', '192.0.2.1', 1],
    ['0.0.0.0/0', '0.0.0.0', 2 ** 32],
  ])('%s begins with %s', (text, first, size) => {
    const range = rangeOf(text)!;
    expect([addressIn(range, 0), range.size]).toEqual([first, size]);
  });

  it.each(['fd00::/64', '', '1.2.3/8', '1.2.3.400', '1.2.3.4/40'])('%s is none', (text) => {
    expect(rangeOf(text)).toBeUndefined();
  });

  it('overlaps nothing that is taken, and is none if all is', () => {
    const first = freeRange([], 'lab')!;
    expect(freeRange([], 'lab')).toEqual(first);
    const second = freeRange([first], 'lab')!;
    expect(second.first === first.first).toBe(false);
    expect(freeRange([rangeOf('172.16.0.0/12')!], 'lab')!.first).toBeGreaterThanOrEqual(10 * 2 ** 24);
    expect(freeRange([rangeOf('0.0.0.0/0')!], 'lab')).toBeUndefined();
    expect(ipv6Prefix('lab', first)).toMatch(/^fd[0-9a-f]{2}:[0-9a-f]{4}:[0-9a-f]{4}::$/);
  });

  it('is none to which the machine has a route', () => {
    const table =
      'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\n' +
      'eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\n' +
      'eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\n';
    expect(routedRanges(table)).toEqual([rangeOf('192.168.1.0/24')]);
  });
});

describe('the image that waits', () => {
  const folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));

  it('has a program that runs until it is killed', async () => {
    execFileSync('tar', ['-x', '-C', folder], { input: pauseArchive() });
    const path = join(folder, 'pause');
    chmodSync(path, 0o755);
    const child = spawn(path);
    const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));
    const soon = new Promise((resolve) => setTimeout(() => resolve('runs'), 100));
    expect(await Promise.race([ended, soon])).toBe('runs');
    child.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  it('has one for 64-bit ARM, which is no other', () => {
    expect(pauseProgram('arm64').readUInt16LE(18)).toBe(183);
    expect(() => pauseProgram('mips')).toThrow('containers are made on x86-64 and 64-bit ARM');
  });
});

describe('the options of up', () => {
  const flags = { hosts: 1, at: [] };
  it('make containers', () => {
    expect(placementOf({ ...flags, engine: 'docker' })).toEqual({
      platform: 'docker',
      placement: { make: true, pull: false, ipv6: false },
    });
    expect(placementOf({ ...flags, engine: 'docker', pull: true, ip: 'both' }).placement).toEqual({
      ...{ make: true, pull: true, ipv6: true },
    });
  });

  it.each([
    [{ hosts: 2 }, 'all containers are of this machine'],
    [{ ip: '6' as const }, 'always have IPv4'],
    [{ takeOver: true }, 'interfaces of their own'],
    [{ elsewhere: true }, '--elsewhere needs an endpoint that is here'],
  ])('refuse %j beside an engine', (more, why) => {
    expect(() => placementOf({ ...flags, engine: 'docker', ...more })).toThrow(why);
  });

  it('refuse --pull without one', () => {
    expect(() => placementOf({ ...flags, pull: true })).toThrow('--pull needs --engine');
  });
});
