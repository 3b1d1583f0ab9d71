/** The parts of the stream: what a reader is told of a change, and that nothing is done for what has not changed. */
import { expect, test } from 'vitest';
import { playedState } from '../../../bench/dashboard/experiment.ts';
import { playedNetwork } from '../../../bench/dashboard/network.ts';
import { PlayedAgent } from '../../../bench/dashboard/played-agent.ts';
import { changesText, type Parts, PartsMaker, type Seen } from '../../../controller/api/live-parts.ts';
import type { Experiments } from '../../../controller/api/ports.ts';
import { withFlowsNow } from '../../../controller/api/view.ts';
import { applyMessage, emptyState } from '../../../proto/api/v1/live-state.ts';
import { type StreamMessage, streamMessageSchema } from '../../../proto/api/v1/stream.ts';
import { NetfoldError } from '../../../proto/errors.ts';
import type { AgentStatus } from '../../../proto/status.ts';
import type { AgentView } from '../../../proto/view.ts';

const NETWORK = playedNetwork({ nodes: 200, flows: 20, hosts: 2 });
const STATE = playedState('parts', NETWORK);
const agents = NETWORK.hosts.map((host) => new PlayedAgent(NETWORK, host));

const statuses = async (): Promise<AgentStatus[]> =>
  Promise.all(agents.map(async (agent) => (await agent.answer('/status')) as AgentStatus));
const view = (await agents[0]!.answer('/view')) as AgentView;

const seen = async (change: Partial<Seen> = {}): Promise<Seen> => ({
  ...{ state: STATE, reports: await statuses(), view, commands: undefined, pathOf: () => undefined },
  ...change,
});

const messageOf = (before: Parts | undefined, after: Parts): Exclude<StreamMessage, { type: 'end' }> =>
  JSON.parse(`{"type":"${before ? 'change' : 'snapshot'}","nowMs":0${changesText(before, after)}}`);

test('a snapshot has everything, a change what is new, and what is gone', async () => {
  const maker = new PartsMaker();
  const first = maker.make(await seen());
  const snapshot = messageOf(undefined, first);
  expect(streamMessageSchema.safeParse(snapshot).error).toBeUndefined();
  expect(Object.keys(snapshot.endpoints!.set!)).toEqual(NETWORK.endpoints.map(({ name }) => name));
  expect(Object.keys(snapshot.flows!.set!)).toHaveLength(20);
  const [one, other] = await statuses();
  const name = one!.endpoints[3]!;
  const processes = { ...one!.processes, [name]: 'ended with 1' };
  const reports = [{ ...one!, processes, flows: one!.flows.slice(1) }, other!];
  const change = messageOf(first, maker.make(await seen({ reports })));
  expect(streamMessageSchema.safeParse(change).error).toBeUndefined();
  expect(change.endpoints).toEqual({ set: { [name]: expect.objectContaining({ process: 'ended with 1' }) } });
  const [{ from, to }] = one!.flows as [AgentStatus['flows'][number]];
  expect(change.flows).toEqual({ removed: [`${from}>${to}`] });
  // A reader has the same as one who comes later.
  const state = emptyState();
  applyMessage(state, snapshot);
  applyMessage(state, change);
  const late = emptyState();
  applyMessage(late, messageOf(undefined, maker.make(await seen({ reports }))));
  expect(new Map(state.endpoints)).toEqual(late.endpoints);
  expect(new Map(state.flows)).toEqual(late.flows);
});

test('what is equal is the same part, whatever answers it came from, and says nothing', async () => {
  const maker = new PartsMaker();
  const first = maker.make(await seen());
  const again = maker.make(await seen({ view: structuredClone(view), state: structuredClone(STATE) }));
  for (const part of ['endpoints', 'flows', 'paths', 'commands', 'experiment'] as const)
    expect(again[part], part).toBe(first[part]);
  const { type: _, nowMs: __, agents: ___, ...rest } = messageOf(first, again);
  expect(rest).toEqual({});
});

test('endpoints become text for the first reader, and not when rates change', async () => {
  let texts = 0;
  const endpoints = view.endpoints.map(({ addresses, ...one }) => {
    const counted = Object.assign([...addresses], {
      toJSON: () => {
        texts++;
        return addresses;
      },
    });
    return { ...one, addresses: counted };
  });
  const maker = new PartsMaker();
  const reports = await statuses();
  let before = maker.make(await seen({ reports, view: { ...view, endpoints } }));
  expect(texts).toBe(0);
  messageOf(undefined, before);
  messageOf(undefined, before);
  expect(texts).toBe(endpoints.length);
  for (let turn = 0; turn < 10; turn++) {
    const faster = reports.map((report) => {
      const flows = report.flows.map((flow) => ({ ...flow, rateBps: flow.rateBps + turn + 1 }));
      return { ...report, flows };
    });
    const after = maker.make(await seen({ reports: faster, view: { ...view, endpoints } }));
    expect(Object.keys(messageOf(before, after).flows!.set!)).toHaveLength(20);
    before = after;
  }
  expect(texts).toBe(endpoints.length);
});

test('a field that comes, goes or changes inside of an item is a change', async () => {
  const maker = new PartsMaker();
  const [one, other] = await statuses();
  const fault: AgentStatus['faults'][number] = {
    what: 'away',
    verb: 'crash',
    names: ['a.0'],
    count: 1,
    sinceMs: 5,
    untilMs: null,
    by: 'crash a.0',
  };
  const withFaults = async (faults: AgentStatus['faults']): Promise<Parts> =>
    maker.make(await seen({ reports: [{ ...one!, faults }, other!] }));
  let before = await withFaults([]);
  const changes = [[fault], [{ ...fault, givenBy: 'ada' }], [fault], [{ ...fault, names: ['b.0'] }], []];
  for (const faults of changes) {
    const after = await withFaults(faults);
    expect(messageOf(before, after).experiment).toEqual({
      set: { parts: expect.objectContaining({ faults }) },
    });
    before = after;
  }
});

test('the flows of now are asked for alone, where the agent knows them, and its status is known', async () => {
  const reports = await statuses();
  const asked: string[] = [];
  const answers: Record<string, () => unknown> = {
    'host0/flows': () => ({ flows: [], nowMs: 7 }),
    'host0/status': () => reports[0],
    'host1/status': () => reports[1],
  };
  const ask = async (_: string, host: string, path: string): Promise<unknown> => {
    asked.push(host + path);
    const answer = answers[host + path];
    if (answer) return answer();
    throw new NetfoldError({ code: 'PATH_UNKNOWN', blame: 'input', message: path });
  };
  const experiments = { ask } as unknown as Experiments;
  // An agent of an older version.
  expect(await withFlowsNow(experiments, STATE, reports)).toEqual([
    { ...reports[0], flows: [], nowMs: 7 },
    reports[1],
  ]);
  expect(asked.toSorted()).toEqual(['host0/flows', 'host1/flows', 'host1/status']);
  const silent = { host: 'host0', state: 'unreachable', reason: 'it is silent' } as const;
  asked.length = 0;
  answers['host1/flows'] = () => {
    throw new NetfoldError({ code: 'UNREACHABLE', blame: 'machine', message: 'gone' });
  };
  expect(await withFlowsNow(experiments, STATE, [silent, reports[1]!])).toEqual([
    reports[0],
    { host: 'host1', state: 'unreachable', reason: 'gone' },
  ]);
  expect(asked.toSorted()).toEqual(['host0/status', 'host1/flows']);
});
