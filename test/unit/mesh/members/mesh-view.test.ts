import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HostTable } from '../../../../agent/mesh/members/host-table.ts';
import { MeshView } from '../../../../agent/mesh/members/mesh-view.ts';
import { Admission } from '../../../../agent/mesh/trust/admission.ts';
import type { AgentMessage, TableUpdate } from '../../../../agent/mesh/wire/codec.ts';
import { EMPTY_DIGEST } from '../../../../agent/mesh/wire/digest.ts';
import * as limits from '../../../../agent/mesh/wire/limits.ts';
import { decodeRate } from '../../../../agent/mesh/wire/rate-code.ts';
import { Lanes } from '../../../../proto/lanes.ts';

const TOPOLOGY = '0123456789abcdef';
const endpointNames = ['a.0', 'b.0', 'c.0', 'd.0'];

function newView(endpoints: readonly string[] = endpointNames, lanes?: Lanes): MeshView {
  return new MeshView({
    topology: TOPOLOGY,
    endpointNames: endpoints,
    host: 'me',
    peer: 'my-peer',
    incarnation: 50,
    silentAfterMs: 3000,
    admission: new Admission(),
    ...(lanes && { lanes }),
  });
}

function message(part: Partial<AgentMessage> = {}): AgentMessage {
  const base = {
    topology: TOPOLOGY,
    host: 'other',
    incarnation: 100,
    sequence: 1,
    digest: EMPTY_DIGEST,
    leaving: false,
    commands: [],
    commandDigest: EMPTY_DIGEST,
    timed: false,
  };
  return { ...base, ...part };
}

function update(part: Partial<TableUpdate> = {}): TableUpdate {
  return {
    whole: false,
    meshAddresses: [],
    endpoints: [],
    flows: { sources: [], destinations: [], states: [] },
    ...part,
  };
}

const endpoint = (number: number, ...addresses: string[]) => ({ number, addresses, gone: false });
const flows = (...rows: [number, number, number][]) => ({
  sources: rows.map(([source]) => source),
  destinations: rows.map(([, destination]) => destination),
  states: rows.map(([, , state]) => state),
});
const versions = ({ hostsVersion, endpointsVersion, flowsVersion }: MeshView) => ({
  hostsVersion,
  endpointsVersion,
  flowsVersion,
});

describe('the digest of a table', () => {
  const entry = fc.tuple(fc.nat(3), fc.nat(3), fc.integer({ min: 0, max: 9 }));
  test('depends on what is in it, not on how it came there', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 30 }), (changes) => {
        const table = new HostTable(4);
        for (const [source, destination, state] of changes)
          table.setFlow(table.flowKey(source, destination), state);
        const fresh = new HostTable(4);
        for (const [key, state] of [...table.flows].reverse()) fresh.setFlow(key, state);
        expect(fresh.digest).toEqual(table.digest);
      }),
      { seed: 1 },
    );
  });
  test('differs with every part of it', () => {
    const digests = new Set<string>();
    const add = (change: (table: HostTable) => void): void => {
      const table = new HostTable(4);
      change(table);
      digests.add(JSON.stringify({ ...table.digest, entries: 0 }));
    };
    add(() => {});
    add((table) => table.setFlow(table.flowKey(1, 2), 5));
    add((table) => table.setFlow(table.flowKey(2, 1), 5));
    add((table) => table.setFlow(table.flowKey(1, 2), 6));
    add((table) => table.setEndpoint(1, ['10.0.0.1']));
    add((table) => table.setEndpoint(2, ['10.0.0.1']));
    add((table) => table.setEndpoint(1, ['10.0.0.2']));
    add((table) => table.setEndpoint(1, []));
    add((table) => table.setMeshAddresses(['/ip4/10.0.0.1/tcp/1']));
    expect(digests.size).toBe(9);
  });
  test('is that of an empty one after everything is removed', () => {
    const table = new HostTable(4);
    table.setFlow(7, 5);
    table.setEndpoint(1, ['::1']);
    table.setMeshAddresses(['/a']);
    table.setFlow(7, 0);
    table.setEndpoint(1, undefined);
    table.setMeshAddresses([]);
    expect(table.digest).toEqual(EMPTY_DIGEST);
  });
});

