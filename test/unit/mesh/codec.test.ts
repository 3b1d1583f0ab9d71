import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AgentMessage,
  decodeAgentMessage,
  decodeStateReply,
  decodeStateRequest,
  encodeAgentMessage,
  encodeStateReply,
  encodeStateRequest,
  isRejection,
  type StateReply,
} from '../../../agent/mesh/codec.ts';
import * as limits from '../../../agent/mesh/limits.ts';
import { MeshView } from '../../../agent/mesh/mesh-view.ts';
import { MAX_RATE_CODE } from '../../../agent/mesh/rate-code.ts';
import { netfold } from '../../../proto/generated/mesh.js';

const MESSAGE: AgentMessage = {
  topology: '0123456789abcdef',
  host: 'host-7',
  incarnation: 1_795_293_506_362,
  sequence: 300,
  digest: { entries: 3, low: 0xffffffff, high: 0x80000001 },
  update: {
    whole: true,
    meshAddresses: ['/ip4/192.0.2.7/tcp/7946'],
    endpoints: [
      { number: 3, addresses: ['10.0.0.3', 'fd00::3'], gone: false },
      { number: 70_000, addresses: [], gone: true },
    ],
    flows: { sources: [3, 3], destinations: [0, 70_000], states: [0, 2 * MAX_RATE_CODE + 1] },
  },
  leaving: false,
};
const REPLY: StateReply = {
  state: MESSAGE,
  known: [{ peer: '12D3KooW', addresses: ['/ip4/192.0.2.8/tcp/1', '/ip6/::1/tcp/2'] }],
  yourIncarnation: 17,
};

describe('what is encoded is decoded', () => {
  test('messages, with every field', () => {
    expect(decodeAgentMessage(encodeAgentMessage(MESSAGE))).toEqual(MESSAGE);
  });
  test('heartbeats and leaves', () => {
    const { update: _, ...heartbeat } = MESSAGE;
    expect(decodeAgentMessage(encodeAgentMessage(heartbeat))).toEqual(heartbeat);
    const leave = { ...heartbeat, leaving: true };
    expect(decodeAgentMessage(encodeAgentMessage(leave))).toEqual(leave);
  });
  test('questions and answers', () => {
    const { topology, host, incarnation } = MESSAGE;
    const sender = { topology, host, incarnation };
    expect(decodeStateRequest(encodeStateRequest(sender))).toEqual(sender);
    expect(decodeStateReply(encodeStateReply(REPLY))).toEqual(REPLY);
  });
});

test('a flow costs a few bytes, and a heartbeat little more than the names in it', () => {
  const { update, ...heartbeat } = MESSAGE;
  expect(encodeAgentMessage(heartbeat).length).toBeLessThan(50);
  const flows = { sources: [1], destinations: [2], states: [2000] };
  const one = { ...update!, whole: false, meshAddresses: [], endpoints: [], flows };
  const two = { ...one, flows: { sources: [1, 99], destinations: [2, 100], states: [2000, 2001] } };
  const size = (part: typeof one): number => encodeAgentMessage({ ...heartbeat, update: part }).length;
  expect(size(two) - size(one)).toBe(4);
});

describe('what breaks a limit is rejected with a code and the value', () => {
  const { update } = MESSAGE as Required<AgentMessage>;
  const endpoint = { number: 1, addresses: ['10.0.0.1'], gone: false };
  const flows = { sources: [1], destinations: [2], states: [2] };
  test.each<[string, Partial<AgentMessage>, string, string]>([
    ['a short topology', { topology: '0123' }, 'MESSAGE_FIELD', '2 bytes'],
    ['no host', { host: '' }, 'MESSAGE_FIELD', 'host'],
    ['a long host', { host: 'h'.repeat(65) }, 'MESSAGE_FIELD', 'hhh'],
    ['a host with a newline', { host: 'a\nb' }, 'MESSAGE_FIELD', 'a\\nb'],
    ['incarnation 0', { incarnation: 0 }, 'MESSAGE_FIELD', 'incarnation'],
    ['incarnation NaN', { incarnation: Number.NaN }, 'MESSAGE_FIELD', 'NaN'],
    ['incarnation 1.5', { incarnation: 1.5 }, 'MESSAGE_FIELD', '1.5'],
    ['incarnation 1e300', { incarnation: 1e300 }, 'MESSAGE_FIELD', '1e+300'],
    ['sequence 0', { sequence: 0 }, 'MESSAGE_FIELD', 'sequence 0'],
    [
      'columns of different lengths',
      { update: { ...update, flows: { ...flows, states: [] } } },
      'MESSAGE_FIELD',
      '0 columns',
    ],
    [
      'a state too large',
      { update: { ...update, flows: { ...flows, states: [2 * MAX_RATE_CODE + 2] } } },
      'MESSAGE_FIELD',
      'state',
    ],
    [
      'an address that is none',
      { update: { ...update, endpoints: [{ ...endpoint, addresses: ['10.0.0.256'] }] } },
      'MESSAGE_FIELD',
      '10.0.0.256',
    ],
    [
      'too many addresses',
      { update: { ...update, endpoints: [{ ...endpoint, addresses: Array(9).fill('::1') }] } },
      'MESSAGE_FIELD',
      '9 addresses',
    ],
    [
      'a mesh address that is none',
      { update: { ...update, meshAddresses: ['tcp:1'] } },
      'MESSAGE_FIELD',
      'tcp:1',
    ],
    [
      'too many mesh addresses',
      { update: { ...update, meshAddresses: Array(17).fill('/a') } },
      'MESSAGE_FIELD',
      '17',
    ],
    [
      'a long mesh address',
      { update: { ...update, meshAddresses: [`/${'a'.repeat(256)}`] } },
      'MESSAGE_FIELD',
      '/aaa',
    ],
    [
      'too many flows',
      {
        update: {
          ...update,
          flows: {
            sources: Array(65_537).fill(1),
            destinations: Array(65_537).fill(2),
            states: Array(65_537).fill(0),
          },
        },
      },
      'TOO_MANY_FLOWS',
      '65537',
    ],
  ])('%s', (_, part, rejected, value) => {
    const result = decodeAgentMessage(encodeAgentMessage({ ...MESSAGE, ...part }));
    expect(result).toMatchObject({ rejected, reason: expect.stringContaining(value) });
  });

  test('too many bytes', () => {
    expect(decodeAgentMessage(new Uint8Array(limits.MAX_GOSSIP_BYTES + 1))).toMatchObject({
      rejected: 'MESSAGE_TOO_LARGE',
    });
    expect(decodeStateReply(new Uint8Array(limits.MAX_STATE_BYTES + 1))).toMatchObject({
      rejected: 'MESSAGE_TOO_LARGE',
    });
  });

  test.each<[string, Partial<StateReply>, string]>([
    ['a peer without id', { known: [{ peer: '', addresses: [] }] }, 'MESSAGE_FIELD'],
    ['a peer with a long id', { known: [{ peer: 'p'.repeat(129), addresses: [] }] }, 'MESSAGE_FIELD'],
    ['a known address that is none', { known: [{ peer: 'p', addresses: ['x'] }] }, 'MESSAGE_FIELD'],
    ['too many known agents', { known: Array(1025).fill({ peer: 'p', addresses: [] }) }, 'TOO_MANY_HOSTS'],
    ['an incarnation below 0', { yourIncarnation: -1 }, 'MESSAGE_FIELD'],
    ['a wrong state', { state: { ...MESSAGE, sequence: 0 } }, 'MESSAGE_FIELD'],
  ])('an answer with %s', (_, part, rejected) => {
    expect(decodeStateReply(encodeStateReply({ ...REPLY, ...part }))).toMatchObject({ rejected });
  });

  test('an answer without a state', () => {
    expect(decodeStateReply(new Uint8Array())).toMatchObject({ rejected: 'MESSAGE_FIELD' });
  });
});

