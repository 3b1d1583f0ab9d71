import { expect, test } from 'vitest';
import { decodeAgentMessage } from '../../../agent/mesh/codec.ts';
import { Mesh, SILENT_AFTER_MS } from '../../../agent/mesh/mesh.ts';
import type { RemoteFlow } from '../../../agent/mesh/model.ts';
import { announcedRate } from '../../../agent/mesh/rate-code.ts';
import { ManualClock, PausableTimers } from '../../support/manual-clock.ts';
import { MemoryNetwork, type MemoryTransport } from '../../support/memory-transport.ts';
import { seededRandom } from '../../support/random.ts';

const TOPOLOGY = '0123456789abcdef';
const ENDPOINTS = 64;
const endpointNames = Array.from({ length: ENDPOINTS }, (_, number) => `n${number}.0`);

interface Agent {
  readonly name: string;
  readonly mesh: Mesh;
  readonly transport: MemoryTransport;
  readonly timers: PausableTimers;
}

class Lab {
  readonly clock = new ManualClock();
  readonly network: MemoryNetwork;
  readonly agents: Agent[] = [];
  #peers = 0;

  constructor(options: { seed?: number; loss?: number; delayMs?: readonly [number, number] } = {}) {
    this.network = new MemoryNetwork({ clock: this.clock, seed: 1, ...options });
  }

  /** Starts an agent that knows the first one, and has endpoint `number`. */
  async start(name: string, number: number, topology = TOPOLOGY): Promise<Agent> {
    const transport = this.network.transport(`peer-${this.#peers++}`);
    const timers = new PausableTimers(this.clock);
    const mesh = new Mesh({ transport, clock: this.clock, timers }, { topology, endpointNames, host: name });
    const agent = { name, mesh, transport, timers };
    await mesh.start();
    mesh.announceEndpoints([{ number, addresses: [`10.0.0.${number}`] }]);
    const first = this.agents.find(({ transport: { selfId } }) =>
      this.network.joins(transport.selfId, selfId),
    );
    if (first) await transport.connect(first.transport.addresses[0]!);
    this.agents.push(agent);
    return agent;
  }

  async startMany(count: number): Promise<Agent[]> {
    const agents: Agent[] = [];
    for (let number = 0; number < count; number++) agents.push(await this.start(`host-${number}`, number));
    return agents;
  }

  /** Stops an agent's process without a word. */
  kill(agent: Agent): void {
    agent.transport.kill();
    agent.timers.pause();
    this.agents.splice(this.agents.indexOf(agent), 1);
  }
}

const flow = (source: number, destination: number, rateBps: number, greedy = false) => ({
  source,
  destination,
  rateBps,
  greedy,
});
const received = (source: number, destination: number, rateBps: number, greedy = false): RemoteFlow =>
  flow(source, destination, announcedRate(rateBps), greedy);
const names = ({ mesh }: Agent): string[] => mesh.view.hosts().map(({ name }) => name);

/** What an agent should know of the others' flows, by what those know of their own. */
function flowsOfOthers(agents: readonly Agent[], me: Agent): RemoteFlow[] {
  return agents
    .filter((agent) => agent !== me)
    .flatMap(({ mesh }) => {
      const { flows } = mesh.view.own.toUpdate();
      return flows.sources.map((source, at) => ({
        source,
        destination: flows.destinations[at]!,
        state: flows.states[at]!,
      }));
    })
    .map(({ source, destination, state }) =>
      flow(source, destination, announcedRateOf(state), (state & 1) === 1),
    )
    .sort((a, b) => a.source - b.source || a.destination - b.destination);
}

const announcedRateOf = (state: number): number =>
  ((state >>> 1) % 512) * 2 ** Math.floor((state >>> 1) / 512);

function expectAgreement(agents: readonly Agent[]): void {
  const all = agents.map(({ name }) => name).sort();
  for (const agent of agents) {
    expect(names(agent)).toEqual(all);
    expect(agent.mesh.view.endpoints()).toEqual(agents[0]!.mesh.view.endpoints());
    expect(agent.mesh.view.remoteFlows()).toEqual(flowsOfOthers(agents, agent));
  }
}

/** Every agent changes some of its flows, `rounds` times, 50 ms apart. */
async function churn(lab: Lab, rounds: number, seed: number): Promise<void> {
  const random = seededRandom(seed);
  for (let round = 0; round < rounds; round++) {
    for (const { mesh } of lab.agents) {
      const source = [...mesh.view.own.endpoints.keys()][0]!;
      const destination = (source + 1 + random.below(ENDPOINTS - 1)) % ENDPOINTS;
      const rate = random.next() < 0.3 ? 0 : random.next() * 1e9;
      mesh.announceFlows([flow(source, destination, rate, random.next() < 0.5)]);
    }
    await lab.clock.advance(50);
  }
}