test('flows on each of several paths of a pair are told apart; paths that there can not be are refused', () => {
  const lanes = new Lanes(6, 3);
  const view = newView(endpointNames, lanes);
  const tell = (sequence: number, ...rows: [number, number, number][]) =>
    view.apply(
      message({ sequence, update: update({ endpoints: [endpoint(0)], flows: flows(...rows) }) }),
      'peer',
      0,
    );
  const last = lanes.number(3, 2);
  expect(tell(1, [0, 3, 40], [0, lanes.number(3, 1), 60], [0, last, 80])).toEqual({ repair: true });
  expect(view.remoteFlows().map(({ source, destination }) => [source, destination])).toEqual([
    [0, 3],
    [0, 9],
    [0, last],
  ]);
  for (const wrong of [lanes.number(0, 1), lanes.number(4, 1), lanes.numbers + 1, 2 ** 32 - 1])
    expect(tell(2, [0, wrong, 40])).toMatchObject({ rejected: 'ENDPOINT_UNKNOWN' });
  // With one path for a pair, there is no other number.
  expect(newView().apply(message({ update: update({ flows: flows([0, 9, 40]) }) }), 'peer', 0)).toMatchObject(
    {
      rejected: 'ENDPOINT_UNKNOWN',
    },
  );
});

describe('what is stale is not applied', () => {
  test('the same message again', () => {
    const view = newView();
    expect(view.apply(message({ sequence: 5 }), 'peer', 0)).toEqual({ repair: false });
    expect(view.apply(message({ sequence: 5 }), 'peer', 2900)).toMatchObject({ rejected: 'STALE_SEQUENCE' });
    // Nor does it keep the host alive.
    expect(view.expire(3100)).toMatchObject([{ name: 'other' }]);
  });
  test('an update that was overtaken by another; one overtaken by a heartbeat is', () => {
    const view = newView();
    const state = (sequence: number, code: number) =>
      message({ sequence, update: update({ endpoints: [endpoint(0)], flows: flows([0, 1, 2 * code]) }) });
    view.apply(state(2, 20), 'peer', 0);
    view.apply(message({ sequence: 4 }), 'peer', 0);
    expect(view.apply(state(3, 30), 'peer', 0)).toEqual({ repair: true });
    expect(view.remoteFlows()).toEqual([{ source: 0, destination: 1, rateBps: 30, greedy: false }]);
    expect(view.apply(state(2, 20), 'peer', 0)).toMatchObject({ rejected: 'STALE_SEQUENCE' });
    expect(view.remoteFlows()[0]!.rateBps).toBe(30);
  });
  test('a message that was overtaken does not keep a host alive', () => {
    const view = newView();
    view.apply(message({ sequence: 4 }), 'peer', 0);
    view.apply(message({ sequence: 3, update: update() }), 'peer', 2900);
    expect(view.expire(3100)).toMatchObject([{ name: 'other' }]);
  });
  test('an earlier incarnation', () => {
    const view = newView();
    view.apply(message({ incarnation: 200 }), 'peer', 0);
    expect(view.apply(message({ sequence: 9 }), 'peer', 0)).toMatchObject({ rejected: 'STALE_INCARNATION' });
    expect(view.hosts()[1]).toMatchObject({ incarnation: 200, sequence: 1 });
  });
  test('messages that a host sent before it was dropped are refused; later ones bring it back', () => {
    const view = newView();
    view.apply(message({ sequence: 5 }), 'peer', 0);
    view.expire(3001);
    expect(view.apply(message({ sequence: 5 }), 'peer', 3100)).toMatchObject({ rejected: 'STALE_SEQUENCE' });
    expect(view.apply(message({ sequence: 6 }), 'peer', 3100)).toEqual({ repair: false });
    expect(view.hosts().map(({ name }) => name)).toEqual(['me', 'other']);
  });
  test('anything of an incarnation that has left; the next one is welcome', () => {
    const view = newView();
    view.apply(message({ sequence: 5 }), 'peer', 0);
    view.apply(message({ sequence: 6, leaving: true }), 'peer', 0);
    expect(view.hosts()).toHaveLength(1);
    expect(view.apply(message({ sequence: 7 }), 'peer', 0)).toMatchObject({ rejected: 'HOST_LEFT' });
    expect(view.apply(message({ incarnation: 101 }), 'peer', 0)).toEqual({ repair: false });
  });
  test('an own message that comes back', () => {
    const view = newView();
    const own = message({ host: 'me', incarnation: 50 });
    expect(view.apply(own, 'my-peer', 0)).toMatchObject({ rejected: 'STALE_SEQUENCE' });
    expect(view.conflicts(0)).toEqual([]);
  });
});

