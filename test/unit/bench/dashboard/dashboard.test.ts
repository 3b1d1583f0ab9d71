import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Heard, isUpdate } from '../../../../bench/dashboard/browser.ts';
import { playedState } from '../../../../bench/dashboard/experiment.ts';
import { type PlayedNetwork, playedNetwork, rateOf } from '../../../../bench/dashboard/network.ts';
import { PlayedAgent } from '../../../../bench/dashboard/played-agent.ts';
import { addressesIn } from '../../../../bench/dashboard/server.ts';
import { tablesOf } from '../../../../bench/dashboard/table.ts';
import type { Sample } from '../../../../bench/dashboard/watch.ts';
import { handlersOf } from '../../../../controller/api/handlers.ts';
import type { Experiments } from '../../../../controller/api/ports.ts';
import { Watcher } from '../../../../controller/api/watcher.ts';
import { parseState } from '../../../../controller/experiment/state.ts';
import { ROUTES, type RouteId } from '../../../../proto/api/v1/routes.ts';
import { type StreamMessage, streamMessageSchema } from '../../../../proto/api/v1/stream.ts';
import { callJson } from '../../../../proto/http-json.ts';
import { fakeInside } from '../../../support/fakes/fake-experiments.ts';

const SIZE = { nodes: 60, flows: 12, hosts: 2 };
const NAME = 'played';
const POLL = { timeout: 20_000, interval: 20 };

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0).reverse()) clean();
});

function agentsOf(network: PlayedNetwork): Map<string, PlayedAgent> {
  const agents = network.hosts.map((host) => new PlayedAgent(network, host));
  cleanups.push(() => agents.forEach((agent) => void agent.stop()));
  return new Map(agents.map((agent) => [agent.host, agent]));
}

/** As the server finds them on its machine, without sockets. */
function experimentsOf(network: PlayedNetwork, agents: ReadonlyMap<string, PlayedAgent>): Experiments {
  const state = parseState(JSON.parse(JSON.stringify(playedState(NAME, network))));
  const ask = async (_: string, host: string, path: string): Promise<unknown> =>
    JSON.parse(JSON.stringify(await agents.get(host)!.answer(path)));
  return { state: async () => state, ask } as Partial<Experiments> as Experiments;
}

describe('the played network', () => {
  it('has its size, flows between different endpoints on all hosts, and other rates in each tick', () => {
    const { graph, endpoints, flows, hosts } = playedNetwork(SIZE);
    expect(graph.nodes).toHaveLength(SIZE.nodes);
    expect(flows).toHaveLength(SIZE.flows);
    expect(flows.filter(({ from, to }) => from === to)).toEqual([]);
    expect(new Set(flows.map(({ from, to }) => `${from}>${to}`)).size).toBe(SIZE.flows);
    expect(new Set(endpoints.map(({ host }) => host))).toEqual(new Set(hosts));
    expect(new Set(flows.map(({ host }) => host))).toEqual(new Set(hosts));
    expect(new Set(endpoints.map(({ address }) => address)).size).toBe(endpoints.length);
    for (const flow of flows) expect(rateOf(flow, 2)).not.toBe(rateOf(flow, 1));
  });
});

describe('played agents', () => {
  it('give the answers of the routes that the dashboard asks for', async () => {
    const network = playedNetwork(SIZE);
    const handlers = handlersOf(experimentsOf(network, agentsOf(network)), fakeInside, () => '');
    const answerOf = async (id: RouteId): Promise<unknown> => {
      const input = { params: { experiment: NAME }, query: {}, signal: new AbortController().signal };
      const answer = await (handlers[id] as (input: object) => Promise<unknown>)(input);
      return ROUTES[id].answer.parse(JSON.parse(JSON.stringify(answer)));
    };
    expect(await answerOf('getTopology')).toMatchObject({ file: 'dashboard.yaml', partitions: [] });
    expect((await answerOf('getTopology')) as { nodes: [] }).toHaveProperty('nodes.length', SIZE.nodes);
    expect(await answerOf('getEvents')).toMatchObject({ events: [], omitted: 0 });
    expect(await answerOf('getFlows')).toHaveLength(SIZE.flows);
    expect(await answerOf('getEndpoints')).toHaveLength(network.endpoints.length);
    expect(await answerOf('getVerdict')).toMatchObject({ verdict: 'faithful', now: 'faithful', causes: [] });
    expect(await answerOf('getVerdict')).toHaveProperty('paths.length', SIZE.flows);
    expect(await answerOf('getExperiment')).toMatchObject({ agents: [{ state: 'running' }, {}] });
  });

  it('make a stream of a snapshot, and of updates with all flows', async () => {
    const network = playedNetwork(SIZE);
    const agents = agentsOf(network);
    const watcher = new Watcher(experimentsOf(network, agents), NAME, { periodMs: 2, idleMs: 20 });
    const messages: StreamMessage[] = [];
    const updates: StreamMessage[] = [];
    let reading = watcher.start;
    const leave = watcher.read(() => {
      for (const agent of agents.values()) agent.tick();
      const told = watcher.message(reading);
      if (!told) return;
      reading = told.reading;
      messages.push(streamMessageSchema.parse(JSON.parse(told.text)));
      if (isUpdate(told.text)) updates.push(messages.at(-1)!);
    });
    cleanups.push(leave);
    const flowsIn = (message: StreamMessage | undefined): number =>
      message?.type === 'end' ? 0 : Object.keys(message?.flows?.set ?? {}).length;
    await expect.poll(() => updates.length, POLL).toBeGreaterThan(2);
    expect(messages[0]).toMatchObject({ type: 'snapshot', experiment: { set: { [NAME]: { epoch: 0 } } } });
    expect(flowsIn(messages[0])).toBe(SIZE.flows);
    expect(updates.map(flowsIn)).toContain(SIZE.flows);
  });

  it('are asked over sockets, and refuse what no server asks for', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'netfold-played-'));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
    const network = playedNetwork(SIZE);
    const agent = agentsOf(network).get('host1')!;
    const socket = join(folder, 'host1.sock');
    await agent.listen(socket);
    const ask = (path: string): Promise<unknown> => callJson(`unix:${socket}`, path);
    expect(await ask('/status')).toMatchObject({ host: 'host1', state: 'running' });
    expect(await ask('/log?waitMs=0')).toMatchObject({ host: 'host1', entries: [], next: 0 });
    // One flow in fifty is announced in each tick.
    for (let tick = 0; tick < 50; tick++) agent.tick();
    expect(await ask('/log?from=0')).toMatchObject({ next: SIZE.flows, forgotten: 0 });
    await expect(ask('/stop')).rejects.toMatchObject({ code: 'PATH_UNKNOWN' });
    agent.stop();
    await expect(ask('/status')).rejects.toMatchObject({ code: 'UNREACHABLE' });
  });
});

