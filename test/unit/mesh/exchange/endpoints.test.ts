/** Endpoints that come, go, move and change their addresses while the agents run. */
import { describe, expect, test } from 'vitest';
import type { OwnEndpoint } from '../../../../agent/mesh/exchange/own-table.ts';
import type { MeshEndpoint } from '../../../../agent/mesh/members/model.ts';
import { Crowd, type Member } from '../../../../bench/mesh/crowd.ts';
import { SeededRandom } from '../../../../topology/model/random.ts';
import { type Agent, expectAgreement, flow, Lab, received } from '../../../support/mesh/mesh-lab.ts';

const own = (number: number, ...addresses: string[]): OwnEndpoint => ({ number, addresses });
const known = (number: number, host: string, ...addresses: string[]): MeshEndpoint => ({
  ...{ number, name: `n${number}.0`, addresses, host },
});

/** Each agent's own view of the owners of endpoints. */
function expectEndpoints(agents: readonly Pick<Agent, 'mesh'>[], endpoints: readonly MeshEndpoint[]): void {
  for (const { mesh } of agents) expect(mesh.view.endpoints()).toEqual(endpoints);
}

function expectNoConflicts({ agents, clock }: Lab): void {
  for (const { mesh } of agents) expect(mesh.view.conflicts(clock.now())).toEqual([]);
}

