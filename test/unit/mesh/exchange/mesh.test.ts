import { expect, test } from 'vitest';
import { Mesh } from '../../../../agent/mesh/exchange/mesh.ts';
import { encodeStateRequest } from '../../../../agent/mesh/wire/codec.ts';
import { EMPTY_DIGEST } from '../../../../agent/mesh/wire/digest.ts';
import { MemoryNetwork } from '../../../../bench/simulation/memory-network.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';
import {
  type Agent,
  churn,
  expectAgreement,
  flow,
  Lab,
  names,
  received,
  TOPOLOGY,
} from '../../../support/mesh/mesh-lab.ts';

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
  await lab.start('other', 1, { topology: 'ffffffffffffffff' });
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

test('a peer that asks too often gets no answer until the next heartbeat', async () => {
  const lab = new Lab();
  const [a, b] = (await lab.startMany(2)) as [Agent, Agent];
  await lab.clock.advance(1100);
  const question = encodeStateRequest({
    topology: TOPOLOGY,
    host: 'host-1',
    incarnation: 1,
    commandDigest: EMPTY_DIGEST,
  });
  const ask = () =>
    b.transport
      .request('state', a.transport.selfId, () => question)
      .then(
        () => 'answered',
        () => 'refused',
      );
  const many = Promise.all(Array.from({ length: 20 }, ask));
  await lab.clock.advance(1500);
  const answers = await many;
  expect(answers.filter((answer) => answer === 'answered')).toHaveLength(8);
  expect(a.mesh.stats.rejected).toEqual({ REQUEST_RATE: 12 });
  const again = ask();
  await lab.clock.advance(10);
  expect(await again).toBe('answered');
});

test.each(['', 'a b', 'h'.repeat(65)])(
  '"%s" is refused as the name of a host, which others would refuse',
  (host) => {
    const clock = new ManualClock();
    const transport = new MemoryNetwork({ clock, seed: 1 }).transport('a');
    const make = () =>
      new Mesh({ transport, clock, timers: clock }, { topology: TOPOLOGY, endpointNames: [], host });
    expect(make).toThrow(expect.objectContaining({ code: 'MESH_HOST_NAME', blame: 'input' }));
  },
);

test('a stopped agent has no timers and sends nothing', async () => {
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
