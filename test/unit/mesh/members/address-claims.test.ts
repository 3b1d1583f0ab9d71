/** Whose an address is, whatever members say. */
import { describe, expect, test } from 'vitest';
import { MeshView } from '../../../../agent/mesh/members/mesh-view.ts';
import { Admission } from '../../../../agent/mesh/trust/admission.ts';
import type { AgentMessage } from '../../../../agent/mesh/wire/codec.ts';
import { EMPTY_DIGEST } from '../../../../agent/mesh/wire/digest.ts';

const endpointNames = ['a.0', 'b.0', 'c.0', 'd.0'];

function viewOf(addresses: Record<string, string[]> = {}, addressesPerEndpoint?: number): MeshView {
  return new MeshView({
    ...{ topology: 't', endpointNames, host: 'me', peer: 'my-peer', incarnation: 50, silentAfterMs: 3000 },
    admission: new Admission({ addresses }, endpointNames),
    ...(addressesPerEndpoint !== undefined && { addressesPerEndpoint }),
  });
}

let sequence = 0;
/** What a host says of one endpoint, and what of it is ignored. */
function say(view: MeshView, host: string, number: number, ...addresses: string[]): string | undefined {
  const gone = addresses.length === 0;
  const message: AgentMessage = {
    ...{ topology: 't', host, incarnation: 100, sequence: ++sequence, digest: EMPTY_DIGEST },
    ...{ leaving: false, commands: [], commandDigest: EMPTY_DIGEST, timed: false },
    update: {
      ...{ whole: false, meshAddresses: [], endpoints: [{ number, addresses, gone }] },
      flows: { sources: [], destinations: [], states: [] },
    },
  };
  const result = view.apply(message, `peer of ${host}`, 0);
  return 'rejected' in result ? result.rejected : result.ignored?.rejected;
}

function leave(view: MeshView, host: string): void {
  const facts = { topology: 't', host, incarnation: 100, sequence: ++sequence, digest: EMPTY_DIGEST };
  view.apply(
    { ...facts, leaving: true, commands: [], commandDigest: EMPTY_DIGEST, timed: false },
    `peer of ${host}`,
    0,
  );
}

const known = (view: MeshView) =>
  Object.fromEntries(view.endpoints().map(({ name, addresses }) => [name, addresses]));

describe('an address of another endpoint', () => {
  test('stays with the endpoint that had it first; the liar is named, until it has left', () => {
    const view = viewOf();
    say(view, 'b', 1, '10.0.0.1');
    expect(say(view, 'liar', 2, '10.0.0.2', '10.0.0.1')).toBe('ADDRESS_FOREIGN');
    expect(known(view)).toEqual({ 'b.0': ['10.0.0.1'], 'c.0': ['10.0.0.2'] });
    expect(view.conflicts(0)).toEqual([
      { kind: 'address', host: 'liar', endpoint: 'c.0', address: '10.0.0.1', holder: 'b.0' },
    ]);
    leave(view, 'liar');
    expect(known(view)).toEqual({ 'b.0': ['10.0.0.1'] });
    expect(view.conflicts(0)).toEqual([]);
  });

  test('is not to be had by writing it in another way', () => {
    const view = viewOf();
    say(view, 'b', 1, 'fd00::1');
    expect(say(view, 'liar', 2, 'FD00:0:0::0001')).toBe('ADDRESS_FOREIGN');
    expect(known(view)).toEqual({ 'b.0': ['fd00::1'], 'c.0': [] });
  });

  test('belongs to those of this host, also if they come later', () => {
    const view = viewOf();
    say(view, 'liar', 2, '10.0.0.0');
    view.setOwnEndpoint(0, ['10.0.0.0']);
    expect(known(view)).toEqual({ 'a.0': ['10.0.0.0'], 'c.0': [] });
    view.setOwnEndpoint(0, ['10.0.0.0'], true);
    expect(known(view)).toEqual({ 'a.0': ['10.0.0.0'], 'c.0': [] });
  });

  test('belongs to whom it is assigned, although he is silent', () => {
    const view = viewOf({ 'b.0': ['10.0.0.1', 'fd00::1'] });
    expect(say(view, 'liar', 2, '10.0.0.2', '10.0.0.1', 'FD00::1')).toBe('ADDRESS_FOREIGN');
    expect(known(view)).toEqual({ 'c.0': ['10.0.0.2'] });
    expect(say(view, 'b', 1, '10.0.0.1')).toBeUndefined();
    leave(view, 'b');
    say(view, 'liar', 2, '10.0.0.1');
    expect(known(view)).toEqual({ 'c.0': [] });
  });

  test('can be had once it is withdrawn, and kept while others change', () => {
    const view = viewOf();
    say(view, 'b', 1, '10.0.0.1', '10.0.0.9');
    say(view, 'next', 2, '10.0.0.1');
    say(view, 'b', 1, '10.0.0.1');
    expect(known(view)).toEqual({ 'b.0': ['10.0.0.1'], 'c.0': [] });
    say(view, 'b', 1);
    expect(known(view)).toEqual({ 'c.0': ['10.0.0.1'] });
    expect(view.conflicts(0)).toEqual([]);
  });

  test('moves with its endpoint to another host', () => {
    const view = viewOf();
    say(view, 'b', 1, '10.0.0.1');
    say(view, 'next', 1, '10.0.0.1');
    leave(view, 'b');
    expect(view.endpoints()).toEqual([{ number: 1, name: 'b.0', addresses: ['10.0.0.1'], host: 'next' }]);
  });
});

test('addresses for which there is no room do not count, and are named', () => {
  const view = viewOf({}, 2);
  expect(say(view, 'b', 1, '10.0.0.1', '10.0.0.2', '10.0.0.3')).toBe('TOO_MANY_ADDRESSES');
  expect(known(view)).toEqual({ 'b.0': ['10.0.0.1', '10.0.0.2'] });
});
