/** Streams: what a reader is told, and readers that are slow, stop, or are too many. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type StreamSocket, Streams } from '../../../controller/api/streams.ts';
import { applyMessage, emptyState } from '../../../proto/api/v1/live-state.ts';
import { type StreamMessage, streamMessageSchema } from '../../../proto/api/v1/stream.ts';
import { FakeExperiments, NAME } from '../../support/fakes/fake-experiments.ts';

class FakeSocket implements StreamSocket {
  readonly messages: StreamMessage[] = [];
  readonly #listeners = new Map<string, (error: Error) => void>();
  bufferedAmount = 0;
  /** A reader that reads nothing. */
  isStuck = false;
  isAnswering = true;
  ended: string | undefined;

  send(text: string): void {
    this.messages.push(JSON.parse(text));
    if (this.isStuck) this.bufferedAmount += text.length;
  }
  ping(): void {
    if (this.isAnswering) this.#listeners.get('pong')?.(new Error());
  }
  close(_: number, reason: string): void {
    this.#end(reason);
  }
  terminate(): void {
    this.#end('terminated');
  }
  on(event: string, listener: (error: Error) => void): unknown {
    return this.#listeners.set(event, listener);
  }
  #end(how: string): void {
    this.ended ??= how;
    this.#listeners.get('close')?.(new Error());
  }
}

let experiments: FakeExperiments;
let streams: Streams;
let now = 0;

beforeEach(async () => {
  experiments = await FakeExperiments.open();
  const pace = { periodMs: 2, idleMs: 20 };
  streams = new Streams(experiments, () => now, { most: 3, stallMs: 10_000, pingMs: 20_000, pace });
});
afterEach(async () => {
  streams.stop();
  await experiments.close();
});

function open(change: Partial<FakeSocket> = {}): FakeSocket {
  const socket = Object.assign(new FakeSocket(), change);
  streams.open(socket, NAME);
  return socket;
}

const POLL = { timeout: 20_000, interval: 20 };

test('a snapshot comes first, then what changes, and the end', async () => {
  const socket = open();
  await expect.poll(() => socket.messages.length, POLL).toBeGreaterThan(0);
  const [first] = socket.messages as [Extract<StreamMessage, { type: 'snapshot' }>];
  expect(first.type).toBe('snapshot');
  expect(Object.keys(first.endpoints!.set!)).toEqual(['client.0', 'client.1', 'server.0']);
  expect(first.experiment!.set![NAME]).toMatchObject({ name: NAME, running: true });
  const state = emptyState();
  const seen = (): string[] => {
    for (const message of socket.messages.splice(0)) {
      expect(streamMessageSchema.safeParse(message).error).toBeUndefined();
      if (message.type === 'change')
        happened.push(...(message.happened ?? []).map(({ host, kind }) => `${host} ${kind}`));
      applyMessage(state, message);
    }
    return [...state.commands.values()].map((one) => `${one.text}: ${one.state}`);
  };
  const happened: string[] = [];
  experiments.agents.get('host1')!.door.control({ text: 'set s1--server latency=50ms' });
  await experiments.lab.clock.advance(1000);
  await expect.poll(seen, POLL).toEqual(['set s1--server latency=50ms: done']);
  const heard = (): string[] => {
    seen();
    return happened;
  };
  await expect.poll(heard, POLL).toContain('host0 outcome');
  expect(state.experiment.get(NAME)!.faults[0]).toMatchObject({ what: 'setting' });
  experiments.isRemoved = true;
  await expect.poll(() => socket.ended, POLL).toBe('the experiment has ended');
  expect(socket.messages.at(-1)).toMatchObject({ type: 'end' });
});

test('of the end, a reader is told that has not taken the last message, as TLS takes a moment to', async () => {
  const slow = open({ isStuck: true });
  const reader = open();
  await expect.poll(() => Math.min(slow.messages.length, reader.messages.length), POLL).toBe(1);
  experiments.isRemoved = true;
  await expect.poll(() => reader.ended, POLL).toBe('the experiment has ended');
  expect(slow.messages.map(({ type }) => type)).toEqual(['snapshot', 'end']);
  expect(slow.ended).toBe('the experiment has ended');
  expect(streams.count).toBe(0);
});

