/** An agent that may take part, and lies: about endpoints, flows, hosts, numbers, addresses, and without end. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_CLOCK_BACK_MS, Mesh } from '../../../../agent/mesh/exchange/mesh.ts';
import { GOSSIP_BURST } from '../../../../agent/mesh/exchange/peer-limits.ts';
import { MeshView } from '../../../../agent/mesh/members/mesh-view.ts';
import { Admission, type AdmissionRules } from '../../../../agent/mesh/trust/admission.ts';
import {
  type AgentMessage,
  decodeAgentMessage,
  decodeStateReply,
  encodeAgentMessage,
  encodeStateReply,
  encodeStateRequest,
  type TableUpdate,
} from '../../../../agent/mesh/wire/codec.ts';
import { isRejection } from '../../../../agent/mesh/wire/rejections.ts';
import type { RequestKind, TransportHandlers } from '../../../../agent/mesh/wire/transport.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';
import { type Agent, expectAgreement, flow, Lab, names, TOPOLOGY } from '../../../support/mesh/mesh-lab.ts';

const NONE = { entries: 0, low: 0, high: 0 };
const NO_COMMANDS = { commands: [], commandDigest: NONE, timed: false };
const endpointNames = ['a.0', 'b.0', 'c.0', 'd.0'];
const HIGHEST = Number.MAX_SAFE_INTEGER;
const UNHEARD = { incarnation: 1, tableSequence: 1, digestLow: 0 };

const ALLOW = [
  { peer: 'Pme', host: 'me' },
  { peer: 'Phonest', host: 'honest' },
  { peer: 'Pfraud', host: 'liar' },
];
const ASSIGNMENT = { 'a.0': 'me', 'b.0': 'honest', 'c.0': 'liar' };

function newView(rules: AdmissionRules = {}): MeshView {
  return new MeshView({
    topology: TOPOLOGY,
    endpointNames,
    host: 'me',
    peer: 'Pme',
    incarnation: 50,
    silentAfterMs: 3000,
    admission: new Admission(rules, endpointNames),
  });
}

function says(host: string, part: Partial<AgentMessage> = {}): AgentMessage {
  return {
    topology: TOPOLOGY,
    host,
    incarnation: 100,
    sequence: 1,
    digest: NONE,
    leaving: false,
    ...NO_COMMANDS,
    ...part,
  };
}

function update(part: Partial<TableUpdate>): TableUpdate {
  const nothing = { sources: [], destinations: [], states: [] };
  return { whole: false, meshAddresses: [], endpoints: [], flows: nothing, ...part };
}

const has = (...numbers: number[]): TableUpdate =>
  update({ endpoints: numbers.map((number) => ({ number, addresses: [`10.0.0.${number}`], gone: false })) });
const sends = (source: number, destination: number, state = 8): TableUpdate =>
  update({ flows: { sources: [source], destinations: [destination], states: [state] } });

describe('lies of a peer in its own name', () => {
  test('an endpoint that is assigned to another host is not its own, even if it claims it first', () => {
    const view = newView({ assignment: ASSIGNMENT });
    const claim = says('liar', { incarnation: 1, update: has(2, 1) });
    expect(view.apply(claim, 'Pfraud', 0)).toMatchObject({
      rejected: 'ENDPOINT_FOREIGN',
      reason: 'liar speaks for endpoint 1, which is on honest',
    });
    expect(view.endpoints()).toEqual([]);
    view.apply(says('honest', { update: has(1) }), 'Phonest', 0);
    view.apply(says('liar', { update: has(2, 3) }), 'Pfraud', 0);
    expect(view.endpoints().map(({ name, host }) => `${name} ${host}`)).toEqual([
      'b.0 honest',
      'c.0 liar',
      'd.0 liar',
    ]);
    expect(view.conflicts(0)).toEqual([]);
  });

  test('an own endpoint of the receiving agent is not its own either', () => {
    const view = newView({ assignment: ASSIGNMENT });
    view.setOwnEndpoint(0, ['10.0.0.9']);
    expect(view.apply(says('liar', { incarnation: 1, update: has(0) }), 'Pfraud', 0)).toMatchObject({
      rejected: 'ENDPOINT_FOREIGN',
    });
    expect(view.endpoints()).toMatchObject([{ host: 'me', addresses: ['10.0.0.9'] }]);
  });

  test('flows from endpoints that are assigned to others fill no memory; those from its own count', () => {
    const view = newView({ assignment: ASSIGNMENT });
    expect(view.apply(says('liar', { update: sends(1, 0) }), 'Pfraud', 0)).toMatchObject({
      rejected: 'ENDPOINT_FOREIGN',
    });
    expect(view.hosts()).toHaveLength(1);
    view.apply(says('liar', { sequence: 2, update: has(2) }), 'Pfraud', 0);
    view.apply(says('liar', { sequence: 3, update: sends(2, 0) }), 'Pfraud', 0);
    expect(view.remoteFlows()).toMatchObject([{ source: 2, destination: 0 }]);
  });

  test('without an assignment its claim is shown as a conflict, and its flows count for no other host', () => {
    const view = newView();
    view.apply(says('honest', { update: has(1) }), 'Phonest', 0);
    view.apply(says('liar', { incarnation: 101, update: has(1) }), 'Pfraud', 0);
    view.apply(says('liar', { incarnation: 101, sequence: 2, update: sends(1, 0) }), 'Pfraud', 0);
    expect(view.endpoints()).toMatchObject([{ host: 'honest' }]);
    expect(view.remoteFlows()).toEqual([]);
    expect(view.conflicts(0)).toEqual([{ kind: 'endpoint', endpoint: 'b.0', hosts: ['honest', 'liar'] }]);
  });
});

describe('lies of a peer in the name of others', () => {
  test('with a host name that the list binds to another peer, it is refused at any time', () => {
    const view = newView({ allow: ALLOW });
    for (const message of [
      says('honest'),
      says('honest', { incarnation: HIGHEST, leaving: true }),
      says('new'),
    ]) {
      expect(view.apply(message, 'Pfraud', 0)).toMatchObject({ rejected: 'HOST_NOT_ALLOWED' });
    }
    expect(view.apply(says('honest'), 'Phonest', 0)).toEqual({ repair: false });
    expect(view.apply(says('liar'), 'Pfraud', 0)).toEqual({ repair: false });
  });

  test('an entry without a host may be any host but those that are bound', () => {
    const view = newView({ allow: [...ALLOW, { peer: 'Pany' }] });
    expect(view.apply(says('honest'), 'Pany', 0)).toMatchObject({ rejected: 'HOST_NOT_ALLOWED' });
    expect(view.apply(says('other'), 'Pany', 0)).toEqual({ repair: false });
  });

  test.each([1, 100, 101, HIGHEST])(
    'without a list: a host that is there is not replaced by incarnation %d',
    (incarnation) => {
      const view = newView();
      view.apply(says('honest', { update: has(1) }), 'Phonest', 0);
      for (const leaving of [false, true]) {
        expect(view.apply(says('honest', { incarnation, sequence: 9, leaving }), 'Pfraud', 0)).toMatchObject({
          rejected: 'HOST_CLAIMED',
        });
        expect(
          view.apply(says('honest', { incarnation, sequence: 9, leaving }), 'Pfraud', 0, true),
        ).toMatchObject({
          rejected: 'HOST_CLAIMED',
        });
      }
      expect(view.endpoints()).toMatchObject([{ host: 'honest' }]);
      expect(view.conflicts(0)).toEqual([{ kind: 'host', host: 'honest', peer: 'Pfraud' }]);
    },
  );

  test('the name of a host is not used up by the highest incarnation, nor by leaving with it', () => {
    for (const end of ['leaves', 'falls silent']) {
      const view = newView();
      view.apply(says('honest', { incarnation: HIGHEST, sequence: 4_294_967_295 }), 'Pfraud', 0);
      if (end === 'leaves') {
        view.apply(
          says('honest', { incarnation: HIGHEST, sequence: 4_294_967_295, leaving: true }),
          'Pfraud',
          0,
        );
        expect(view.hosts()).toHaveLength(2);
      }
      view.expire(3001);
      expect(view.apply(says('honest'), 'Phonest', 3001)).toEqual({ repair: false });
      expect(view.hosts()[0]).toMatchObject({ name: 'honest', peer: 'Phonest' });
    }
  });

  test('commands that it attributes to another host', () => {
    const view = newView();
    const command = { origin: 'honest', incarnation: 100, number: 1, issuedAt: 5, at: 6, text: 'heal' };
    expect(view.apply(says('liar', { commands: [command] }), 'Pfraud', 0)).toMatchObject({
      rejected: 'COMMAND_FOREIGN',
    });
    expect(view.commands.size).toBe(0);
    view.apply(says('honest', { commands: [command] }), 'Phonest', 0);
    expect(view.commands.size).toBe(1);
  });

  test("a copy of this agent's identity on another host is shown, and refused", () => {
    const view = newView();
    expect(view.apply(says('copy'), 'Pme', 0)).toMatchObject({ rejected: 'IDENTITY_SHARED' });
    expect(view.conflicts(0)).toEqual([{ kind: 'identity', host: 'copy', peer: 'Pme' }]);
    expect(view.hosts()).toHaveLength(1);
  });
});

/** An agent whose transport is in the test's hand. */
async function newMesh(
  rules: AdmissionRules = {},
  answer: (peer: string) => Uint8Array = () => new Uint8Array(),
) {
  const clock = new ManualClock();
  const lines: object[] = [];
  const learnt: [string, readonly string[]][] = [];
  const asked: string[] = [];
  const published: AgentMessage[] = [];
  let handlers: TransportHandlers | undefined;
  const transport = {
    selfId: 'Pme',
    addresses: ['/memory/me'],
    start: async (given: TransportHandlers) => {
      handlers = given;
    },
    stop: async () => {},
    publish: (bytes: Uint8Array) => void published.push(decodeAgentMessage(bytes) as AgentMessage),
    request: async (kind: RequestKind, peer: string) => {
      if (kind === 'clock') throw new Error('no time');
      asked.push(peer);
      return answer(peer);
    },
    connect: async () => {},
    learn: (peer: string, addresses: readonly string[]) => void learnt.push([peer, addresses]),
  };
  const log = { info: () => {}, warn: (fields: object) => void lines.push(fields) };
  const mesh = new Mesh(
    { transport, clock, timers: clock, log },
    { topology: TOPOLOGY, endpointNames, host: 'me', admission: new Admission(rules, endpointNames) },
  );
  await mesh.start();
  return { mesh, clock, lines, learnt, asked, published, handlers: handlers! };
}

