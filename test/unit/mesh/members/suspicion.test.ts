import { describe, expect, test } from 'vitest';
import { MeshView } from '../../../../agent/mesh/members/mesh-view.ts';
import { Admission } from '../../../../agent/mesh/trust/admission.ts';
import type { AgentMessage } from '../../../../agent/mesh/wire/codec.ts';
import { EMPTY_DIGEST } from '../../../../agent/mesh/wire/digest.ts';

const TOPOLOGY = '0123456789abcdef';

function newView(): MeshView {
  return new MeshView({
    ...{ topology: TOPOLOGY, endpointNames: ['a.0', 'b.0'], host: 'me', peer: 'my-peer' },
    ...{ incarnation: 50, silentAfterMs: 3000, admission: new Admission() },
  });
}

function message(part: Partial<AgentMessage> = {}): AgentMessage {
  return {
    ...{ topology: TOPOLOGY, host: 'other', incarnation: 100, sequence: 1, digest: EMPTY_DIGEST },
    ...{ leaving: false, commands: [], commandDigest: EMPTY_DIGEST, timed: false },
    ...part,
  };
}

describe('if not all hosts are neighbours', () => {
  const suspicion = (sequence: number) => ({ host: 'other', incarnation: 100, sequence });

  function viewWithFar(): MeshView {
    const view = newView();
    view.apply(message({ sequence: 5 }), 'peer', 0);
    view.members.setNear(new Set(), 0);
    return view;
  }

  test('one that is far is not missed, until it is suspected and does not answer', () => {
    const view = viewWithFar();
    expect(view.expire(60_000)).toEqual([]);
    view.members.suspect(suspicion(5), 60_000);
    expect(view.expire(60_700)).toEqual([]);
    expect(view.expire(60_800)).toMatchObject([{ name: 'other' }]);
  });

  test('a host that answers is kept, and so is one that is suspected by an agent with older messages', () => {
    const view = viewWithFar();
    view.members.suspect(suspicion(5), 1000);
    view.apply(message({ sequence: 6, spread: true }), 'peer', 1500);
    expect(view.expire(2000)).toEqual([]);
    view.members.suspect(suspicion(5), 2000);
    view.members.suspect({ ...suspicion(9), incarnation: 99 }, 2000);
    expect(view.expire(9000)).toEqual([]);
    // After so long, an earlier message proves nothing.
    view.members.suspect(suspicion(5), 9000);
    expect(view.expire(10_000)).toMatchObject([{ name: 'other' }]);
  });

  test('a new neighbour has the whole time to send its first message', () => {
    const view = viewWithFar();
    view.members.setNear(undefined, 60_000);
    expect(view.expire(63_000)).toEqual([]);
    expect(view.expire(63_001)).toMatchObject([{ name: 'other' }]);
  });

  test('a host with the same last change, but another table, may know what is missed here', () => {
    const { members } = viewWithFar();
    const agent = {
      ...{ peer: 'peer', addresses: ['/a'] },
      incarnation: 100,
      tableSequence: 0,
      digestLow: 0,
    };
    members.ofPeer('peer')!.complete = true;
    expect(members.isBehind(agent)).toBe(false);
    expect(members.isBehind({ ...agent, digestLow: 7 })).toBe(true);
    expect(members.isBehind({ ...agent, incarnation: 99, digestLow: 7 })).toBe(false);
    members.ofPeer('peer')!.tableSequence = 1;
    expect(members.isBehind({ ...agent, digestLow: 7 })).toBe(false);
    expect(members.isBehind({ ...agent, peer: 'nobody' })).toBe(true);
  });
});