describe('hostile bytes are applied or rejected, and never throw', () => {
  const small: AgentMessage = {
    ...MESSAGE,
    update: {
      ...MESSAGE.update!,
      endpoints: [{ number: 3, addresses: ['10.0.0.3', 'fd00::3'], gone: false }],
      flows: { sources: [3, 3], destinations: [0, 1], states: [9, 2000] },
    },
  };
  const VALID = [
    encodeAgentMessage(small),
    encodeAgentMessage(MESSAGE),
    encodeStateReply(REPLY),
    encodeStateRequest(MESSAGE),
  ];
  const sometimes = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
    fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });
  const mutated = fc
    .record({
      base: fc.constantFrom(...VALID),
      edits: fc.array(fc.tuple(fc.integer({ min: 0, max: 199 }), fc.nat(255)), { maxLength: 4 }),
      cut: sometimes(fc.nat()),
      insert: sometimes(fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 12 }))),
    })
    .map(({ base, edits, cut, insert }) => {
      let bytes = Uint8Array.from(base);
      for (const [at, value] of edits) bytes[at % bytes.length] = value;
      if (cut !== null) bytes = bytes.slice(0, cut % bytes.length);
      if (insert === null) return bytes;
      const at = insert[0] % (bytes.length + 1);
      return Uint8Array.from([...bytes.slice(0, at), ...insert[1], ...bytes.slice(at)]);
    });
  const hostile = fc.oneof(
    { weight: 3, arbitrary: mutated },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }) },
  );

  test('decoders', () => {
    const seen = { applied: 0, rejected: 0 };
    fc.assert(
      fc.property(hostile, (bytes) => {
        for (const message of [
          decodeAgentMessage(bytes),
          decodeStateReply(bytes),
          decodeStateRequest(bytes),
        ]) {
          if (isRejection(message)) expect(message.rejected).toMatch(/^[A-Z_]+$/);
        }
        const message = decodeAgentMessage(bytes);
        const view = new MeshView({
          topology: isRejection(message) ? MESSAGE.topology : message.topology,
          endpointNames: ['a', 'b', 'c', 'd'],
          host: 'me',
          peer: 'my-peer',
          incarnation: 1,
          silentAfterMs: 3000,
        });
        const result = isRejection(message) ? message : view.apply(message, 'peer', 0);
        seen[isRejection(result) ? 'rejected' : 'applied']++;
        expect(view.hosts().length).toBeLessThanOrEqual(2);
      }),
      { seed: 6, numRuns: 5000 },
    );
    expect(Math.min(seen.applied, seen.rejected)).toBeGreaterThan(50);
  });

  test('unknown fields and groups nested too deeply', () => {
    const nested = new Uint8Array(2000).fill(0x5b);
    expect(decodeAgentMessage(nested)).toMatchObject({ rejected: 'MESSAGE_MALFORMED' });
    const extra = Uint8Array.from([...encodeAgentMessage(MESSAGE), 0xf8, 0x7f, 0x01]);
    expect(decodeAgentMessage(extra)).toEqual(MESSAGE);
  });

  test('text that is not UTF-8', () => {
    const bytes = netfold.mesh.AgentMessage.encode({ host: 'ab' }).finish();
    bytes[bytes.length - 1] = 0xff;
    expect(isRejection(decodeAgentMessage(bytes))).toBe(true);
  });
});