test('what one agent announces, the others know', async () => {
  const lab = new Lab();
  const [a, b] = (await lab.startMany(2)) as [Agent, Agent];
  await lab.clock.advance(10);
  a.mesh.announceFlows([flow(0, 7, 12_345_678), flow(0, 9, 5e6, true)]);
  await lab.clock.advance(10);
  expect(b.mesh.view.remoteFlows()).toEqual([received(0, 7, 12_345_678), received(0, 9, 5e6, true)]);
  expect(b.mesh.view.remoteFlows()[0]!.rateBps / 12_345_678).toBeCloseTo(1, 2);

  a.mesh.announceFlows([flow(0, 7, 0), flow(0, 9, 5e6, false)]);
  await lab.clock.advance(10);
  expect(b.mesh.view.remoteFlows()).toEqual([received(0, 9, 5e6)]);
  expect(a.mesh.view.remoteFlows()).toEqual([]);

  a.mesh.announceEndpoints([{ number: 3, addresses: ['10.0.0.3', 'fd00::3'] }]);
  await lab.clock.advance(10);
  expect(b.mesh.view.endpoints()).toEqual([
    { number: 1, name: 'n1.0', addresses: ['10.0.0.1'], host: 'host-1' },
    { number: 3, name: 'n3.0', addresses: ['10.0.0.3', 'fd00::3'], host: 'host-0' },
  ]);
  // Endpoint 0 is not there any more, so nothing comes from it.
  expect(b.mesh.view.remoteFlows()).toEqual([]);
});

test('listeners are called on changes, and on nothing else', async () => {
  const lab = new Lab();
  const [a, b] = (await lab.startMany(2)) as [Agent, Agent];
  await lab.clock.advance(3000);
  let calls = 0;
  const stop = b.mesh.onChange(() => calls++);
  await lab.clock.advance(3000);
  expect(calls).toBe(0);
  a.mesh.announceFlows([flow(0, 1, 1e6)]);
  await lab.clock.advance(10);
  expect(calls).toBe(1);
  stop();
  a.mesh.announceFlows([flow(0, 1, 2e6)]);
  await lab.clock.advance(10);
  expect(calls).toBe(1);
});

test('16 agents agree in spite of 20 % loss and delays that reorder messages', async () => {
  const lab = new Lab({ seed: 7, loss: 0.2, delayMs: [1, 120] });
  await lab.startMany(16);
  await churn(lab, 40, 3);
  // A question and its answer both arrive in 64 of 100 cases, and each heartbeat that arrives leads to one.
  await lab.clock.advance(8000);
  expectAgreement(lab.agents);
  const repairs = lab.agents.reduce((sum, { mesh }) => sum + mesh.stats.repairs, 0);
  expect(repairs).toBeGreaterThan(16);
});

test('a partition drops the other side, and healing brings all of it back', async () => {
  const lab = new Lab({ seed: 5, delayMs: [1, 20] });
  const agents = await lab.startMany(8);
  await churn(lab, 10, 4);
  const sides = [agents.slice(0, 3), agents.slice(3)];
  lab.network.partition(...sides.map((side) => side.map(({ transport }) => transport.selfId)));
  await churn(lab, 100, 5);
  for (const side of sides) expectAgreement(side);
  lab.network.heal();
  await lab.clock.advance(2000);
  expectAgreement(agents);
});

test('a restarted agent replaces what it was, and nothing of that comes back', async () => {
  const lab = new Lab();
  const [a, b] = (await lab.startMany(2)) as [Agent, Agent];
  b.mesh.announceFlows([flow(1, 5, 3e6)]);
  await lab.clock.advance(100);
  expect(a.mesh.view.remoteFlows()).toHaveLength(1);
  const before = lab.network.published.filter(({ from }) => from === b.transport.selfId);
  lab.kill(b);
  await lab.clock.advance(500);
  const again = await lab.start('host-1', 2);
  await lab.clock.advance(100);
  expectAgreement([a, again]);
  expect(a.mesh.view.hosts()[1]).toMatchObject({ name: 'host-1', peer: again.transport.selfId });

  const old = lab.network.transport(b.transport.selfId);
  await old.start({ onGossip: () => true, onRequest: () => undefined, onPeer: () => {} });
  await old.connect(a.transport.addresses[0]!);
  for (const { bytes } of before) old.publish(bytes);
  await lab.clock.advance(100);
  expectAgreement([a, again]);
  expect(a.mesh.stats.rejected.STALE_INCARNATION).toBe(before.length);
});

test('an agent that restarts with its clock set back is heard nevertheless', async () => {
  const lab = new Lab();
  const [a, b] = (await lab.startMany(2)) as [Agent, Agent];
  await lab.clock.advance(100);
  lab.kill(b);
  lab.clock.stepWall(-3_600_000);
  const again = await lab.start('host-1', 1);
  again.mesh.announceFlows([flow(1, 2, 4e6)]);
  await lab.clock.advance(2000);
  expectAgreement([a, again]);
});