const reply = (host: string, part: Partial<Parameters<typeof encodeStateReply>[0]> = {}): Uint8Array =>
  encodeStateReply({
    state: says(host, { update: update({ whole: true }) }),
    known: [],
    commands: [],
    yourIncarnation: 0,
    ...part,
  });

describe('an agent', () => {
  test('sends nothing to a peer that is not on its list, accepts nothing from it, and names it', async () => {
    const { mesh, handlers, lines } = await newMesh({ allow: ALLOW });
    const gossip = encodeAgentMessage(says('stranger'));
    const question = encodeStateRequest(says('stranger'));
    expect(handlers.onGossip(gossip, 'Pstranger', 'Phonest')).toBe(false);
    expect(handlers.onRequest('state', question, 'Pstranger')).toBeUndefined();
    expect(handlers.onRequest('state', question, 'Phonest')).toBeInstanceOf(Uint8Array);
    expect(mesh.view.hosts()).toHaveLength(1);
    expect(mesh.stats.rejected).toEqual({ PEER_NOT_ALLOWED: 2 });
    expect(lines).toEqual([{ code: 'PEER_NOT_ALLOWED', peer: 'Pstranger', via: 'Phonest' }]);
  });

  test('ignores a flood, counts it, names it once, and accepts the others', async () => {
    const { mesh, handlers, lines, clock } = await newMesh();
    for (let sequence = 1; sequence <= 5000; sequence++) {
      handlers.onGossip(encodeAgentMessage(says('liar', { sequence })), 'Pfraud');
    }
    expect(mesh.view.hosts()[0]).toMatchObject({ name: 'liar', sequence: GOSSIP_BURST });
    expect(mesh.stats.rejected).toEqual({ GOSSIP_RATE: 5000 - GOSSIP_BURST });
    expect(lines).toEqual([{ code: 'GOSSIP_RATE', peer: 'Pfraud' }]);
    expect(handlers.onGossip(encodeAgentMessage(says('honest')), 'Phonest')).toBe(true);
    await clock.advance(1000);
    expect(handlers.onGossip(encodeAgentMessage(says('liar', { sequence: 5001 })), 'Pfraud')).toBe(true);
  });

  test('forgets no peer, and learns none that may not join, because another says so', async () => {
    const known = [
      { ...UNHEARD, peer: 'Phonest', addresses: [] },
      { ...UNHEARD, peer: 'Pstranger', addresses: ['/memory/stranger'] },
    ];
    const { handlers, learnt, asked, clock } = await newMesh({ allow: ALLOW }, () =>
      reply('liar', { known }),
    );
    handlers.onPeer('Pfraud');
    await clock.advance(10);
    expect(learnt).toEqual([['Pfraud', []]]);
    expect(asked).toEqual(['Pfraud']);
  });

  test('takes no incarnation after which there is no next, and goes on with its own', async () => {
    const ahead = { ms: HIGHEST };
    const { mesh, handlers, clock, published } = await newMesh({}, () =>
      reply('liar', { yourIncarnation: ahead.ms }),
    );
    const before = mesh.view.hosts()[0]!.incarnation;
    handlers.onPeer('Pfraud');
    await clock.advance(10);
    expect(mesh.view.hosts().find(({ self }) => self)!.incarnation).toBe(before);
    expect(mesh.stats.rejected.INCARNATION_FUTURE).toBe(1);

    // A clock set back by less than a year is what it is for.
    ahead.ms = before + MAX_CLOCK_BACK_MS;
    handlers.onPeer('Pfraud');
    await clock.advance(10);
    expect(published.at(-1)!.incarnation).toBe(ahead.ms + 1);
  });
});