describe('while agents run', () => {
  test('an endpoint is added, withdrawn, and comes back with another address', async () => {
    const lab = new Lab();
    const [a, b, c] = (await lab.startMany(3)) as [Agent, Agent, Agent];
    const others = [known(1, 'host-1', '10.0.0.1'), known(2, 'host-2', '10.0.0.2')];
    await lab.clock.advance(1500);

    a.mesh.announceEndpoints([own(0, '10.0.0.0'), own(5, '10.0.0.5', 'fd00::5')]);
    await lab.clock.advance(10);
    const both = [known(0, 'host-0', '10.0.0.0'), ...others, known(5, 'host-0', '10.0.0.5', 'fd00::5')];
    expectEndpoints([a, b, c], both);

    a.mesh.announceEndpoints([own(5, '10.0.0.5', 'fd00::5')]);
    await lab.clock.advance(10);
    expectEndpoints([a, b, c], [...others, both[3]!]);

    a.mesh.announceEndpoints([own(0, '10.9.0.1'), own(5, '10.0.0.5')]);
    await lab.clock.advance(10);
    expectEndpoints([a, b, c], [known(0, 'host-0', '10.9.0.1'), ...others, known(5, 'host-0', '10.0.0.5')]);
    expectNoConflicts(lab);
  });

  test('that its service is ready is known to all, also to a late one, and ends with it', async () => {
    const lab = new Lab();
    const [a, b] = (await lab.startMany(2)) as [Agent, Agent];
    await lab.clock.advance(1500);
    const ready = (): boolean[] => lab.agents.map(({ mesh }) => mesh.view.isReady(0));
    expect(ready()).toEqual([false, false]);
    a.mesh.announceEndpoints([{ ...own(0, '10.0.0.0'), isReady: true }]);
    await lab.clock.advance(10);
    await lab.start('late', 9);
    await lab.clock.advance(2500);
    expect(ready()).toEqual([true, true, true]);
    expectAgreement(lab.agents);
    const before = a.mesh.stats.messagesSent;
    a.mesh.announceEndpoints([{ ...own(0, '10.0.0.0'), isReady: true }]);
    expect(a.mesh.stats.messagesSent).toBe(before);
    a.mesh.announceEndpoints([own(0, '10.0.0.0')]);
    await lab.clock.advance(10);
    expect(ready()).toEqual([false, false, false]);
    a.mesh.announceEndpoints([{ ...own(0, '10.0.0.0'), isReady: true }]);
    await lab.clock.advance(10);
    expect(ready()).toEqual([true, true, true]);
    a.mesh.announceEndpoints([]);
    await lab.clock.advance(10);
    expect(ready()).toEqual([false, false, false]);
    expect(b.mesh.view.endpoints().map(({ number }) => number)).toEqual([1, 9]);
    expectAgreement(lab.agents);
  });

  test('only differences are announced, in one message', async () => {
    const lab = new Lab();
    const [a, b] = (await lab.startMany(2)) as [Agent, Agent];
    a.mesh.announceEndpoints([own(0, '10.0.0.0'), own(2, '10.0.0.2'), own(3, '10.0.0.3')]);
    await lab.clock.advance(1500);
    let calls = 0;
    b.mesh.onChange(() => calls++);
    const before = a.mesh.stats.messagesSent;
    a.mesh.announceEndpoints([own(3, '10.0.0.3'), own(0, '10.0.0.0'), own(2, '10.0.0.2')]);
    expect(a.mesh.stats.messagesSent).toBe(before);
    a.mesh.announceEndpoints([own(0, '10.0.0.0'), own(3, '10.9.0.3'), own(4, '10.0.0.4')]);
    expect(a.mesh.stats.messagesSent).toBe(before + 1);
    await lab.clock.advance(10);
    expect(calls).toBe(1);
    expectAgreement(lab.agents);
  });

  test('flows of an endpoint count while it is there, wherever that is', async () => {
    const lab = new Lab();
    const [a, b, c] = (await lab.startMany(3)) as [Agent, Agent, Agent];
    a.mesh.announceFlows([flow(0, 7, 5e6, true)]);
    await lab.clock.advance(1500);
    expect(c.mesh.view.remoteFlows()).toEqual([received(0, 7, 5e6, true)]);

    a.mesh.announceEndpoints([]);
    await lab.clock.advance(10);
    expect(c.mesh.view.remoteFlows()).toEqual([]);

    b.mesh.announceEndpoints([own(0, '10.1.0.0'), own(1, '10.0.0.1')]);
    b.mesh.announceFlows([flow(0, 7, 2e6)]);
    await lab.clock.advance(10);
    for (const { mesh } of [a, c]) expect(mesh.view.remoteFlows()).toEqual([received(0, 7, 2e6)]);

    // Its meter finds that nothing flows at the former host any more.
    a.mesh.announceFlows([flow(0, 7, 0)]);
    await lab.clock.advance(10);
    expectAgreement(lab.agents);
    expect(b.mesh.view.remoteFlows()).toEqual([]);
  });

  test.each([
    ['first withdrawn, then announced', true],
    ['first announced, then withdrawn', false],
  ])('an endpoint moves to another host, %s', async (_, withdrawnFirst) => {
    const lab = new Lab();
    const [a, b] = (await lab.startMany(4)) as [Agent, Agent, Agent, Agent];
    await lab.clock.advance(1500);
    const withdraw = () => a.mesh.announceEndpoints([]);
    const announce = () => b.mesh.announceEndpoints([own(0, '10.1.0.0'), own(1, '10.0.0.1')]);
    for (const step of withdrawnFirst ? [withdraw, announce] : [announce, withdraw]) {
      step();
      await lab.clock.advance(10);
    }
    const endpoints = [known(0, 'host-1', '10.1.0.0'), known(1, 'host-1', '10.0.0.1')];
    expectEndpoints(lab.agents, [
      ...endpoints,
      known(2, 'host-2', '10.0.0.2'),
      known(3, 'host-3', '10.0.0.3'),
    ]);
    expectNoConflicts(lab);
    // And back.
    b.mesh.announceEndpoints([own(1, '10.0.0.1')]);
    a.mesh.announceEndpoints([own(0, '10.0.0.0')]);
    await lab.clock.advance(10);
    expect(b.mesh.view.endpoints()[0]).toEqual(known(0, 'host-0', '10.0.0.0'));
    expectAgreement(lab.agents);
  });

  test('a late one learns what there is, not what there was; so does one that comes back', async () => {
    const lab = new Lab();
    const [a, b, c] = (await lab.startMany(3)) as [Agent, Agent, Agent];
    await lab.clock.advance(1500);
    lab.network.partition([a.transport.selfId, b.transport.selfId], [c.transport.selfId]);
    a.mesh.announceEndpoints([]);
    b.mesh.announceEndpoints([own(0, '10.1.0.0')]);
    await lab.clock.advance(1500);
    expect(c.mesh.view.endpoints()).toHaveLength(3);
    lab.network.heal();
    const late = await lab.start('late', 9);
    await lab.clock.advance(2500);
    const endpoints = [
      known(0, 'host-1', '10.1.0.0'),
      known(2, 'host-2', '10.0.0.2'),
      known(9, 'late', '10.0.0.9'),
    ];
    expectEndpoints([a, b, c, late], endpoints);
    expectNoConflicts(lab);
  });
});

/** `endpoints`: each agent's; moves, removes, adds and renames some of them. */
class Movements {
  readonly #random: SeededRandom;
  readonly #count: number;
  /** The host's index, by endpoint; and how often each has had a new address. */
  readonly #hosts: (number | undefined)[];
  readonly #addresses: number[];

  constructor(agents: number, endpoints: number, seed: number) {
    this.#random = new SeededRandom(seed);
    this.#count = agents;
    this.#hosts = Array.from({ length: endpoints }, (_, number) => (number < agents ? number : undefined));
    this.#addresses = this.#hosts.map(() => 0);
  }

  step(): void {
    const number = this.#random.below(this.#hosts.length);
    const kind = this.#random.below(4);
    if (kind === 0) this.#hosts[number] = undefined;
    else if (kind < 3) this.#hosts[number] = this.#random.below(this.#count);
    if (kind > 1) this.#addresses[number]!++;
  }

