/** Starts in containers and on hosts over SSH: what of a request goes together, what a topology that was sent can't have, what hosts say. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { start } from '../../../controller/api/starting/daemon.ts';
import { HostsRefused, hostsOf } from '../../../controller/api/starting/injections.ts';
import { fileIn, inFolder, withoutFolders } from '../../../controller/api/starting/scratch.ts';
import { Starts } from '../../../controller/api/starting/starts.ts';
import { startSchema } from '../../../proto/api/v1/experiments.ts';
import { type AnswerOf, ROUTES } from '../../../proto/api/v1/routes.ts';
import { NetfoldError } from '../../../proto/errors.ts';
import { type ApiLab, openApiLab, TOKEN } from '../../support/api-server.ts';

const PAIR = 'services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, latency: 5ms }]\n';
const INVENTORY = 'hosts: { one: { address: 192.0.2.7, is: a } }\n';

let api: ApiLab;
beforeAll(async () => {
  api = await openApiLab();
});
afterAll(() => api.close());

async function post(url: string, payload: object) {
  const headers = { host: '127.0.0.1:4647', authorization: `Bearer ${TOKEN}` };
  const answer = await api.server.inject({ method: 'POST', url: `/api/v1${url}`, headers, payload });
  return { status: answer.statusCode, value: answer.json() };
}

describe('a request', () => {
  const inject = { inventory: INVENTORY };
  const attach = { engine: 'docker', select: ['a=name:one', 'b=name:two'] };
  const at = { interfaces: ['a=eth0', 'b=eth1'] };

  it.each<[string, object, string]>([
    ['containers on several hosts', { engine: 'docker', hosts: 2 }, 'body.hosts'],
    ['images for the lab', { pull: true }, 'body.pull'],
    ['hosts of containers that run', { attach, hosts: 2 }, 'body.hosts'],
    ['containers that run and are made', { attach, engine: 'docker' }, 'body.engine'],
    ['containers and interfaces', { attach, at }, 'body.at'],
    ['interfaces on hosts over SSH', { at, inject }, 'body.inject'],
    ['names in pods', { attach: { ...attach, engine: 'cri', names: true } }, 'body.attach.names'],
    ['containers on hosts over SSH', { engine: 'docker', inject }, 'body.engine'],
    ['emulated hosts over SSH', { hosts: 2, inject }, 'body.hosts'],
    ['a duration over SSH', { duration: '30s', inject }, 'body.duration'],
    ['a delay over SSH', { delayBackend: 'netem', inject }, 'body.delayBackend'],
  ])('for %s is refused', async (_, more, field) => {
    for (const url of ['/experiments', '/starts'])
      expect(await post(url, { topology: PAIR, ...more })).toMatchObject({
        status: 400,
        value: { code: 'START_USAGE', message: expect.stringContaining(`${field}:`) },
      });
    expect(api.experiments.started).toEqual([]);
  });

  it.each<[string, object]>([
    ['another engine', { engine: 'podman' }],
    ['no inventory', { inject: {} }],
    ['no selector', { attach: { ...attach, select: [] } }],
    ['an option for a selector', { attach: { ...attach, select: ['--engine=cri'] } }],
    ['an option for a network', { attach: { ...attach, network: '--names' } }],
    ['an option for an interface', { at: { interfaces: ['--take-over'] } }],
    ['an empty inventory', { inject: { inventory: '' } }],
    ['an option', { inject: { ...inject, never: ['--take-over'] } }],
    ['a lease without unit', { inject: { ...inject, lease: '30' } }],
    ['an unknown key', { inject: { ...inject, sshConfig: '/root/.ssh/config' } }],
  ])('with %s is malformed', (_, more) => {
    expect(startSchema.safeParse({ topology: PAIR, ...more }).success).toBe(false);
  });

  it('is taken with what goes together', () => {
    const given = { ...inject, never: ['tcp:5432', '192.0.2.0/24', '2001:db8::/32'], lease: '30s' };
    expect(startSchema.parse({ topology: PAIR, inject: given }).inject).toEqual({
      ...given,
      ...{ install: true, takeOver: false, names: false, record: false },
    });
  });
});

describe('a topology that was sent', () => {
  it('has no volumes beside it, for all places of it', async () => {
    const text = `services:
  a: { image: x, volumes: ["./data:/data", "/srv:/srv", "cache:/cache"] }
  b: { image: x, volumes: ["../up:/up:ro"] }
links: [{ from: a, to: b, latency: 5ms }]
`;
    const request = startSchema.parse({ topology: text, engine: 'docker' });
    const refused = await start(request).catch((error: NetfoldError) => error);
    expect(refused).toMatchObject({
      code: 'VOLUME_BESIDE',
      message: expect.stringMatching(/topology\.yaml:2:.*\.\/data[\s\S]*topology\.yaml:3:.*\.\.\/up/),
    });
    expect((refused as Error).message).not.toMatch(/\/srv would|cache would/);
  });

  it('is in a folder while it is read, whatever it is called, and nobody hears of that', async () => {
    let path = '';
    await inFolder(async (folder) => {
      path = fileIn(folder, 'events', 'a');
      expect(fileIn(folder, 'events', 'b')).not.toBe(path);
      expect(withoutFolders(`${path}:3: wrong (${path})`)).toBe('events:3: wrong (events)');
    });
    expect(withoutFolders('/srv/a.yaml')).toBe('/srv/a.yaml');
  });
});

describe('hosts over SSH', () => {
  it('are asked for by their inventory', async () => {
    const asked = await post('/injections/stop', { inventory: INVENTORY, name: 'wan' });
    expect([asked.status, asked.value]).toMatchObject([
      200,
      { experiment: 'wan', ok: true, hosts: [{ ok: true, result: 'stop' }] },
    ]);
    expect(ROUTES.askHosts.answer.safeParse(asked.value).error).toBeUndefined();
    expect(await post('/injections/stop', {})).toMatchObject({ status: 400 });
    expect(await post('/injections/start', { inventory: INVENTORY })).toMatchObject({ status: 400 });
  });

  it('have logs and commands, and a network between them', async () => {
    const about = { inventory: INVENTORY, name: 'wan' };
    const logs = await post('/injections/logs', { ...about, of: ['one', 'b.0'] });
    expect([logs.status, logs.value]).toMatchObject([200, { text: 'one b.0: said\n', errors: [] }]);
    const ended = await post('/injections/exec', { ...about, on: 'b.0', command: ['echo', '-n', '--json'] });
    expect([ended.status, ended.value]).toMatchObject([200, { code: 0, stdout: 'b.0: echo -n --json' }]);
    const network = await post('/injections/measure', { inventory: INVENTORY });
    expect([network.status, network.value]).toMatchObject([200, { ways: [{ between: ['one', 'two'] }] }]);
    for (const [path, body] of [
      ['logs', { ...about, of: ['--json'] }],
      ['exec', { ...about, on: '-x', command: ['true'] }],
      ['exec', { ...about, on: 'one', command: [] }],
      ['measure', about],
    ] as const)
      expect((await post(`/injections/${path}`, body)).status).toBe(400);
  });

  it('say what the command line prints of them', () => {
    const error = { code: 'HOST_NO_ROOT', message: 'two: no root', remedy: null };
    const status = { state: 'running', endpoints: ['a.0'], known: 2, expected: 2, problems: ['late'] };
    const { experiment, hosts } = hostsOf(
      JSON.stringify({
        ...{ action: 'x', experiment: 'wan' },
        hosts: [
          { host: 'one', ok: true, result: 'a.0 on eth0 (192.0.2.7)' },
          { host: 'two', ok: false, errors: [error] },
          { host: 'three', ok: true, result: status },
          { host: 'four', ok: true, result: { kernel: '6.1' } },
        ],
      }),
    );
    const nothing = { result: null, state: null, endpoints: [], problems: [], errors: [] };
    expect(experiment).toBe('wan');
    expect(hosts).toEqual([
      { ...nothing, host: 'one', ok: true, result: 'a.0 on eth0 (192.0.2.7)' },
      { ...nothing, host: 'two', ok: false, errors: [error] },
      { ...nothing, host: 'three', ok: true, state: 'running', endpoints: ['a.0'], problems: ['late'] },
      { ...nothing, host: 'four', ok: true },
    ]);
    expect(hostsOf('')).toEqual({ experiment: null, hosts: [] });
  });

  it('that refuse a start are in its state, each with its reason', async () => {
    const { hosts } = hostsOf(
      JSON.stringify({ experiment: 'wan', hosts: [{ host: 'one', ok: false, errors: [] }] }),
    );
    const failed = new NetfoldError({ code: 'HOSTS_FAILED', blame: 'machine', message: 'one failed' });
    const outcomes = [
      async () => ({ name: 'wan', warnings: [], injected: hosts }),
      async () => Promise.reject(new HostsRefused(failed, hosts)),
    ];
    const starts = new Starts(() => outcomes.shift()!());
    const end = async (): Promise<AnswerOf<'getStart'>> => {
      const { id } = starts.begin(startSchema.parse({ topology: PAIR }));
      await expect.poll(() => starts.state(id).state).not.toBe('starting');
      return starts.state(id);
    };
    expect(await end()).toMatchObject({ state: 'up', name: 'wan', injected: [{ host: 'one' }] });
    const refused = await end();
    expect(refused).toMatchObject({
      ...{ state: 'failed', error: { code: 'HOSTS_FAILED' }, injected: [{ host: 'one', ok: false }] },
    });
    expect(ROUTES.getStart.answer.safeParse(refused).error).toBeUndefined();
  });
});