test('of two agents with one host name the later is heard, both know of it, and neither fights', async () => {
  const lab = new Lab();
  const [a, b] = (await lab.startMany(2)) as [Agent, Agent];
  await lab.clock.advance(100);
  const twin = await lab.start('host-1', 3);
  await lab.clock.advance(5000);
  expect(a.mesh.view.hosts()[1]).toMatchObject({ name: 'host-1', peer: twin.transport.selfId });
  expect(b.mesh.view.conflicts(lab.clock.now())).toContainEqual({
    kind: 'host',
    host: 'host-1',
    peer: twin.transport.selfId,
  });
  expect(b.mesh.stats.rejected.HOST_CLAIMED).toBeGreaterThan(0);
  const incarnations = new Set(a.mesh.view.hosts().map(({ incarnation }) => incarnation));
  await lab.clock.advance(5000);
  expect(new Set(a.mesh.view.hosts().map(({ incarnation }) => incarnation))).toEqual(incarnations);
});

test('a silent host is dropped after 3 s, and its flows with it', async () => {
  const lab = new Lab();
  const [a, b, c] = (await lab.startMany(3)) as [Agent, Agent, Agent];
  b.mesh.announceFlows([flow(1, 5, 3e6)]);
  await lab.clock.advance(100);
  lab.kill(b);
  await lab.clock.advance(SILENT_AFTER_MS - 1100);
  expect(names(a)).toEqual(['host-0', 'host-1', 'host-2']);
  expect(a.mesh.view.remoteFlows()).toHaveLength(1);
  await lab.clock.advance(1500);
  expectAgreement([a, c]);
  expect(a.mesh.view.endpoints().map(({ number }) => number)).toEqual([0, 2]);
});

test('a host whose gossip does not arrive, but who answers, is kept', async () => {
  const lab = new Lab();
  const [a, b] = (await lab.startMany(2)) as [Agent, Agent];
  b.mesh.announceFlows([flow(1, 5, 3e6)]);
  await lab.clock.advance(100);
  b.transport.publish = () => {};
  await lab.clock.advance(10_000);
  expect(names(a)).toEqual(['host-0', 'host-1']);
  expect(a.mesh.view.remoteFlows()).toHaveLength(1);
});

test('a host that leaves is gone at once, and late messages do not bring it back', async () => {
  const lab = new Lab();
  const [a, b, c] = (await lab.startMany(3)) as [Agent, Agent, Agent];
  b.mesh.announceFlows([flow(1, 5, 3e6)]);
  await lab.clock.advance(100);
  await b.mesh.stop();
  lab.agents.splice(1, 1);
  await lab.clock.advance(10);
  expectAgreement([a, c]);
  for (const { from, bytes } of lab.network.published) {
    if (from === b.transport.selfId) a.mesh.view.apply(decoded(bytes), from, lab.clock.now());
  }
  expectAgreement([a, c]);
});

test('a paused host comes back with what it had, and keeps what it knew', async () => {
  const lab = new Lab();
  const [a, b, c] = (await lab.startMany(3)) as [Agent, Agent, Agent];
  b.mesh.announceFlows([flow(1, 5, 3e6)]);
  a.mesh.announceFlows([flow(0, 5, 2e6)]);
  await lab.clock.advance(2000);
  b.timers.pause();
  b.transport.pause();
  await lab.clock.advance(10_000);
  expect(names(a)).toEqual(['host-0', 'host-2']);
  let lost = 0;
  b.mesh.onChange(() => {
    if (names(b).length < 3) lost++;
  });
  b.timers.resume();
  b.transport.resume();
  await lab.clock.advance(1500);
  expect(lost).toBe(0);
  expectAgreement([a, b, c]);
});

test('a late joiner is complete within 2 s, from one address', async () => {
  const lab = new Lab({ delayMs: [5, 50] });
  await lab.startMany(12);
  await churn(lab, 40, 8);
  await lab.clock.advance(2000);
  await lab.start('late', 40);
  await lab.clock.advance(2000);
  expectAgreement(lab.agents);
});

