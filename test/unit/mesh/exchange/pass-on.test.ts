import { expect, test } from 'vitest';
import { PassOn } from '../../../../agent/mesh/exchange/pass-on.ts';
import { type Agent, expectAgreement, flow, Lab, names } from '../../../support/mesh/mesh-lab.ts';

/** Heartbeats are forwarded only where an agent misses them. */

const NEW_MS = 12_000;

/** Messages from one agent to another in so many seconds. */
async function gossipedIn(lab: Lab, seconds: number): Promise<number> {
  const before = lab.network.gossiped;
  await lab.clock.advance(seconds * 1000);
  return lab.network.gossiped - before;
}

function cut(lab: Lab, a: Agent, b: Agent): void {
  const without = (one: Agent): string[] =>
    lab.agents.filter((agent) => agent !== one).map(({ transport }) => transport.selfId);
  lab.network.partition(without(a), without(b));
}

test('if all are connected, each heartbeat goes to each agent once', async () => {
  const lab = new Lab();
  await lab.startMany(5);
  await lab.clock.advance(NEW_MS);
  expect(await gossipedIn(lab, 10)).toBe(10 * 5 * 4);
  expectAgreement(lab.agents);
});

test('changes are forwarded all the same', async () => {
  const lab = new Lab();
  const [a] = (await lab.startMany(5)) as [Agent];
  await lab.clock.advance(NEW_MS);
  const before = lab.network.gossiped;
  a.mesh.announceFlows([flow(0, 3, 5e6)]);
  await lab.clock.advance(10);
  // Four from the publisher, and each of the four to the three others.
  expect(lab.network.gossiped - before).toBe(4 + 4 * 3);
});

test('two that are cut off from each other receive each other’s messages through the rest, without a gap', async () => {
  const lab = new Lab({ delayMs: [1, 30] });
  const [a, b] = (await lab.startMany(4)) as [Agent, Agent];
  await lab.clock.advance(NEW_MS);
  cut(lab, a, b);
  for (let step = 0; step < 120; step++) {
    await lab.clock.advance(100);
    expect(names(a)).toHaveLength(4);
    expect(names(b)).toHaveLength(4);
  }
  a.mesh.announceFlows([flow(0, 3, 5e6)]);
  await lab.clock.advance(100);
  expectAgreement(lab.agents);

  lab.network.heal();
  await lab.clock.advance(6000);
  expect(await gossipedIn(lab, 10)).toBe(10 * 4 * 3);
});

test('one that dies is not looked for longer than it is missed', async () => {
  const lab = new Lab();
  const agents = await lab.startMany(4);
  await lab.clock.advance(NEW_MS);
  lab.kill(agents[3]!);
  await lab.clock.advance(8000);
  expect(names(agents[0]!)).toHaveLength(3);
  // To the dead one, too: no end has closed the connection.
  expect(await gossipedIn(lab, 10)).toBeLessThanOrEqual(10 * 3 * 3);
});

test('an agent reconnects to a host that it misses, again and again, until it receives from it', () => {
  const asked: number[] = [];
  const renewed: [string, number][] = [];
  let now = 0;
  const passOn = new PassOn({
    heartbeatMs: 1000,
    silentAfterMs: 3000,
    ask: () => asked.push(now),
    renew: (peer) => renewed.push([peer, now]),
  });
  const hosts = [
    { peer: 'here', near: true },
    { peer: 'cut', near: true },
    { peer: 'of no concern', near: false },
  ];
  const pass = (seconds: number, heard: readonly string[]): void => {
    for (const end = now + seconds * 1000; now < end; ) {
      now += 250;
      for (const peer of heard) passOn.heard(peer, now);
      passOn.check(hosts, now);
    }
  };
  pass(3, ['here', 'cut']);
  expect(passOn.asked).toBe(false);
  pass(12, ['here']);
  expect(asked).toEqual([4500]);
  expect(renewed).toEqual([
    ['cut', 8250],
    ['cut', 13_500],
  ]);
  pass(1, ['here', 'cut']);
  expect(passOn.asked).toBe(false);
  now += 60_000;
  passOn.check(hosts, now);
  expect([asked.length, renewed.length]).toEqual([1, 2]);
});