test('a reader that reads nothing has one message at most, and is dropped; others go on', async () => {
  const stuck = open({ isStuck: true });
  const reader = open();
  await expect.poll(() => stuck.messages.length, POLL).toBe(1);
  const door = experiments.agents.get('host0')!.door;
  for (const latency of [11, 12, 13]) {
    door.control({ text: `set s1--server latency=${latency}ms` });
    await experiments.lab.clock.advance(500);
    const told = reader.messages.length;
    await expect.poll(() => reader.messages.length, POLL).toBeGreaterThan(told);
  }
  expect(stuck.messages).toHaveLength(1);
  expect(stuck.ended).toBeUndefined();
  now += 11_000;
  await expect.poll(() => stuck.ended, POLL).toBe('terminated');
  expect(reader.ended).toBeUndefined();
  expect(streams.count).toBe(1);
});

test('a slow reader gets what it has missed in one message', async () => {
  const slow = open({ isStuck: true });
  await expect.poll(() => slow.messages.length, POLL).toBe(1);
  const door = experiments.agents.get('host0')!.door;
  for (const latency of [11, 12, 13]) {
    door.control({ text: `set s1--server latency=${latency}ms` });
    await experiments.lab.clock.advance(500);
  }
  // Until the watcher has seen them.
  const reader = open();
  const commands = (): number => {
    const state = emptyState();
    for (const message of reader.messages) applyMessage(state, message);
    return [...state.commands.values()].filter((one) => one.state === 'done').length;
  };
  await expect.poll(commands, POLL).toBe(3);
  slow.isStuck = false;
  slow.bufferedAmount = 0;
  await expect.poll(() => slow.messages.length, POLL).toBeGreaterThan(1);
  const state = emptyState();
  for (const message of slow.messages.slice(0, 2)) applyMessage(state, message);
  expect([...state.commands.values()].map((one) => one.state)).toEqual(['done', 'done', 'done']);
});

test('a reader that answers no ping is dropped', async () => {
  const dead = open({ isAnswering: false });
  await expect.poll(() => dead.messages.length, POLL).toBeGreaterThan(0);
  const later = (): string | undefined => {
    now += 21_000;
    return dead.ended;
  };
  await expect.poll(later, POLL).toBe('terminated');
});

test('too many readers, and an unknown experiment, are refused', async () => {
  for (let count = 0; count < 3; count++) open();
  await expect(streams.requireRoom(NAME)).rejects.toMatchObject({ code: 'TOO_MUCH_AT_ONCE' });
  expect(open().ended).toBe('too many streams');
  expect(streams.count).toBe(3);
  await expect(streams.requireRoom('other')).rejects.toMatchObject({ code: 'EXPERIMENT_UNKNOWN' });
});

test('where rates change, the flows alone are asked for', async () => {
  const asked: string[] = [];
  const ask = experiments.ask.bind(experiments);
  experiments.ask = (name, host, path) => {
    asked.push(path.split('?')[0]!);
    return ask(name, host, path);
  };
  // Only what happens makes it look, after the first time.
  const pace = { periodMs: 2, idleMs: 600_000 };
  const patient = new Streams(experiments, () => now, { most: 3, stallMs: 10_000, pingMs: 20_000, pace });
  try {
    const socket = new FakeSocket();
    patient.open(socket, NAME);
    await expect.poll(() => socket.messages.length, POLL).toBeGreaterThan(0);
    const { kernel, door } = experiments.agents.get('host0')!;
    kernel.streams.add({ from: '10.0.0.1', to: '10.0.0.3', bytesPerSecond: 125_000 });
    const state = emptyState();
    const rate = async (): Promise<number | undefined> => {
      await experiments.lab.clock.advance(200);
      for (const message of socket.messages.splice(0)) applyMessage(state, message);
      return state.flows.get('client.0>server.0')?.rateBps;
    };
    await expect.poll(rate, POLL).toBeGreaterThan(900_000);
    expect(asked).toContain('/flows');
    const [told] = door.status().flows;
    expect(door.flows()).toEqual({ flows: door.status().flows, nowMs: door.status().nowMs });
    expect(state.flows.get('client.0>server.0')).toMatchObject({
      from: told!.from,
      to: told!.to,
      host: 'host0',
    });
  } finally {
    patient.stop();
  }
});