test('steady traffic announces nothing, and costs each agent one heartbeat a second', async () => {
  const lab = new Lab();
  const agents = await lab.startMany(4);
  for (const [number, { mesh }] of agents.entries()) mesh.announceFlows([flow(number, 9, 1e6)]);
  await lab.clock.advance(3000);
  const before = agents.map(({ mesh }) => mesh.stats);
  for (let tick = 0; tick < 200; tick++) {
    for (const [number, { mesh }] of agents.entries()) mesh.announceFlows([flow(number, 9, 1e6)]);
    await lab.clock.advance(50);
  }
  agents.forEach(({ mesh }, at) => {
    expect(mesh.stats.flowAnnouncements).toBe(before[at]!.flowAnnouncements);
    expect(mesh.stats.messagesSent - before[at]!.messagesSent).toBe(10);
    expect(mesh.stats.messagesReceived - before[at]!.messagesReceived).toBe(30);
    expect((mesh.stats.bytesSent - before[at]!.bytesSent) / 10).toBeLessThan(64);
    expect(mesh.stats.repairs).toBe(before[at]!.repairs);
  });
});

test('an agent with another topology is shown as a conflict, and nothing of it is applied', async () => {
  const lab = new Lab();
  const [a] = (await lab.startMany(1)) as [Agent];
  await lab.start('other', 1, 'ffffffffffffffff');
  await lab.clock.advance(1500);
  expect(names(a)).toEqual(['host-0']);
  expect(a.mesh.view.endpoints()).toHaveLength(1);
  expect(a.mesh.view.conflicts(lab.clock.now())).toEqual([
    { kind: 'topology', host: 'other', peer: 'peer-1', topology: 'ffffffffffffffff' },
  ]);
  expect(a.mesh.stats.rejected.TOPOLOGY_DIFFERS).toBeGreaterThanOrEqual(2);
});

test('two hosts with one endpoint: all agree which one has it, all show it, and it passes on', async () => {
  const lab = new Lab();
  const a = await lab.start('zeta', 1);
  await lab.clock.advance(1000);
  const b = await lab.start('alpha', 1);
  const c = await lab.start('gamma', 2);
  a.mesh.announceFlows([flow(1, 5, 3e6)]);
  b.mesh.announceFlows([flow(1, 5, 8e6)]);
  await lab.clock.advance(1000);
  for (const { mesh } of [a, b, c]) {
    expect(mesh.view.endpoints()[0]).toMatchObject({ number: 1, host: 'zeta' });
    expect(mesh.view.conflicts(lab.clock.now())).toEqual([
      { kind: 'endpoint', endpoint: 'n1.0', hosts: ['zeta', 'alpha'] },
    ]);
  }
  expect(c.mesh.view.remoteFlows()).toEqual([received(1, 5, 3e6)]);
  await a.mesh.stop();
  await lab.clock.advance(10);
  expect(c.mesh.view.endpoints()[0]).toMatchObject({ number: 1, host: 'alpha' });
  expect(c.mesh.view.remoteFlows()).toEqual([received(1, 5, 8e6)]);
  expect(c.mesh.view.conflicts(lab.clock.now())).toEqual([]);
});

test('more flows at once than a message holds arrive by request', async () => {
  const lab = new Lab();
  const names = Array.from({ length: 300 }, (_, number) => `e${number}.0`);
  const [a, b] = await Promise.all(
    ['a', 'b'].map(async (host) => {
      const transport = lab.network.transport(host);
      const options = { topology: TOPOLOGY, endpointNames: names, host };
      const mesh = new Mesh({ transport, clock: lab.clock, timers: lab.clock }, options);
      await mesh.start();
      return { mesh, transport };
    }),
  );
  a!.mesh.announceEndpoints(names.slice(0, 200).map((_, number) => ({ number, addresses: ['10.0.0.1'] })));
  await a!.transport.connect('/memory/b');
  await lab.clock.advance(100);
  const flows = Array.from({ length: 50_000 }, (_, at) => flow(at % 200, 200 + (at % 97), 1e6 + at * 1e3));
  const unique = [...new Map(flows.map((one) => [`${one.source} ${one.destination}`, one])).values()];
  const all = Array.from({ length: 200 * 250 }, (_, at) => flow(Math.floor(at / 250), at % 250, 1e9, true));
  a!.mesh.announceFlows([...unique, ...all].filter(({ source, destination }) => source !== destination));
  await lab.clock.advance(1500);
  expect(b!.mesh.view.remoteFlows().length).toBe(a!.mesh.view.own.flows.size);
  expect(Math.max(...lab.network.published.map(({ bytes }) => bytes.length))).toBeLessThan(256 * 1024);
});

test('a stopped agent has no timers and says nothing', async () => {
  const lab = new Lab();
  const [a] = (await lab.startMany(1)) as [Agent];
  await lab.clock.advance(100);
  await a.mesh.stop();
  const said = lab.network.published.length;
  a.mesh.announceFlows([flow(0, 5, 1e6)]);
  await lab.clock.advance(5000);
  expect(lab.network.published).toHaveLength(said);
  expect(lab.clock.pendingTimers).toBe(0);
});

function decoded(bytes: Uint8Array) {
  const message = decodeAgentMessage(bytes);
  if ('rejected' in message) throw new Error(message.reason);
  return message;
}