test('a liar among honest agents changes nothing that they know of each other', async () => {
  const lab = new Lab({ seed: 3 });
  const agents = await lab.startMany(3);
  for (const [number, { mesh }] of agents.entries())
    mesh.announceFlows([flow(number, 9, 1e6 * (number + 1))]);
  await lab.clock.advance(2000);
  const liar = lab.network.transport('Pfraud');
  await liar.start({
    onGossip: () => true,
    onRequest: () => reply('host-1', { yourIncarnation: HIGHEST }),
    onPeer: () => {},
  });
  for (const { transport } of agents) await liar.connect(transport.addresses[0]!);
  const lies: Partial<AgentMessage>[] = [
    { host: 'host-1', leaving: true },
    { host: 'host-1', incarnation: HIGHEST, leaving: true },
    { host: 'host-2', incarnation: HIGHEST, update: update({ whole: true }) },
    { host: 'host-0', incarnation: 1, sequence: 4_294_967_295, update: has(0, 1, 2) },
    { host: 'liar', update: sends(1, 9, 2000), digest: { entries: 77, low: 1, high: 2 } },
  ];
  let sequence = 0;
  for (let second = 0; second < 5; second++) {
    for (const lie of lies)
      liar.publish(encodeAgentMessage(says('liar', { incarnation: 1e12, sequence: ++sequence, ...lie })));
    await lab.clock.advance(1000);
  }
  liar.kill();
  const gone = agents.map((agent) => names(agent).includes('liar'));
  expect(gone).toEqual([true, true, true]);
  for (const { mesh } of agents) {
    expect(mesh.view.remoteFlows()).toHaveLength(2);
    const refused = Object.values(mesh.stats.rejected).reduce((sum, count) => sum + count, 0);
    expect(refused).toBeGreaterThanOrEqual(15);
    expect(mesh.stats.rejected.HOST_CLAIMED).toBeGreaterThan(0);
  }
  await lab.clock.advance(4000);
  expectAgreement(agents as Agent[]);
});

