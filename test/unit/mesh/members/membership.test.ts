import { expect, test } from 'vitest';
import { SILENT_AFTER_MS } from '../../../../agent/mesh/exchange/mesh.ts';
import { Membership } from '../../../../agent/mesh/members/membership.ts';
import { Admission } from '../../../../agent/mesh/trust/admission.ts';
import { decodeAgentMessage } from '../../../../agent/mesh/wire/codec.ts';
import { type Agent, churn, expectAgreement, flow, Lab, names } from '../../../support/mesh/mesh-lab.ts';

test('a partition drops the other part, and healing brings all of it back', async () => {
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
  const { selfId } = b.transport;
  const before = lab.network.published.filter(({ from }) => from === selfId);
  lab.kill(b);
  await lab.clock.advance(500);
  const again = await lab.start('host-1', 2, { identity: selfId });
  // A request to the killed one gets no answer; then it is sent again.
  await lab.clock.advance(1000);
  expectAgreement([a, again]);
  expect(a.mesh.view.hosts()[1]).toMatchObject({ name: 'host-1', peer: selfId });
  expect(a.mesh.view.conflicts(lab.clock.now())).toEqual([]);

  for (const { bytes } of before) again.transport.publish(bytes);
  await lab.clock.advance(100);
  expectAgreement([a, again]);
  expect(a.mesh.stats.rejected.STALE_INCARNATION).toBe(before.length);
});

test('a host that comes back as another peer is a conflict while the old one may live, then it is taken', async () => {
  const lab = new Lab();
  const [a, b] = (await lab.startMany(2)) as [Agent, Agent];
  b.mesh.announceFlows([flow(1, 5, 3e6)]);
  await lab.clock.advance(100);
  const before = lab.network.published.filter(({ from }) => from === b.transport.selfId);
  lab.kill(b);
  await lab.clock.advance(500);
  const again = await lab.start('host-1', 2);
  await lab.clock.advance(1500);
  expect(a.mesh.view.hosts()[1]).toMatchObject({ name: 'host-1', peer: b.transport.selfId });
  expect(a.mesh.view.conflicts(lab.clock.now())).toEqual([
    { kind: 'host', host: 'host-1', peer: again.transport.selfId },
  ]);
  await lab.clock.advance(2500);
  expectAgreement([a, again]);
  expect(a.mesh.view.hosts()[1]).toMatchObject({ name: 'host-1', peer: again.transport.selfId });

  const rejected = a.mesh.stats.rejected.STALE_SEQUENCE ?? 0;
  const old = lab.network.transport(b.transport.selfId);
  await old.start({ onGossip: () => true, onRequest: () => undefined, onPeer: () => {} });
  await old.connect(a.transport.addresses[0]!);
  for (const { bytes } of before) old.publish(bytes);
  await lab.clock.advance(100);
  expectAgreement([a, again]);
  expect(a.mesh.stats.rejected.STALE_SEQUENCE).toBe(rejected + before.length);
});

test('an agent that restarts with its clock set back is accepted nevertheless', async () => {
  const lab = new Lab();
  const [a, b] = (await lab.startMany(2)) as [Agent, Agent];
  await lab.clock.advance(100);
  lab.kill(b);
  lab.clock.stepWall(-3_600_000);
  const again = await lab.start('host-1', 1, { identity: b.transport.selfId });
  again.mesh.announceFlows([flow(1, 2, 4e6)]);
  await lab.clock.advance(2000);
  expectAgreement([a, again]);
  expect(a.mesh.view.remoteFlows()).toHaveLength(1);
});