describe('what the bench reads', () => {
  it('of the server: its addresses, once both are there', () => {
    expect(addressesIn('{\n  "url": "http://127.0.0.1:4647",\n')).toBeUndefined();
    const printed = JSON.stringify({ url: 'http://127.0.0.1:1', link: 'http://127.0.0.1:1/login?code=x' });
    expect(addressesIn(printed)).toEqual({
      url: 'http://127.0.0.1:1',
      link: 'http://127.0.0.1:1/login?code=x',
    });
  });

  it('of the stream: messages that change flows', () => {
    expect(isUpdate('{"type":"change","nowMs":1,"flows":{"set":{"a>b":{}}}}')).toBe(true);
    expect(isUpdate('{"type":"change","nowMs":1,"agents":{"set":{}}}')).toBe(false);
    expect(isUpdate('{"type":"snapshot","nowMs":1,"flows":{"set":{"a>b":{}}}}')).toBe(false);
  });
});

/** Of a minute: what is used in a second, and how memory grows in it. */
function samplesOf({ browser = 0.2, server = 0.02, growsBytes = 0 }): Sample[] {
  return Array.from({ length: 13 }, (_, index) => {
    const second = 5 * index;
    return {
      ...{ atMs: 1000 * second, benchSeconds: 0.1 * second },
      ...{ serverSeconds: server * second, browserSeconds: browser * second },
      ...{ serverBytes: 1e8 + growsBytes * second, browserBytes: 4e8 - growsBytes * second },
    };
  });
}

/** By the date; the same time in the page. */
const heardOf = (updates: number): Heard[] =>
  Array.from({ length: 13 }, (_, index) => {
    const second = 5 * index;
    return { atMs: 1e12 + 1000 * second, updates: updates * second, updateBytes: 1e5 * updates * second };
  });

describe('the tables', () => {
  const facts = {
    ...{ firstPicture: 1.5, pictures: [0.8, 1.1, 0.9], complaints: [] },
    ...{ samples: samplesOf({}), heard: heardOf(5) },
  };
  const outside = (change: Partial<Parameters<typeof tablesOf>[0]>): string[] =>
    tablesOf({ ...facts, ...change }, SIZE)
      .flatMap(({ rows }) => rows)
      .filter(({ verdict }) => verdict === 'outside')
      .map(({ what }) => what);

  it('have what is used by the second', () => {
    const rows = tablesOf(facts, SIZE).flatMap((table) => table.rows);
    const measured = (what: string): number | null => rows.find((row) => row.what === what)!.measured;
    expect(outside({})).toEqual([]);
    expect(measured('of later readers')).toBe(0.9);
    expect(measured('updates of all flows')).toBeCloseTo(5);
    expect(measured('the browser: processor time')).toBeCloseTo(0.2);
    expect(measured('the server: processor time')).toBeCloseTo(0.02);
    expect(measured('text of updates')).toBeCloseTo(5e5);
  });

  it('show what is too slow, too much, or grows', () => {
    expect(outside({ firstPicture: 2.1 })).toEqual(['of the first reader of a server']);
    expect(outside({ pictures: [1, 2.1, 2.2] })).toEqual(['of later readers']);
    expect(outside({ complaints: ['refused to load'] })).toEqual(['complaints of the page']);
    expect(outside({ heard: heardOf(4) })).toEqual(['updates of all flows']);
    expect(outside({ heard: heardOf(6) })).toEqual([]);
    expect(outside({ samples: samplesOf({ browser: 0.6 }) })).toEqual(['the browser: processor time']);
    expect(outside({ samples: samplesOf({ server: 0.06 }) })).toEqual(['the server: processor time']);
    expect(outside({ samples: samplesOf({ growsBytes: 1e6 }) })).toEqual(['the server: growth of memory']);
    expect(outside({ samples: samplesOf({ growsBytes: -1e6 }) })).toEqual(['the browser: growth of memory']);
  });
});