test('mutated messages of several peers, without end: no throw, no growth, and own tables are not theirs to change', () => {
  const valid = [
    encodeAgentMessage(says('liar', { update: { ...has(1, 2), ...{ flows: sends(1, 2).flows } } })),
    encodeAgentMessage(says('liar', { sequence: 7, leaving: true })),
    encodeAgentMessage(
      says('honest', { sequence: 3, update: { ...has(1), whole: true, meshAddresses: ['/a'] } }),
    ),
    reply('honest', { known: [{ ...UNHEARD, peer: 'p', addresses: ['/b'] }], yourIncarnation: 9 }),
  ];
  const step = fc.record({
    base: fc.constantFrom(...valid),
    peer: fc.constantFrom('Pfraud', 'Phonest', 'Pme', 'Pother'),
    edits: fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 3 }),
    direct: fc.boolean(),
    passes: fc.nat(2000),
  });
  const seen = { applied: 0, rejected: 0 };
  fc.assert(
    fc.property(fc.array(step, { minLength: 30, maxLength: 60 }), (steps) => {
      const view = newView();
      view.setOwnEndpoint(0, ['10.0.0.9']);
      const own = JSON.stringify(view.own.toUpdate());
      let now = 0;
      for (const { base, peer, edits, direct, passes } of steps) {
        const bytes = Uint8Array.from(base);
        for (const [at, value] of edits) bytes[at % bytes.length] = value;
        now += passes;
        for (const decoded of [decodeAgentMessage(bytes), decodeStateReply(bytes)]) {
          const message = isRejection(decoded) ? decoded : 'state' in decoded ? decoded.state : decoded;
          const result = isRejection(message) ? message : view.apply(message, peer, now, direct);
          seen[isRejection(result) ? 'rejected' : 'applied']++;
        }
        view.expire(now);
        const hosts = view.hosts();
        // A peer is one host at most, and no other peer is this host.
        if (new Set(hosts.map((host) => host.peer)).size < hosts.length || hosts.length > 4)
          throw new Error(`${hosts.length} hosts`);
        if (hosts.some(({ name, self, peer }) => (name === 'me' || self) && peer !== 'Pme'))
          throw new Error('somebody is this host');
        if (view.endpoints().length > endpointNames.length) throw new Error('endpoints from nowhere');
      }
      view.expire(now + 3001);
      expect(JSON.stringify(view.own.toUpdate())).toBe(own);
      expect(view.hosts()).toHaveLength(1);
      expect(view.endpoints()).toMatchObject([{ number: 0, host: 'me' }]);
      expect(view.remoteFlows()).toEqual([]);
    }),
    { seed: 12, numRuns: 150 },
  );
  expect(Math.min(seen.applied, seen.rejected)).toBeGreaterThan(500);
});
