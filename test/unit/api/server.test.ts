/** Every route of the API, and what it answers to bad input. The agents are real, the machine is not. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errorSchema } from '../../../proto/api/v1/errors.ts';
import { ROUTES, type Route } from '../../../proto/api/v1/routes.ts';
import { type ApiLab, openApiLab, TOKEN } from '../../support/api-server.ts';

let api: ApiLab;
beforeAll(async () => {
  api = await openApiLab();
});
afterAll(() => api.close());

const HEADERS = { host: '127.0.0.1:4647', authorization: `Bearer ${TOKEN}` };

interface Sent {
  readonly method?: 'GET' | 'POST' | 'DELETE' | 'PUT' | 'PATCH' | 'HEAD' | 'OPTIONS';
  readonly url: string;
  readonly headers?: Record<string, string>;
  readonly payload?: unknown;
}

async function send({ method = 'GET', url, headers = {}, payload }: Sent) {
  const answer = await api.server.inject({
    method,
    url: `/api/v1${url}`,
    headers: { ...HEADERS, ...headers },
    ...(payload !== undefined && { payload: payload as object }),
  });
  return { status: answer.statusCode, value: answer.json(), headers: answer.headers };
}

const post = (url: string, payload: unknown) => send({ method: 'POST', url, payload });

describe('what there is', () => {
  const ONE = '/experiments/fake';

  test.each([
    ['listExperiments', '/experiments'],
    ['getExperiment', ONE],
    ['getTopology', `${ONE}/topology?text=true`],
    ['getPaths', `${ONE}/paths`],
    ['getPaths', `${ONE}/paths?from=client&to=server.0&at=2h`],
    ['getFlows', `${ONE}/flows`],
    ['getEndpoints', `${ONE}/endpoints`],
    ['getLogs', `${ONE}/endpoints/server/logs?from=3`],
    ['getEvents', `${ONE}/events`],
    ['getLog', `${ONE}/log?from=0&host=host1`],
    ['getVerdict', `${ONE}/verdict`],
    ['getExplanation', `${ONE}/explanation?from=client.0&to=server`],
    ['getExplanation', `${ONE}/explanation?from=client.0&to=client.0`],
    ['getPicture', `${ONE}/picture`],
    ['getPicture', `${ONE}/picture?format=svg`],
    ['getTraffic', `${ONE}/traffic`],
    ['getRecord', `${ONE}/record`],
    ['listCommands', `${ONE}/commands`],
  ] as const)('%s %s answers by its schema', async (id, url) => {
    const { status, value } = await send({ url });
    expect(status).toBe(200);
    expect((ROUTES[id] as Route).answer.safeParse(value).error).toBeUndefined();
  });

  test('paths are those of the instant that is asked for', async () => {
    const latency = async (at: string): Promise<unknown> =>
      (await send({ url: `${ONE}/paths?from=client.0&to=server${at}` })).value[0].latencyMs;
    expect(await latency('')).toBe(15);
    expect(await latency('&at=30m')).toBe(15);
    expect(await latency('&at=2h')).toBe(25);
  });

  test('the topology has names instead of numbers, and keeps directions apart', async () => {
    const { value } = await send({ url: `${ONE}/topology` });
    expect(value.links).toContainEqual(
      expect.objectContaining({ from: 'client.0', to: 's1', latencyMs: 5, bandwidthBps: 20e6 }),
    );
    expect(value.links).toContainEqual(
      expect.objectContaining({ from: 's1', to: 'client.0', bandwidthBps: 10e6 }),
    );
    expect(value.nodes).toContainEqual({ name: 's1', kind: 'bridge', service: null });
    expect(value).not.toHaveProperty('text');
    expect(JSON.stringify(value)).not.toMatch(/key/i);
  });

  test('endpoints say where they are, and what runs in them', async () => {
    const { value } = await send({ url: `${ONE}/endpoints` });
    expect(value).toEqual([
      { name: 'client.0', service: 'client', host: 'host0', addresses: ['10.0.0.1'], process: null },
      { name: 'client.1', service: 'client', host: 'host0', addresses: ['10.0.0.2'], process: null },
      { name: 'server.0', service: 'server', host: 'host1', addresses: ['10.0.0.3'], process: 'pid 1' },
    ]);
  });

  test('a command is given, applied on all hosts, and undone by its window', async () => {
    const given = await post(`${ONE}/commands`, {
      text: 'set s1--server latency=40ms',
      at: '+1s',
      for: '10s',
    });
    expect(given.status).toBe(202);
    const state = async () => (await send({ url: `${ONE}/commands/${given.value.id}` })).value;
    const latency = async () =>
      (await send({ url: `${ONE}/paths?from=client.0&to=server` })).value[0].latencyMs;
    expect(await state()).toMatchObject({ state: 'pending', everywhere: false });
    await api.experiments.lab.clock.advance(2000);
    expect(await state()).toMatchObject({
      text: 'set s1--server latency=40ms',
      state: 'done',
      everywhere: true,
      hosts: [
        { host: 'host0', state: 'done' },
        { host: 'host1', state: 'done' },
      ],
      behind: [],
    });
    expect(await latency()).toBe(45);
    await api.experiments.lab.clock.advance(10_000);
    expect(await latency()).toBe(15);
    expect((await send({ url: `${ONE}/commands` })).value.map((one: { id: string }) => one.id)).toEqual([
      given.value.id,
    ]);
  });

  test('a silent agent is named, and the others answer', async () => {
    api.experiments.silent.add('host0');
    const { status, value } = await send({ url: ONE });
    const { value: flows } = await send({ url: `${ONE}/flows` });
    const { value: verdict } = await send({ url: `${ONE}/verdict` });
    api.experiments.silent.clear();
    expect(status).toBe(200);
    expect(value.agents).toEqual([
      { host: 'host0', state: 'unreachable', reason: 'host0 is silent' },
      expect.objectContaining({ host: 'host1', state: 'running' }),
    ]);
    expect(flows).toEqual([]);
    expect(verdict).toMatchObject({ verdict: 'degraded', causes: [{ code: 'AGENT_SILENT', host: 'host0' }] });
  });

  test('the document names every route', async () => {
    const { value } = await send({ url: '/openapi.json' });
    const ids = Object.values(value.paths as Record<string, Record<string, { operationId: string }>>).flatMap(
      (path) => Object.values(path).map(({ operationId }) => operationId),
    );
    expect(ids.sort()).toEqual(
      [...Object.keys(ROUTES), 'stream', 'terminal', 'getRecordFile', 'getOpenApi'].sort(),
    );
    const text = JSON.stringify(value);
    for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g))
      expect(value.components.schemas, name).toHaveProperty(name!);
    expect(text).not.toMatch(/"\$ref":"(?!#\/components)/);
  });
});

describe('bad input', () => {
  const start = (payload: object): Sent => ({ method: 'POST', url: '/experiments', payload });
  const give = (payload: object): Sent => ({ method: 'POST', url: '/experiments/fake/commands', payload });
  const exec = (payload: object): Sent => ({
    method: 'POST',
    url: '/experiments/fake/endpoints/server.0/exec',
    payload,
  });
  const text = (payload: string, type: string): Sent => ({
    ...give({}),
    payload,
    headers: { 'content-type': type },
  });
  test.each<[string, Sent, number, string]>([
    ['an unknown experiment', { url: '/experiments/other' }, 404, 'EXPERIMENT_UNKNOWN'],
    ['a path out of the folder', { url: '/experiments/..%2F..%2Fetc' }, 400, 'REQUEST_MALFORMED'],
    ['markup', { url: '/experiments/%3Cscript%3E' }, 400, 'REQUEST_MALFORMED'],
    ['a broken escape', { url: '/experiments/%zz' }, 400, 'REQUEST_MALFORMED'],
    ['a name of a kilobyte', { url: `/experiments/${'x'.repeat(1024)}` }, 414, 'PATH_TOO_LONG'],
    ['an unknown endpoint', { url: '/experiments/fake/endpoints/nobody/logs' }, 404, 'NODE_UNKNOWN'],
    ['a service of several', { url: '/experiments/fake/endpoints/client/logs' }, 404, 'NODE_UNKNOWN'],
    [
      'an endpoint out of the folder',
      { url: '/experiments/fake/endpoints/..%2Fuser/logs' },
      400,
      'REQUEST_MALFORMED',
    ],
    ['paths from nobody', { url: '/experiments/fake/paths?from=nobody' }, 400, 'NAME_UNKNOWN'],
    ['a time without unit', { url: '/experiments/fake/paths?at=30' }, 400, 'REQUEST_MALFORMED'],
    ['a query that there is not', { url: '/experiments/fake/paths?form=a' }, 400, 'REQUEST_MALFORMED'],
    ['a query twice', { url: '/experiments/fake/paths?from=client&from=server' }, 400, 'REQUEST_MALFORMED'],
    ['a negative tail', { url: '/experiments/fake/endpoints/server/logs?tail=-1' }, 400, 'REQUEST_MALFORMED'],
    ['an endless wait', { url: '/experiments/fake/log?waitMs=1e9' }, 400, 'REQUEST_MALFORMED'],
    ['the log of an unknown host', { url: '/experiments/fake/log?host=host9' }, 404, 'HOST_UNKNOWN'],
    ['a file out of the record', { url: '/experiments/fake/record/file?path=..%2Fx' }, 404, 'RECORD_UNKNOWN'],
    ['no file', { url: '/experiments/fake/record/file' }, 400, 'REQUEST_MALFORMED'],
    ['the record of nothing', { url: '/experiments/other/record' }, 404, 'EXPERIMENT_UNKNOWN'],
    ['an unknown command', { url: '/experiments/fake/commands/host0~1~99' }, 404, 'COMMAND_UNKNOWN'],
    ['no id', { url: '/experiments/fake/commands/x' }, 400, 'REQUEST_MALFORMED'],
    ['a path that there is not', { url: '/nothing' }, 404, 'PATH_UNKNOWN'],
    ['another method', { method: 'PUT', url: '/experiments/fake' }, 405, 'METHOD_UNKNOWN'],
    ['HEAD', { method: 'PATCH', url: '/experiments' }, 405, 'METHOD_UNKNOWN'],
    ['a stream that is none', { url: '/experiments/fake/stream' }, 400, 'REQUEST_MALFORMED'],
    ['no ends', { url: '/experiments/fake/explanation' }, 400, 'REQUEST_MALFORMED'],
    ['no such end', { url: '/experiments/fake/explanation?from=a&to=server' }, 404, 'NODE_UNKNOWN'],
    ['several ends', { url: '/experiments/fake/explanation?from=client&to=server' }, 404, 'NODE_UNKNOWN'],
    ['another format', { url: '/experiments/fake/picture?format=png' }, 400, 'REQUEST_MALFORMED'],
    ['no topology', start({}), 400, 'REQUEST_MALFORMED'],
    ['an empty topology', start({ topology: '' }), 400, 'REQUEST_MALFORMED'],
    ['a topology that is none', start({ topology: 'services: [' }), 400, 'YAML_SYNTAX'],
    ['a file out of the folder', start({ topology: 'a', file: '../a.yaml' }), 400, 'REQUEST_MALFORMED'],
    ['a name with a slash', start({ topology: 'a', name: 'a/b' }), 400, 'REQUEST_MALFORMED'],
    ['a variable that is none', start({ topology: 'a', set: { 'a b': '1' } }), 400, 'REQUEST_MALFORMED'],
    ['no hosts', start({ topology: 'a', hosts: 0 }), 400, 'REQUEST_MALFORMED'],
    ['an unknown action', { method: 'POST', url: '/injections/x', payload: {} }, 400, 'REQUEST_MALFORMED'],
    ['an unknown key', start({ topology: 'a', x: 1 }), 400, 'REQUEST_MALFORMED'],
    [
      'a name that there is',
      start({ topology: 'services: { a: {} }', name: 'fake' }),
      409,
      'EXPERIMENT_EXISTS',
    ],
    ['no text', give({}), 400, 'REQUEST_MALFORMED'],
    ['a text of two kilobytes', give({ text: 'x'.repeat(2048) }), 400, 'REQUEST_MALFORMED'],
    ['a wrong command', give({ text: 'set a--b latency=1ms' }), 400, 'NAME_UNKNOWN'],
    ['no time at all', give({ text: 'heal', for: '0s' }), 400, 'REQUEST_MALFORMED'],
    ['a time that has passed', give({ text: 'heal', at: '1ms' }), 400, 'COMMAND_TIME'],
    ['a command to an unknown host', give({ text: 'heal', host: 'host9' }), 404, 'HOST_UNKNOWN'],
    ['a list', give([]), 400, 'REQUEST_MALFORMED'],
    ['no command', exec({ command: [] }), 400, 'REQUEST_MALFORMED'],
    ['a command as a text', exec({ command: 'ls' }), 400, 'REQUEST_MALFORMED'],
    ['an option as a user', exec({ command: ['ls'], user: '--root' }), 400, 'REQUEST_MALFORMED'],
    ['malformed JSON', text('{"text": ', 'application/json'), 400, 'REQUEST_MALFORMED'],
    ['a prototype', text('{"text":"heal","__proto__":{}}', 'application/json'), 400, 'REQUEST_MALFORMED'],
    [
      'deep nesting',
      text(`${'['.repeat(1e5)}${']'.repeat(1e5)}`, 'application/json'),
      400,
      'REQUEST_MALFORMED',
    ],
    ['two megabytes', give({ text: 'x'.repeat(2e6) }), 413, 'REQUEST_TOO_LARGE'],
    ['a text', text('{"text":"heal"}', 'text/plain'), 415, 'MEDIA_TYPE'],
    ['a form', text('text=heal', 'application/x-www-form-urlencoded'), 415, 'MEDIA_TYPE'],
    ['no token', { url: '/experiments', headers: { authorization: '' } }, 401, 'TOKEN_MISSING'],
    ['a wrong token', { url: '/experiments', headers: { authorization: 'Bearer x' } }, 401, 'TOKEN_WRONG'],
    ['no token, and no path', { url: '/nothing', headers: { authorization: '' } }, 401, 'TOKEN_MISSING'],
    ['a foreign name', { url: '/experiments', headers: { host: 'evil.example' } }, 403, 'HOST_FOREIGN'],
    [
      'a foreign page',
      { url: '/experiments', headers: { origin: 'http://evil.example' } },
      403,
      'ORIGIN_FOREIGN',
    ],
  ])('%s', async (_, sent, status, code) => {
    const answer = await send(sent);
    expect([answer.status, answer.value.code]).toEqual([status, code]);
    expect(errorSchema.safeParse(answer.value).error).toBeUndefined();
    expect(answer.value.remedy ?? answer.value.message).toMatch(/./);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  });

  test('nothing came of all that', async () => {
    expect(api.experiments.started).toEqual([]);
    expect((await send({ url: '/experiments' })).value).toHaveLength(1);
  });

  test('too many requests', async () => {
    const slow = await openApiLab({ requests: { perSecond: 0, atOnce: 3 } });
    const ask = async (): Promise<number> =>
      (await slow.server.inject({ url: '/api/v1/experiments', headers: HEADERS })).statusCode;
    expect([await ask(), await ask(), await ask(), await ask()]).toEqual([200, 200, 200, 429]);
    await slow.close();
  });
});

test('of two pages that change the same link at once, both are told, and all hosts have one of the changes', async () => {
  const both = await openApiLab();
  try {
    const ask = async (url: string, payload?: object) => {
      const request = { method: payload ? ('POST' as const) : ('GET' as const), headers: HEADERS };
      const path = `/api/v1/experiments/fake${url}`;
      return (await both.server.inject({ ...request, url: path, ...(payload && { payload }) })).json();
    };
    const changes = { host0: 31, host1: 47 };
    const given = await Promise.all(
      Object.entries(changes).map(([host, ms]) =>
        ask('/commands', { text: `set s1--server latency=${ms}ms`, host }),
      ),
    );
    await both.experiments.lab.clock.advance(2000);
    for (const { id } of given)
      expect(await ask(`/commands/${id}`)).toMatchObject({ state: 'done', everywhere: true, behind: [] });
    const [one, other] = [...both.experiments.agents.values()].map(({ door }) => door.graph());
    expect(one).toEqual(other);
    const { links } = await ask('/topology');
    const changed = links.find(({ name }: { name: string }) => name === 's1->server.0');
    expect(Object.values(changes)).toContain(changed.latencyMs);
  } finally {
    await both.close();
  }
});

test('a file of the record comes as it is', async () => {
  const url = '/api/v1/experiments/fake/record/file?path=record.json';
  const answer = await api.server.inject({ url, headers: HEADERS });
  expect([answer.statusCode, answer.headers['content-type'], answer.body]).toEqual([
    200,
    'application/octet-stream',
    '{}\n',
  ]);
});

test('a link shows the experiment that it names, and nothing else that stands in it', async () => {
  const opened = async (url: string): Promise<string> =>
    (await api.server.inject({ url, headers: { host: HEADERS.host } })).body;
  expect(api.guard.link('my-lab')).toMatch(/^\/login\?code=[^&]+&show=my-lab$/);
  expect(await opened(api.guard.link('my-lab'))).toContain('content="0; url=/#my-lab"');
  expect(await opened(api.guard.link())).toContain('content="0; url=/"');
  for (const show of ['"><script>', 'a;url=http://evil.example', '//evil.example', 'x&show=y'])
    expect(await opened(`${api.guard.link()}&show=${encodeURIComponent(show)}`)).toContain('url=/"');
});

test('a browser gets in by a link, once', async () => {
  const url = (await post('/links', undefined)).value.path as string;
  const headers = { host: HEADERS.host };
  const opened = await api.server.inject({ url, headers });
  expect(opened.statusCode).toBe(200);
  expect(opened.headers['content-type']).toMatch(/^text\/html/);
  const cookie = String(opened.headers['set-cookie']).split(';')[0]!;
  const seen = await api.server.inject({ url: '/api/v1/experiments', headers: { ...headers, cookie } });
  expect(seen.statusCode).toBe(200);
  expect((await api.server.inject({ url, headers })).json()).toMatchObject({ code: 'LINK_USED' });
});

describe('a topology', () => {
  const valid = 'services: { a: {}, b: {} }\nlinks:\n  - { from: a, to: b, latency: 5ms }\n';

  test('is checked: what it has, or what is wrong at which line', async () => {
    const right = await post('/check', { topology: valid, file: 'pair.yaml' });
    expect([right.status, right.value]).toMatchObject([
      ...[200, { valid: true, summary: { name: 'pair', endpoints: 2, links: 1 } }],
    ]);
    const wrong = await post('/check', { topology: valid.replace('5ms', '5') });
    expect(ROUTES.checkTopology.answer.safeParse(wrong.value).error).toBeUndefined();
    expect(wrong.value).toMatchObject({
      valid: false,
      diagnostics: [{ severity: 'error', line: 3, code: 'UNIT' }],
    });
    const variable =
      'vars: { delay: 5ms }\nservices: { a: {}, b: {} }\nlinks: [{ from: a, to: b, latency: "${delay}" }]\n';
    const set = async (name: string, value: string): Promise<unknown> =>
      (await post('/check', { topology: variable, set: { [name]: value } })).value;
    expect(await set('delay', '20ms')).toMatchObject({ valid: true });
    expect(await set('delay', '20')).toMatchObject({ valid: false });
    expect(await set('nothing', '1')).toMatchObject({ valid: false });
    expect(await post('/check', { topology: '' })).toMatchObject({ status: 400 });
    expect(await post('/check', { topology: 'a', hosts: 1 })).toMatchObject({ status: 400 });
  });

  test('of others is not read, since its files would be those of the server', async () => {
    const { value } = await post('/check', { topology: 'include: [/etc/hostname]\nservices: { a: {} }\n' });
    expect(value).toMatchObject({ valid: false });
    expect(JSON.stringify(value.diagnostics)).toContain('INCLUDE');
  });

  test('is started while its start is watched, and a start that fails says why', async () => {
    const lab = await openApiLab();
    const told = Promise.withResolvers<string>();
    const tells: ((progress: string) => void)[] = [];
    const first = lab.experiments.start.bind(lab.experiments);
    lab.experiments.start = async (request, hear) => {
      if (request.name === 'fake') return first(request);
      tells.push(hear!);
      return { name: await told.promise, warnings: ['pair.yaml:1: careful'] };
    };
    const send = async (method: 'GET' | 'POST', url: string, payload?: object) => {
      const answer = await lab.server.inject({ method, url: `/api/v1${url}`, headers: HEADERS, payload });
      return { status: answer.statusCode, value: answer.json() };
    };
    const begin = (name: string) => send('POST', '/starts', { topology: valid, name });
    const state = async (id: string) => (await send('GET', `/starts/${id}`)).value;
    const { status, value } = await begin('pair');
    expect([status, value.state]).toEqual([202, 'starting']);
    tells[0]!('making endpoints 1 of 2');
    tells[0]!('');
    expect(await state(value.id)).toMatchObject({
      state: 'starting',
      progress: 'making endpoints 1 of 2',
      name: null,
    });
    for (const name of ['b', 'c', 'd']) expect((await begin(name)).status).toBe(202);
    expect(await begin('e')).toMatchObject({ status: 503, value: { code: 'STARTS_TOO_MANY' } });
    told.resolve('pair');
    await expect.poll(async () => (await state(value.id)).state).toBe('up');
    expect(await state(value.id)).toMatchObject({
      ...{ state: 'up', name: 'pair', warnings: ['pair.yaml:1: careful'], progress: null, error: null },
    });
    const failed = await begin('fake');
    await expect.poll(async () => (await state(failed.value.id)).state).toBe('failed');
    expect(await state(failed.value.id)).toMatchObject({
      error: { code: 'EXPERIMENT_EXISTS', blame: 'input' },
    });
    expect(await send('GET', '/starts/0123456789abcdef')).toMatchObject({
      status: 404,
      value: { code: 'START_UNKNOWN' },
    });
    await lab.close();
  });
});
