/** Replacements of the mesh's key: what their commands say, to whom, and which keys count when. */
import { expect, test } from 'vitest';
import { KeyRing } from '../../../../agent/mesh/trust/key-ring.ts';
import { generateMeshKey } from '../../../../agent/mesh/trust/mesh-key.ts';
import { newSigningKey, type SigningKey } from '../../../../agent/mesh/trust/peer-id.ts';
import { keyId, openBefore, openKey, sealKey } from '../../../../agent/mesh/trust/sealed-key.ts';
import {
  type Command,
  MAX_COMMAND_BYTES,
  parseRekey,
  rekeyTexts,
  shownText,
} from '../../../../proto/command.ts';

const MINUTE = 60_000_000;
const [A, B, C] = [newSigningKey(), newSigningKey(), newSigningKey()];
const FIRST = generateMeshKey();
const SECOND = generateMeshKey();
const THIRD = generateMeshKey();

let number = 0;
function commandsOf(
  key: string,
  before: string,
  {
    hosts = [A, B],
    at = MINUTE,
    overlap = 10 * MINUTE,
  }: { hosts?: SigningKey[]; at?: number; overlap?: number } = {},
): Command[] {
  const sealed = sealKey(
    key,
    before,
    hosts.map(({ peer }) => peer),
  );
  return rekeyTexts({ ...sealed, overlap }, sealed.hosts).map((text) => ({
    ...{ origin: 'alpha', incarnation: 1, number: ++number, issuedAt: at, at, text, author: 'user' },
  }));
}

function ringOf(
  self: SigningKey,
  first: string,
  commands: readonly Command[],
  now: number | undefined,
): KeyRing {
  const ring = new KeyRing(first, self, () => now);
  ring.take(commands);
  return ring;
}

const open = (ring: KeyRing) => ring.open.map(({ key, admits }) => [key, admits(A.peer), admits(C.peer)]);

test('a sealed key is opened by those for whom it is, and by nobody else', () => {
  for (let round = 0; round < 20; round++) {
    const [one, other, stranger] = [newSigningKey(), newSigningKey(), newSigningKey()];
    const sealed = sealKey(SECOND, FIRST, [one.peer, other.peer]);
    expect(openKey(sealed, one)).toBe(SECOND);
    expect(openKey(sealed, other)).toBe(SECOND);
    expect(openKey(sealed, stranger)).toBeUndefined();
    const [first, second] = sealed.hosts;
    const exchanged = { ...sealed, hosts: [{ ...first!, box: second!.box }] };
    expect(openKey(exchanged, one)).toBeUndefined();
    expect(openKey({ ...sealed, id: keyId(FIRST) }, one)).toBeUndefined();
    expect(openBefore(sealed, SECOND)).toBe(FIRST);
    expect(openBefore(sealed, FIRST)).toBeUndefined();
  }
});

test('its commands are short enough for any number of hosts, and do not contain it', () => {
  const hosts = Array.from({ length: 64 }, newSigningKey);
  const commands = commandsOf(SECOND, FIRST, { hosts, overlap: 30 * 24 * 60 * MINUTE });
  expect(commands).toHaveLength(7);
  for (const [index, { text }] of commands.entries()) {
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_COMMAND_BYTES);
    expect(parseRekey(text)).toMatchObject({ part: index + 1, parts: 7 });
    expect(shownText(text)).toBe(`rekey (part ${index + 1} of 7), the key before counts for 2592000s`);
  }
  const ring = ringOf(hosts[63]!, FIRST, commands, 2 * MINUTE);
  expect(ring.current).toBe(SECOND);
  expect(ringOf(hosts[63]!, FIRST, commands.slice(0, 6), 2 * MINUTE).current).toBe(FIRST);
  expect(ringOf(hosts[63]!, FIRST, commands.toReversed(), 2 * MINUTE).current).toBe(SECOND);
});