describe('which peer may send what', () => {
  test('a peer sends for one host', () => {
    const view = newView();
    view.apply(message(), 'peer', 0);
    expect(view.apply(message({ host: 'third' }), 'peer', 0)).toMatchObject({
      rejected: 'PEER_HAS_OTHER_HOST',
    });
  });
  test('no peer sends for another host, or the own one', () => {
    const view = newView();
    view.apply(message(), 'peer', 0);
    expect(view.apply(message({ sequence: 2, leaving: true }), 'liar', 0)).toMatchObject({
      rejected: 'HOST_CLAIMED',
    });
    expect(view.apply(message({ host: 'me', incarnation: 900 }), 'liar', 0)).toMatchObject({
      rejected: 'HOST_CLAIMED',
    });
    expect(view.hosts().map(({ name }) => name)).toEqual(['me', 'other']);
    expect(view.conflicts(0)).toEqual([
      { kind: 'host', host: 'other', peer: 'liar' },
      { kind: 'host', host: 'me', peer: 'liar' },
    ]);
    expect(view.conflicts(10_001)).toEqual([]);
  });
  test('flows count only from endpoints of the host that announces them', () => {
    const view = newView();
    view.setOwnEndpoint(0, ['10.0.0.1']);
    const said = update({ endpoints: [endpoint(1)], flows: flows([0, 2, 8], [1, 2, 9], [3, 2, 10]) });
    view.apply(message({ update: said }), 'peer', 0);
    expect(view.remoteFlows()).toEqual([{ source: 1, destination: 2, rateBps: 4, greedy: true }]);
  });
});

describe('limits', () => {
  test('what is remembered of hosts that left: the latest', () => {
    const view = newView();
    for (let number = 0; number <= limits.MAX_REMEMBERED; number++) {
      view.apply(message({ host: `h${number}`, leaving: true }), `p${number}`, 0);
    }
    expect(view.members.incarnationOf('p0')).toBe(0);
    expect(view.members.incarnationOf('p1')).toBe(100);
    expect(view.members.incarnationOf(`p${limits.MAX_REMEMBERED}`)).toBe(100);
  });

  test.each([
    ['an endpoint', update({ endpoints: [endpoint(4)] })],
    ['a source', update({ flows: flows([4, 0, 2]) })],
    ['a destination', update({ flows: flows([0, 4, 2]) })],
    ['a flow to itself', update({ flows: flows([1, 1, 2]) })],
  ])('%s that is not in the topology; nothing of the message is applied', (_, part) => {
    const view = newView();
    expect(view.apply(message({ update: part }), 'peer', 0)).toMatchObject({ rejected: 'ENDPOINT_UNKNOWN' });
    expect(view.hosts()).toHaveLength(1);
  });

  test('hosts', () => {
    const view = newView();
    for (let number = 0; number < limits.MAX_HOSTS; number++) {
      expect(view.apply(message({ host: `h${number}` }), `p${number}`, 0)).toEqual({ repair: false });
    }
    expect(view.apply(message({ host: 'late' }), 'late', 0)).toMatchObject({ rejected: 'TOO_MANY_HOSTS' });
    expect(view.apply(message({ host: 'h0', sequence: 2 }), 'p0', 0)).toEqual({ repair: false });
  });

  test('claims to one endpoint', () => {
    const view = newView();
    for (let number = 0; number < limits.MAX_CLAIMS; number++) {
      view.apply(
        message({ host: `h${number}`, update: update({ endpoints: [endpoint(1)] }) }),
        `p${number}`,
        0,
      );
    }
    const claim = update({ endpoints: [endpoint(1, '::1')] });
    expect(view.apply(message({ host: 'late', update: claim }), 'late', 0)).toMatchObject({
      rejected: 'TOO_MANY_CLAIMS',
    });
    expect(view.apply(message({ host: 'h0', sequence: 2, update: claim }), 'p0', 0)).toEqual({
      repair: true,
    });
    expect(view.endpoints()).toEqual([{ number: 1, name: 'b.0', addresses: ['::1'], host: 'h0' }]);
  });

  test('flows of one host, and of all together', () => {
    const view = newView(Array.from({ length: 1000 }, (_, number) => `e${number}.0`));
    const full = flows(
      ...Array.from({ length: limits.MAX_FLOWS_PER_HOST }, (_, at): [number, number, number] => [
        at >>> 8,
        300 + (at & 255),
        2,
      ]),
    );
    const hosts = limits.MAX_FLOWS / limits.MAX_FLOWS_PER_HOST;
    for (let number = 0; number < hosts; number++) {
      const said = message({ host: `h${number}`, update: update({ flows: full }) });
      expect(view.apply(said, `p${number}`, 0)).toEqual({ repair: true });
    }
    const more = (host: string) =>
      view.apply(
        message({ host, sequence: 2, update: update({ flows: flows([999, 0, 2]) }) }),
        host.replace('h', 'p'),
        0,
      );
    expect(more('h0')).toMatchObject({ rejected: 'TOO_MANY_FLOWS' });
    expect(more('h99')).toMatchObject({ rejected: 'TOO_MANY_FLOWS' });
    view.apply(message({ host: 'h1', sequence: 3, leaving: true }), 'p1', 0);
    expect(more('h99')).toEqual({ repair: true });
  });
});

