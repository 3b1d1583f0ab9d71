import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MeshView } from '../../../../agent/mesh/members/mesh-view.ts';
import { Admission } from '../../../../agent/mesh/trust/admission.ts';
import {
  type ClockReply,
  decodeClockReply,
  decodeClockRequest,
  encodeClockReply,
  encodeClockRequest,
} from '../../../../agent/mesh/wire/clock-codec.ts';
import {
  type AgentMessage,
  decodeAgentMessage,
  decodeStateReply,
  decodeStateRequest,
  encodeAgentMessage,
  encodeStateReply,
  encodeStateRequest,
  type StateReply,
} from '../../../../agent/mesh/wire/codec.ts';
import { EMPTY_DIGEST } from '../../../../agent/mesh/wire/digest.ts';
import * as limits from '../../../../agent/mesh/wire/limits.ts';
import { MAX_RATE_CODE } from '../../../../agent/mesh/wire/rate-code.ts';
import { isRejection } from '../../../../agent/mesh/wire/rejections.ts';
import { type Command, MAX_ALL_COMMANDS, MAX_COMMANDS } from '../../../../proto/command.ts';
import { netfold } from '../../../../proto/generated/mesh.js';

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
  commands: [
    {
      origin: 'host-3',
      incarnation: 1_795_293_000_000,
      number: 4,
      issuedAt: 2_500_000.5,
      at: 7_500_000,
      until: 9_000_000,
      text: 'set zürich--s2 latency=50ms',
    },
    { origin: 'host-7', incarnation: 12, number: 1, issuedAt: 0, at: 0, text: 'reset' },
  ],
  commandDigest: { entries: 2, low: 0x80000002, high: 0xfffffffe },
  timed: true,
};
const SUSPICION = { host: 'host-3', incarnation: 9, sequence: 4 };
const REPLY: StateReply = {
  state: MESSAGE,
  known: [
    {
      ...{ peer: '12D3KooW', addresses: ['/ip4/192.0.2.8/tcp/1', '/ip6/::1/tcp/2'] },
      ...{ incarnation: 18, tableSequence: 5, digestLow: 0x80000003 },
    },
  ],
  yourIncarnation: 17,
  commands: MESSAGE.commands,
};
const TIME: ClockReply = { incarnation: 17, timed: true, received: 1_000_000.25, sent: 1_000_017 };

describe('what is encoded is decoded', () => {
  test('messages, with every field', () => {
    expect(decodeAgentMessage(encodeAgentMessage(MESSAGE))).toEqual(MESSAGE);
  });
  test('heartbeats and leaves', () => {
    const { update: _, ...heartbeat } = MESSAGE;
    expect(decodeAgentMessage(encodeAgentMessage(heartbeat))).toEqual(heartbeat);
    const leave = { ...heartbeat, leaving: true };
    expect(decodeAgentMessage(encodeAgentMessage(leave))).toEqual(leave);
    const asking = { ...heartbeat, passOn: true };
    expect(decodeAgentMessage(encodeAgentMessage(asking))).toEqual(asking);
  });
  test('messages for hosts that are not neighbours', () => {
    const { update: _, ...heartbeat } = MESSAGE;
    const doubting: AgentMessage = {
      ...{ ...heartbeat, spread: true, rollCall: true },
      suspected: [
        { host: 'host-3', incarnation: 1_795_293_506_000, sequence: 3_000_000_000 },
        { host: 'host-4', incarnation: 5, sequence: 0 },
      ],
      viewDigest: { entries: 512, low: 0x80000004, high: 0xfffffffd },
    };
    expect(decodeAgentMessage(encodeAgentMessage(doubting))).toEqual(doubting);
  });
  test('questions and answers', () => {
    const { topology, host, incarnation, commandDigest } = MESSAGE;
    const asking = { topology, host, incarnation, commandDigest };
    expect(decodeStateRequest(encodeStateRequest(asking))).toEqual(asking);
    const brief = { ...asking, withoutKnown: true };
    expect(decodeStateRequest(encodeStateRequest(brief))).toEqual(brief);
    expect(decodeStateReply(encodeStateReply(REPLY))).toEqual(REPLY);
  });
  test('questions for the time, and what the time is', () => {
    const { topology } = MESSAGE;
    expect(decodeClockRequest(encodeClockRequest({ topology }))).toEqual({ topology });
    expect(decodeClockReply(encodeClockReply(TIME))).toEqual(TIME);
    const untimed = { incarnation: 9, timed: false, received: -5.5, sent: 0 };
    expect(decodeClockReply(encodeClockReply(untimed))).toEqual(untimed);
  });
});

