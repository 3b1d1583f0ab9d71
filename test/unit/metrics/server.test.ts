/** `/metrics` of the API's server and of agents, as Prometheus reads them. The agents are real, the machine is not. */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listenForMetrics } from '../../../agent/metrics/listen.ts';
import { METRICS } from '../../../proto/metrics/table.ts';
import { exposition } from '../../../proto/metrics/text.ts';
import { type ApiLab, openApiLab, TOKEN } from '../../support/api-server.ts';

let api: ApiLab;
beforeAll(async () => {
  api = await openApiLab();
});
afterAll(() => api.close());

const ask = (headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` }) =>
  api.server.inject({ url: '/metrics', headers: { host: '127.0.0.1:4647', ...headers } });

/** `name{labels}` → value; labels in the order of the alphabet. */
function series(text: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined) continue;
    const sorted = labels
      .split(/,(?=\w+=")/)
      .sort()
      .join(',');
    const key = sorted === '' ? name : `${name}{${sorted}}`;
    expect(found.has(key), `${key} stands twice`).toBe(false);
    found.set(key, value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value));
  }
  return found;
}

describe('of the server', () => {
  it('has every agent, with its host and experiment, and the type and text of each metric', async () => {
    const answer = await ask();
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    const found = series(answer.body);
    expect(found.get('netfold_info{version="1.2.3"}')).toBe(1);
    expect(found.get('netfold_experiments')).toBe(1);
    for (const [host, endpoints] of [
      ['host0', 2],
      ['host1', 1],
    ] as const) {
      const labels = `experiment="fake",host="${host}"`;
      expect(found.get(`netfold_agent_up{${labels}}`)).toBe(1);
      expect(found.get(`netfold_endpoints{${labels}}`)).toBe(endpoints);
      expect(found.get(`netfold_endpoints_known{${labels}}`)).toBe(3);
      expect(found.get(`netfold_mesh_hosts{${labels}}`)).toBe(2);
      expect(found.get(`netfold_agent_state{${labels},state="running"}`)).toBe(1);
      expect(found.get(`netfold_agent_state{${labels},state="waiting"}`)).toBe(0);
      expect(found.get(`netfold_verdict{${labels},state="faithful"}`)).toBe(1);
      expect(found.get(`netfold_experiment_time_seconds{${labels}}`)).toBeGreaterThan(0.9);
      expect(found.get(`netfold_agent_ticks_total{${labels}}`)).toBeGreaterThan(10);
    }
    for (const [name, { type, help }] of Object.entries(METRICS)) {
      if (!answer.body.includes(`\n${name}`)) continue;
      expect(answer.body).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
    }
  });

  it('counts commands by what became of them', async () => {
    await api.server.inject({
      method: 'POST',
      url: '/api/v1/experiments/fake/commands',
      headers: { host: '127.0.0.1:4647', authorization: `Bearer ${TOKEN}` },
      payload: { text: 'set s1--server latency=40ms' },
    });
    await api.experiments.lab.clock.advance(2000);
    const found = series((await ask()).body);
    expect(found.get('netfold_commands{experiment="fake",host="host1",state="done"}')).toBe(1);
    expect(found.get('netfold_events_total{experiment="fake",host="host1"}')).toBe(1);
    expect(found.get('netfold_experiment_epoch{experiment="fake",host="host0"}')).toBe(1);
  });

  it('says who does not answer, and has the others', async () => {
    api.experiments.silent.add('host0');
    const found = series((await ask()).body);
    api.experiments.silent.clear();
    expect(found.get('netfold_agent_up{experiment="fake",host="host0"}')).toBe(0);
    expect(found.has('netfold_endpoints{experiment="fake",host="host0"}')).toBe(false);
    expect(found.get('netfold_agent_up{experiment="fake",host="host1"}')).toBe(1);
  });

  it.each([
    ['no token', {}, 401],
    ['a wrong token', { authorization: `Bearer ${'b'.repeat(43)}` }, 401],
    ['a foreign host', { authorization: `Bearer ${TOKEN}`, host: 'evil.example' }, 403],
  ])('refuses %s', async (_, headers, status) => {
    expect((await ask(headers)).statusCode).toBe(status);
  });
});

it('--open-metrics lets everybody read them, and nothing else', async () => {
  const open = await openApiLab({ openMetrics: true });
  try {
    const get = async (url: string, host = '127.0.0.1:4647'): Promise<number> =>
      (await open.server.inject({ url, headers: { host } })).statusCode;
    expect(await get('/metrics')).toBe(200);
    expect(await get('/metrics', 'evil.example')).toBe(403);
    expect(await get('/api/v1/experiments')).toBe(401);
    expect(await get('/metrics/')).toBe(401);
  } finally {
    await open.close();
  }
});

describe('of an agent over TCP', () => {
  const get = (port: number, path: string, method = 'GET'): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, path, method }, (answer) => {
        let text = '';
        answer.on('data', (bytes: Buffer) => {
          text += bytes;
        });
        answer.on('end', () => resolve({ status: answer.statusCode!, text }));
      });
      sent.on('error', reject).end();
    });

  it('has its own alone, and nothing else', async () => {
    const { door } = api.experiments.agents.get('host1')!;
    const listening = await listenForMetrics(() => door.metrics(), { address: '127.0.0.1', port: 0 });
    try {
      const { status, text } = await get(listening.port, '/metrics');
      expect(status).toBe(200);
      const found = series(text);
      expect([...found.keys()].every((key) => key.includes('host="host1"'))).toBe(true);
      expect(found.get('netfold_endpoints{experiment="test",host="host1"}')).toBe(1);
      for (const path of ['/', '/status', '/bootstrap', '/control'])
        expect((await get(listening.port, path)).status).toBe(404);
      expect((await get(listening.port, '/stop', 'POST')).status).toBe(404);
      await expect(
        listenForMetrics(() => [], { address: '127.0.0.1', port: listening.port }),
      ).rejects.toMatchObject({ code: 'METRICS_PORT', blame: 'machine' });
    } finally {
      await listening.close();
    }
  });
});

describe('the text', () => {
  it('escapes names, has no number for no limit, and leaves out what it does not know', async () => {
    const labels = { experiment: 'x', host: 'h"\\\n' };
    const text = await exposition([
      { name: 'netfold_link_bandwidth_bytes_per_second', labels: { ...labels, link: 'a->b' }, value: '+Inf' },
      { name: 'netfold_late' as 'netfold_flows', labels, value: 1 },
    ]);
    expect(text).toContain('{experiment="x",host="h\\"\\\\\\n",link="a->b"} +Inf');
    expect(text).not.toContain('netfold_late');
  });
});
