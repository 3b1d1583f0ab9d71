/**
 * Many agents: so many that not all are neighbours (agent/mesh/members/neighbours.ts). Seeded, on a clock of their
 * own.
 */
import { expect, test } from 'vitest';
import { decodeRate } from '../../../../agent/mesh/wire/rate-code.ts';
import { Crowd, type Member, neighbourCount } from '../../../../bench/mesh/crowd.ts';
import { SeededRandom } from '../../../../topology/model/random.ts';

const HOSTS = 64;

function changeFlows(members: readonly Member[], random: SeededRandom): void {
  for (const { mesh, endpoint } of members) {
    const destination = (endpoint + 1 + random.below(HOSTS - 1)) % HOSTS;
    const rateBps = random.next() < 0.3 ? 0 : 1e3 + random.next() * 1e9;
    mesh.announceFlows([{ source: endpoint, destination, rateBps, greedy: random.next() < 0.5 }]);
  }
}

/** From each one's data about itself: members, endpoints, flows, commands. */
function expectAgreement(members: readonly Member[]): void {
  const names = members.map(({ name }) => name);
  const endpoints = members.map(({ endpoint: number, name: host }) => ({
    ...{ number, name: `n${number}.0`, host },
    addresses: [`10.0.0.${number}`],
  }));
  const flows = members.flatMap(({ mesh, name }) => {
    const { sources, destinations, states } = mesh.view.own.toUpdate().flows;
    return sources.map((source, at) => ({
      name,
      ...{ source, destination: destinations[at]!, rateBps: decodeRate(states[at]! >>> 1) },
      greedy: states[at]! % 2 === 1,
    }));
  });
  const sorted = flows.sort((a, b) => a.source - b.source || a.destination - b.destination);
  const commands = members[0]!.mesh.commands.all();
  for (const { name, mesh } of members) {
    expect(mesh.view.hosts().map((host) => host.name)).toEqual(names);
    expect(mesh.view.endpoints()).toEqual(endpoints);
    const others = sorted.filter((flow) => flow.name !== name).map(({ name: _, ...flow }) => flow);
    expect(mesh.view.remoteFlows()).toEqual(others);
    expect(mesh.commands.all()).toEqual(commands);
  }
}

const command = (text: string) => ({ issuedAt: 0, at: 0, text });

test('64 agents agree after losses, deaths, a partition in three and its end', {
  timeout: 60_000,
}, async () => {
  const random = new SeededRandom(11);
  const crowd = new Crowd({ seed: 11, endpoints: HOSTS, loss: 0.05, delayMs: [1, 40] });
  await crowd.startMany(HOSTS);
  expect(await crowd.until(() => crowd.agree(), 20_000)).toBeDefined();
  for (let round = 0; round < 10; round++) {
    changeFlows(crowd.present, random);
    await crowd.clock.advance(50);
  }
  const sides = [0, 1, 2].map((side) => crowd.members.filter((_, at) => (at % 7) % 3 === side));
  crowd.network.partition(...sides.map((side) => side.map(({ transport }) => transport.selfId)));
  await crowd.clock.advance(500);
  const dead = sides.map((side) => side[4]!);
  for (const member of dead) crowd.kill(member);
  for (const [side, [first]] of sides.entries()) first!.mesh.command(command(`set link-${side} latency=5ms`));
  changeFlows(crowd.present, random);
  const left = sides.map((side) => side.filter(({ isGone }) => !isGone));
  expect(await crowd.until(() => left.every((side) => crowd.agree(side)), 30_000)).toBeDefined();
  for (const side of left) expectAgreement(side);
  expect(crowd.present.map(({ mesh }) => mesh.commands.size)).toEqual(crowd.present.map(() => 1));

  crowd.network.heal();
  expect(await crowd.until(() => crowd.agree(), 30_000)).toBeDefined();
  expectAgreement(crowd.present);
  expect(crowd.present[0]!.mesh.commands.size).toBe(3);
  crowd.network.loss = 0;
  await crowd.clock.advance(5000);
  expectAgreement(crowd.present);
});

test('a dead host is gone everywhere after 3 s, and a living one nowhere, among 64', async () => {
  const crowd = new Crowd({ seed: 3, endpoints: HOSTS });
  await crowd.startMany(HOSTS);
  await crowd.clock.advance(8000);
  const [dead] = crowd.members.slice(20) as [Member];
  dead.mesh.announceFlows([{ source: 20, destination: 3, rateBps: 1e6, greedy: true }]);
  await crowd.clock.advance(100);
  expect(crowd.present.every((one) => one === dead || one.mesh.view.remoteFlows().length === 1)).toBe(true);
  crowd.kill(dead);
  await crowd.clock.advance(1900);
  expect(crowd.present.map(({ mesh }) => mesh.view.hosts().length)).toEqual(crowd.present.map(() => HOSTS));
  await crowd.clock.advance(1700);
  expect(crowd.present.map(({ mesh }) => mesh.view.hosts().length)).toEqual(
    crowd.present.map(() => HOSTS - 1),
  );
  expect(crowd.present.flatMap(({ mesh }) => mesh.view.remoteFlows())).toEqual([]);
});

test('a host whose heartbeats are lost, but which receives, answers the suspicion and is kept', async () => {
  const crowd = new Crowd({ seed: 5, endpoints: 24 });
  await crowd.startMany(24);
  await crowd.clock.advance(5000);
  const [quiet] = crowd.members.slice(7) as [Member];
  const { publish } = quiet.transport;
  let heartbeats = 0;
  // Its heartbeats are lost, but not its answers to a suspicion.
  quiet.transport.publish = (bytes) => {
    if (bytes.length < 70 && heartbeats++ % 4 > 0) return;
    publish.call(quiet.transport, bytes);
  };
  for (let step = 0; step < 40; step++) {
    await crowd.clock.advance(250);
    expect(crowd.present.map(({ mesh }) => mesh.view.hosts().length)).toEqual(crowd.present.map(() => 24));
  }
});

test('a late one is complete within 2 s, and known to all, among 64', async () => {
  const crowd = new Crowd({ seed: 9, endpoints: HOSTS + 1, delayMs: [5, 50] });
  await crowd.startMany(HOSTS);
  changeFlows(crowd.present, new SeededRandom(2));
  await crowd.clock.advance(8000);
  await crowd.start();
  await crowd.clock.advance(2000);
  expect(crowd.agree()).toBe(true);
});

test('what an agent sends grows with the logarithm of the hosts', async () => {
  const heartbeats = async (hosts: number): Promise<number> => {
    const crowd = new Crowd({ seed: 2, endpoints: hosts });
    await crowd.startMany(hosts);
    await crowd.clock.advance(15_000);
    const { gossip, state, dial } = await crowd.sentIn(8000);
    expect(state.messages).toBe(0);
    // One that is far is asked for the time in every eighth turn.
    expect(dial.messages).toBe(neighbourCount(hosts) < hosts - 1 ? hosts : 0);
    return gossip.messages / 8 / hosts;
  };
  expect([neighbourCount(8), neighbourCount(16), neighbourCount(64), neighbourCount(512)]).toEqual([
    7, 15, 11, 17,
  ]);
  for (const hosts of [8, 16, 64]) expect(await heartbeats(hosts)).toBeCloseTo(neighbourCount(hosts), 0);
});