  of(index: number): OwnEndpoint[] {
    return this.#hosts.flatMap((host, number) =>
      host === index ? [own(number, this.#address(number))] : [],
    );
  }

  expected(names: readonly string[]): MeshEndpoint[] {
    return this.#hosts.flatMap((host, number) =>
      host === undefined ? [] : [known(number, names[host]!, this.#address(number))],
    );
  }

  #address(number: number): string {
    return `10.${this.#addresses[number]}.0.${number}`;
  }
}

test('16 agents agree on endpoints that come, go and move, in spite of 20 % loss and of messages that overtake others', async () => {
  const lab = new Lab({ seed: 4, loss: 0.2, delayMs: [1, 120] });
  await lab.startMany(16);
  const movements = new Movements(16, 40, 8);
  for (let round = 0; round < 120; round++) {
    movements.step();
    for (const [index, { mesh }] of lab.agents.entries()) mesh.announceEndpoints(movements.of(index));
    await lab.clock.advance(25);
  }
  await lab.clock.advance(8000);
  const endpoints = movements.expected(lab.agents.map(({ name }) => name));
  expect(endpoints.length).toBeGreaterThan(10);
  expectEndpoints(lab.agents, endpoints);
  expectNoConflicts(lab);
  expectAgreement(lab.agents);
});

test('so do 24, not all of which are neighbours, after a partition and with one that joins late', async () => {
  const crowd = new Crowd({ seed: 6, endpoints: 40, loss: 0.05, delayMs: [1, 40] });
  await crowd.startMany(24);
  expect(await crowd.until(() => crowd.agree(), 20_000)).toBeDefined();
  const movements = new Movements(24, 40, 2);
  const move = async (rounds: number): Promise<void> => {
    for (let round = 0; round < rounds; round++) {
      movements.step();
      for (const { mesh, endpoint } of crowd.members.slice(0, 24))
        mesh.announceEndpoints(movements.of(endpoint));
      await crowd.clock.advance(25);
    }
  };
  await move(40);
  const ids = crowd.members.map(({ transport }) => transport.selfId);
  crowd.network.partition(ids.slice(0, 9), ids.slice(9));
  await move(40);
  crowd.network.heal();
  const late: Member = await crowd.start();
  late.mesh.announceEndpoints([]);
  await move(10);
  expect(await crowd.until(() => crowd.agree(), 30_000)).toBeDefined();
  expectEndpoints(crowd.present, movements.expected(crowd.members.map(({ name }) => name)));
});

test('an endpoint that is assigned to another host is accepted from there, also by agents that refused it at first', async () => {
  const lab = new Lab();
  const [a, b, c] = (await lab.startMany(3)) as [Agent, Agent, Agent];
  for (const { mesh } of lab.agents) mesh.assign(0, 'host-0');
  await lab.clock.advance(1500);
  a.mesh.announceEndpoints([]);
  for (const { mesh } of [a, b]) mesh.assign(0, 'host-1');
  b.mesh.announceEndpoints([own(0, '10.1.0.0'), own(1, '10.0.0.1')]);
  await lab.clock.advance(1500);
  expect(a.mesh.view.endpoints()[0]).toEqual(known(0, 'host-1', '10.1.0.0'));
  expect(c.mesh.view.endpoints()[0]).toEqual(known(1, 'host-1', '10.0.0.1'));
  expect(c.mesh.stats.rejected.ENDPOINT_FOREIGN).toBeGreaterThan(0);
  c.mesh.assign(0, 'host-1');
  await lab.clock.advance(1500);
  expectEndpoints(lab.agents, a.mesh.view.endpoints());
  expectAgreement(lab.agents);
});

test.each([
  ['64 is none of the topology', [own(64, '10.0.0.1')]],
  ['n1.0 is there twice', [own(1, '10.0.0.1'), own(1, '10.0.0.2')]],
  ['n1.0 has the address "10.0.0"', [own(1, '10.0.0')]],
  ['n1.0 has 9 addresses', [own(1, ...Array.from({ length: 9 }, (_, at) => `10.0.0.${at}`))]],
])('%s: nothing is announced, and nothing changes', async (message, endpoints) => {
  const lab = new Lab();
  const [a, b] = (await lab.startMany(2)) as [Agent, Agent];
  await lab.clock.advance(1500);
  expect(() => a.mesh.announceEndpoints([own(0, '10.9.0.0'), ...endpoints])).toThrow(
    expect.objectContaining({
      code: 'MESH_ENDPOINT',
      message: expect.stringContaining(message),
      blame: 'input',
    }),
  );
  await lab.clock.advance(1100);
  expectEndpoints([a, b], [known(0, 'host-0', '10.0.0.0'), known(1, 'host-1', '10.0.0.1')]);
});