describe('a whole table', () => {
  const table = new HostTable(endpointNames.length);
  table.setEndpoint(2, ['10.0.0.2']);
  table.setFlow(table.flowKey(2, 0), 13);
  table.setMeshAddresses(['/ip4/10.9.9.9/tcp/1']);
  const whole = message({ sequence: 7, digest: table.digest, update: table.toUpdate() });

  test('replaces what was known, and agrees with its digest', () => {
    const view = newView();
    const before = update({
      endpoints: [endpoint(1), endpoint(2, '10.0.0.2')],
      flows: flows([1, 2, 4], [2, 0, 4]),
    });
    expect(view.apply(message({ sequence: 6, update: before }), 'peer', 0)).toEqual({ repair: true });
    expect(view.members.ofPeer('peer')?.complete).toBe(false);
    expect(view.apply(whole, 'peer', 0, true)).toEqual({ repair: false });
    expect(view.members.ofPeer('peer')?.complete).toBe(true);
    expect(view.endpoints()).toEqual([{ number: 2, name: 'c.0', addresses: ['10.0.0.2'], host: 'other' }]);
    expect(view.remoteFlows()).toEqual([{ source: 2, destination: 0, rateBps: decodeRate(6), greedy: true }]);
    expect(view.hosts()[1]!.meshAddresses).toEqual(['/ip4/10.9.9.9/tcp/1']);
  });

  test('taken twice changes nothing, and as an answer it is never too late unless an update came since', () => {
    const view = newView();
    view.apply(whole, 'peer', 0, true);
    const before = versions(view);
    expect(view.apply(whole, 'peer', 0, true)).toEqual({ repair: false });
    expect(versions(view)).toEqual(before);
    view.apply(message({ sequence: 8, update: update({ endpoints: [endpoint(1)] }) }), 'peer', 0);
    expect(view.apply(whole, 'peer', 0, true)).toMatchObject({ rejected: 'STALE_SEQUENCE' });
  });
});

test('versions show what has changed, and nothing else', () => {
  const view = newView();
  const steps: [string, AgentMessage][] = [
    ['hosts', message({ sequence: 1 })],
    ['', message({ sequence: 2 })],
    ['endpoints flows', message({ sequence: 3, update: update({ endpoints: [endpoint(0, '::1')] }) })],
    ['flows', message({ sequence: 4, update: update({ flows: flows([0, 1, 5]) }) })],
    [
      '',
      message({ sequence: 5, update: update({ endpoints: [endpoint(0, '::1')], flows: flows([0, 1, 5]) }) }),
    ],
    ['flows', message({ sequence: 6, update: update({ flows: flows([0, 1, 0]) }) })],
    [
      'endpoints flows',
      message({ sequence: 7, update: update({ endpoints: [{ ...endpoint(0), gone: true }] }) }),
    ],
    ['hosts', message({ sequence: 8, leaving: true })],
  ];
  for (const [changed, step] of steps) {
    const before = versions(view);
    view.apply(step, 'peer', 0);
    const after = versions(view);
    const names = ['hosts', 'endpoints', 'flows'].filter(
      (name) =>
        before[`${name}Version` as keyof typeof before] !== after[`${name}Version` as keyof typeof after],
    );
    expect(names.join(' '), `after message ${step.sequence}`).toBe(changed);
  }
});

test('hosts are dropped after silence, unless this agent itself was stopped', () => {
  const view = newView();
  view.apply(message(), 'peer', 1000);
  expect(view.expire(4000)).toEqual([]);
  expect(view.members.silentFor(4000, 2000).map(({ peer }) => peer)).toEqual(['peer']);
  view.excuse(5000);
  expect(view.expire(9000)).toEqual([]);
  expect(view.expire(9001).map(({ name }) => name)).toEqual(['other']);
});

test('a silent host is missed by its name, until it is back, with any identity; one that has left is not', () => {
  const view = newView();
  view.apply(message(), 'peer', 0);
  view.apply(message({ host: 'third' }), 'peer-3', 0);
  view.apply(message({ host: 'fourth' }), 'peer-4', 0);
  view.apply(message({ host: 'fourth', sequence: 2, leaving: true }), 'peer-4', 0);
  view.expire(3001);
  expect(view.silentHosts(3001)).toEqual(['other', 'third']);
  view.apply(message({ incarnation: 200 }), 'another-peer', 3001);
  expect(view.silentHosts(3001)).toEqual(['third']);
  view.apply(message({ host: 'third', sequence: 2 }), 'peer-3', 3001);
  expect(view.silentHosts(3001)).toEqual([]);
});