test.each(['rekey', 'rekey 2/1 10us', 'heal', 'rekey 1/1 0us a b c'])('%s is no replacement', (text) => {
  expect(parseRekey(text)).toBeUndefined();
  expect(shownText(text)).toBe(text);
});

test('by the old key only the hosts of the new one come in, and only for the overlap', () => {
  const commands = commandsOf(SECOND, FIRST);
  const early = ringOf(A, FIRST, commands, 0);
  // The file has it at once: nothing comes when its instant has come.
  expect(open(early)).toEqual([
    [FIRST, true, true],
    [SECOND, true, true],
  ]);
  expect([early.current, early.newest]).toEqual([FIRST, SECOND]);
  const during = [
    [SECOND, true, true],
    [FIRST, true, false],
  ];
  expect(open(ringOf(A, FIRST, commands, MINUTE))).toEqual(during);
  expect(open(ringOf(A, FIRST, commands, 11 * MINUTE - 1))).toEqual(during);
  // One that has started again does not know the time at first.
  expect(open(ringOf(A, FIRST, commands, undefined))).toEqual(during);
  const after = ringOf(A, FIRST, commands, 11 * MINUTE);
  expect(open(after)).toEqual([[SECOND, true, true]]);
  expect(after.known).toEqual([SECOND, FIRST]);
});

test('who starts with the new key learns the old one, to let others in that come back', () => {
  const commands = commandsOf(SECOND, FIRST, { hosts: [A] });
  expect(open(ringOf(C, SECOND, commands, 2 * MINUTE))).toEqual([
    [SECOND, true, true],
    [FIRST, true, false],
  ]);
});

test('who is left out knows it, and keeps what it has', () => {
  const ring = ringOf(C, FIRST, commandsOf(SECOND, FIRST), 2 * MINUTE);
  expect(ring.isLeftOut).toBe(true);
  expect(ring.current).toBe(FIRST);
  expect(ringOf(A, FIRST, commandsOf(SECOND, FIRST), 2 * MINUTE).isLeftOut).toBe(false);
});

test('a second replacement ends the overlap of the first where it is shorter', () => {
  const commands = [
    ...commandsOf(SECOND, FIRST, { overlap: 60 * MINUTE }),
    ...commandsOf(THIRD, SECOND, { at: 5 * MINUTE, overlap: MINUTE, hosts: [A, B] }),
  ];
  expect(open(ringOf(A, FIRST, commands, 5 * MINUTE))).toEqual([
    [THIRD, true, true],
    [SECOND, true, false],
    [FIRST, true, false],
  ]);
  expect(open(ringOf(B, FIRST, commands, 6 * MINUTE))).toEqual([[THIRD, true, true]]);
  expect(ringOf(B, THIRD, commands, 6 * MINUTE).known).toEqual([THIRD, SECOND, FIRST]);
});

test('of two replacements of one key, given on two sides of a break, all end with the later one', () => {
  const one = commandsOf(SECOND, FIRST);
  const other = commandsOf(THIRD, FIRST, { at: 2 * MINUTE });
  for (const commands of [
    [...one, ...other],
    [...other, ...one],
  ]) {
    const ring = ringOf(A, FIRST, commands, 3 * MINUTE);
    expect(ring.current).toBe(THIRD);
    expect(new Set(ring.open.map(({ key }) => key))).toEqual(new Set([THIRD, SECOND, FIRST]));
    expect(ringOf(A, FIRST, commands, 11 * MINUTE).open.map(({ key }) => key)).toEqual([THIRD, SECOND]);
  }
});

test('hosts that were away for longer than the overlap are named, and no others', () => {
  let now = 2 * MINUTE;
  const ring = new KeyRing(FIRST, A, () => now);
  ring.take(commandsOf(SECOND, FIRST));
  const away = [{ peer: B.peer }, { peer: C.peer }];
  ring.noteTold([C.peer]);
  expect(ring.shutOut(away)).toEqual([]);
  now = 12 * MINUTE;
  expect(ring.shutOut(away)).toEqual([{ peer: B.peer }]);
});