test('a flow costs a few bytes, and a heartbeat little more than the names in it', () => {
  const { update, ...message } = MESSAGE;
  const heartbeat = { ...message, commands: [], commandDigest: EMPTY_DIGEST };
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
    ['a suspicion of nobody', { suspected: [{ ...SUSPICION, host: '' }] }, 'MESSAGE_FIELD', 'suspected'],
    ['one of incarnation 0', { suspected: [{ ...SUSPICION, incarnation: 0 }] }, 'MESSAGE_FIELD', 'suspected'],
    ['65 of them', { suspected: new Array(65).fill(SUSPICION) }, 'MESSAGE_FIELD', '65 suspicions'],
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

  const { commands } = MESSAGE;
  const command = commands[0]!;
  test.each<[string, Partial<Command>, string]>([
    ['no origin', { origin: '' }, 'origin ""'],
    ['an origin with a space', { origin: 'a b' }, 'origin "a b"'],
    ['an incarnation that is not whole', { incarnation: 1.5 }, 'incarnation 1.5'],
    ['number 0', { number: 0 }, 'number 0'],
    ['an issue before the start', { issuedAt: -1 }, 'issued_at -1'],
    ['an issue that is not a number', { issuedAt: Number.NaN }, 'issued_at NaN'],
    ['a time before it was issued', { at: 2_500_000 }, 'at 2500000'],
    ['a time without end', { at: Number.POSITIVE_INFINITY }, 'at Infinity'],
    ['a time after more than a year', { at: 367 * 86_400e6, until: 368 * 86_400e6 }, 'at 317088'],
    ['an end at its time', { until: 7_500_000 }, 'until 7500000'],
    ['an end before the start', { until: -1 }, 'until -1'],
    ['an end that is not a number', { until: Number.POSITIVE_INFINITY }, 'until Infinity'],
    ['no text', { text: '' }, 'text ""'],
    ['two lines', { text: 'reset\nreset' }, 'text "reset'],
    ['a long text', { text: 'r'.repeat(1025) }, 'text "rrr'],
    ['a text of many bytes', { text: 'ü'.repeat(513) }, 'text "üüü'],
  ])('a command with %s', (_, part, value) => {
    const wrong = [commands[1]!, { ...command, ...part }];
    const rejection = { rejected: 'COMMAND_FIELD', reason: expect.stringContaining(value) };
    expect(decodeAgentMessage(encodeAgentMessage({ ...MESSAGE, commands: wrong }))).toMatchObject(rejection);
    expect(decodeStateReply(encodeStateReply({ ...REPLY, commands: wrong }))).toMatchObject(rejection);
  });

  test('the longest command, and too many', () => {
    const long = { ...command, origin: 'o'.repeat(64), text: 'r'.repeat(1024) };
    const all = Array.from({ length: MAX_COMMANDS }, (_, at) => ({ ...long, number: at + 1 }));
    const bytes = encodeStateReply({ ...REPLY, commands: all });
    expect(bytes.length).toBeLessThan(limits.MAX_STATE_BYTES - 4 * 1024 * 1024);
    expect(decodeStateReply(bytes)).toMatchObject({ commands: all });
    const more = encodeStateReply({ ...REPLY, commands: Array(MAX_ALL_COMMANDS + 1).fill(commands[1]) });
    expect(decodeStateReply(more)).toMatchObject({ rejected: 'TOO_MANY_COMMANDS' });
  });

  test.each<[string, Partial<ClockReply>, string]>([
    ['no incarnation', { incarnation: 0 }, 'incarnation 0'],
    ['a time that is not a number', { received: Number.NaN }, 'received NaN'],
    ['a time of another age', { received: -1e15, sent: -1e15 }, 'received -1000000000000000'],
    ['an answer before the question', { sent: 1_000_000 }, 'sent 1000000'],
    ['an answer that never went', { sent: Number.POSITIVE_INFINITY }, 'sent Infinity'],
  ])('a clock with %s', (_, part, value) => {
    const reason = expect.stringContaining(value);
    expect(decodeClockReply(encodeClockReply({ ...TIME, ...part }))).toMatchObject({ reason });
  });

  test('questions that are too long, or of no topology', () => {
    const tooLarge = { rejected: 'MESSAGE_TOO_LARGE' };
    expect(decodeStateRequest(new Uint8Array(limits.MAX_QUESTION_BYTES + 1))).toMatchObject(tooLarge);
    expect(decodeClockRequest(new Uint8Array(limits.MAX_CLOCK_BYTES + 1))).toMatchObject(tooLarge);
    expect(decodeClockReply(new Uint8Array(limits.MAX_CLOCK_BYTES + 1))).toMatchObject(tooLarge);
    expect(decodeClockRequest(encodeClockRequest({ topology: 'ab' }))).toMatchObject({
      rejected: 'MESSAGE_FIELD',
    });
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
    encodeClockRequest(MESSAGE),
    encodeClockReply(TIME),
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
          decodeClockRequest(bytes),
          decodeClockReply(bytes),
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
          admission: new Admission(),
        });
        const result = isRejection(message) ? message : view.apply(message, 'peer', 0);
        seen[isRejection(result) ? 'rejected' : 'applied']++;
        expect(view.hosts().length).toBeLessThanOrEqual(2);
        const digest = view.commands.digest;
        view.commands.take(view.commands.all());
        expect(view.commands.digest).toEqual(digest);
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