test('of two agents with one host name the first is accepted, both report it, and neither retries', async () => {
  const lab = new Lab();
  const [a, b] = (await lab.startMany(2)) as [Agent, Agent];
  await lab.clock.advance(100);
  const twin = await lab.start('host-1', 3);
  const incarnation = a.mesh.view.hosts()[1]!.incarnation;
  await lab.clock.advance(10_000);
  expect(a.mesh.view.hosts()[1]).toMatchObject({ name: 'host-1', peer: b.transport.selfId, incarnation });
  for (const [{ mesh }, other] of [[b, twin] as const, [twin, b] as const]) {
    expect(mesh.view.conflicts(lab.clock.now())).toContainEqual({
      kind: 'host',
      host: 'host-1',
      peer: other.transport.selfId,
    });
    expect(mesh.stats.rejected.HOST_CLAIMED).toBeGreaterThan(0);
    expect(mesh.view.hosts().map(({ name }) => name)).toEqual(['host-0', 'host-1']);
  }
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

test('a host whose gossip does not arrive, but which answers, is kept', async () => {
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
  expect(a.transport.neighbours).toEqual([c.transport.selfId]);
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

test('an agent that receives from another only through a third learns its address, and asks it', async () => {
  const lab = new Lab();
  const hub = await lab.start('hub', 0);
  await lab.clock.advance(100);
  const a = await lab.start('a', 1);
  const b = await lab.start('b', 2);
  await lab.clock.advance(10);
  expect(a.transport.neighbours).toEqual([hub.transport.selfId]);
  expect(b.transport.neighbours).toEqual([hub.transport.selfId]);
  await lab.clock.advance(1200);
  expect(a.transport.neighbours).toEqual([hub.transport.selfId, b.transport.selfId]);
  expectAgreement(lab.agents);
});

function decoded(bytes: Uint8Array) {
  const message = decodeAgentMessage(bytes);
  if ('rejected' in message) throw new Error(message.reason);
  return message;
}

test('hosts that may not know a command are those behind and those lost, until they are back or have left', async () => {
  const lab = new Lab();
  const [a, b, c] = (await lab.startMany(3)) as [Agent, Agent, Agent];
  await lab.clock.advance(100);
  const addresses = b.transport.addresses;
  const untold = () => a.mesh.view.untold().map(({ name }) => name);
  expect(untold()).toEqual([]);
  lab.kill(b);
  // Longer than `netfold status` names it.
  await lab.clock.advance(700_000);
  expect(a.mesh.view.silentHosts(lab.clock.now())).toEqual([]);
  const peer = b.transport.selfId;
  expect(a.mesh.view.untold()).toEqual([{ name: 'host-1', peer, addresses }]);
  a.mesh.command({ issuedAt: 0, at: 1, text: 'quit' });
  expect(untold()).toEqual(['host-2', 'host-1']);
  await lab.clock.advance(500);
  expect(untold()).toEqual(['host-1']);
  const ofC = c.transport.addresses;
  await c.mesh.stop();
  await lab.clock.advance(500);
  expect(untold()).toEqual(['host-1']);
  // Also of who has left: it may wait for the other, too.
  expect([...a.mesh.view.addressesEver()].sort()).toEqual([...addresses, ...ofC].sort());
  await lab.start('host-1', 1, { identity: b.transport.selfId });
  await lab.clock.advance(2000);
  expect(untold()).toEqual([]);
});

test('where a lost host could be dialled stays known when a late message has brought it back for a moment', () => {
  const members = new Membership({
    ...{ topology: '0123456789abcdef', endpointNames: [], host: 'a', peer: 'A', incarnation: 1 },
    ...{ silentAfterMs: SILENT_AFTER_MS, admission: new Admission() },
  });
  const drop = (): void => {
    members.noteGone('B', { host: 'b', incarnation: 1, sequence: 1, left: false }, 0);
    members.remove(members.get('b')!);
  };
  members.add('b', 'B', 1).table.setMeshAddresses(['/ip4/10.0.0.2/tcp/4646']);
  drop();
  members.add('b', 'B', 1);
  expect(members.lost()).toEqual([]);
  drop();
  expect(members.lost()).toEqual([{ name: 'b', peer: 'B', addresses: ['/ip4/10.0.0.2/tcp/4646'] }]);
});
