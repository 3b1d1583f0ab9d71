/** Signatures of commands: what is signed, by whom, and what a member who lies can do about it. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CommandDoor } from '../../../../agent/mesh/members/command-door.ts';
import { CommandSet } from '../../../../agent/mesh/members/command-set.ts';
import { Admission } from '../../../../agent/mesh/trust/admission.ts';
import { CommandGuard } from '../../../../agent/mesh/trust/command-guard.ts';
import { signCommand } from '../../../../agent/mesh/trust/command-signature.ts';
import { openIdentity, peerIdOf, signingKeyOfIdentity } from '../../../../agent/mesh/trust/identity.ts';
import { newSigningKey, publicKeyOf, signingKeyOf } from '../../../../agent/mesh/trust/peer-id.ts';
import { makeUserKey, parseCommanders, readUserKey } from '../../../../agent/mesh/trust/user-key.ts';
import { commandsFromWire, commandsToWire } from '../../../../agent/mesh/wire/command-codec.ts';
import type { Command } from '../../../../proto/command.ts';

const SCOPE = 'topology start';
const user = newSigningKey();
const guest = newSigningKey();
const [one, two, stranger] = [newSigningKey(), newSigningKey(), newSigningKey()];
const HOSTS = new Map([
  [one.peer, 'one'],
  [two.peer, 'two'],
]);

let verified: string[];
const guard = (): CommandGuard =>
  new CommandGuard({
    scope: SCOPE,
    commanders: [
      { peer: user.peer, name: 'root@one', rights: ['network', 'run'] },
      { peer: guest.peer, name: 'guest', rights: ['network'] },
    ],
    hostOf: (peer) => HOSTS.get(peer),
    lacking: ({ text }, author) => {
      verified.push(text);
      return author.kind === 'agent' && text !== 'own' ? 'it is not its own' : undefined;
    },
    key: one,
  });

const plain: Command = {
  ...{ origin: 'one', incarnation: 1_795_293_506_362, number: 7, issuedAt: 5.5, at: 17, until: 20 },
  text: 'set a--b "ü" latency=1ms',
};
const signed = (by = user, change: Partial<Command> = {}, scope = SCOPE): Command =>
  signCommand({ ...plain, ...change }, scope, by);

let folder: string;
beforeEach(() => {
  verified = [];
  folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('keys', () => {
  test("are libp2p's: the same peer id, the same file", async () => {
    const seed = Buffer.alloc(32, 9);
    const theirs = await generateKeyPairFromSeed('Ed25519', seed);
    expect(signingKeyOf(seed).peer).toBe(theirs.publicKey.toString());
    const identity = await openIdentity(folder);
    const own = signingKeyOfIdentity(identity);
    expect(own.peer).toBe(peerIdOf(identity));
    expect(readUserKey(join(folder, 'agent.key')).peer).toBe(own.peer);
  });

  test('are for their owner alone, stay as they are, and what is none is named', () => {
    const file = join(folder, 'user.key');
    const { peer } = makeUserKey(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readUserKey(file).peer).toBe(peer);
    expect(() => makeUserKey(file)).toThrow(expect.objectContaining({ code: 'MESH_FILE_EXISTS' }));
    expect(readFileSync(file, 'utf8')).not.toContain(peer);
  });

  test.each([
    '',
    '1',
    '12D3KooW',
    'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N',
    '1'.repeat(52),
    `${user.peer}1`,
  ])('%o is no peer id of such a key', (text) => expect(publicKeyOf(text)).toBeUndefined());

  test('of users are a list with names and rights; each error names its line', () => {
    const text = `# who may\n${user.peer} root@one network,run\n\n${guest.peer} guest network # only\n`;
    expect(parseCommanders(text, 'f')).toEqual([
      { peer: user.peer, name: 'root@one', rights: ['network', 'run'] },
      { peer: guest.peer, name: 'guest', rights: ['network'] },
    ]);
    for (const [line, message] of [
      ['x y network', 'f:1: "x" is not a key'],
      [`${user.peer}`, 'f:1: "" is not a name'],
      [`${user.peer} me`, 'f:1: "" is not a right; there are network and run'],
      [`${user.peer} me all`, 'f:1: "all" is not a right; there are network and run'],
      [`${user.peer} me run more`, 'f:1: "more" follows the rights'],
      [`${user.peer} me run\n${user.peer} you run`, `f has ${user.peer} twice`],
      [`${user.peer} me run\n${guest.peer} me run`, 'f has me twice'],
    ] as const)
      expect(() => parseCommanders(line, 'f')).toThrow(
        expect.objectContaining({ code: 'MESH_COMMANDERS', message }),
      );
  });
});

describe('a command counts', () => {
  test('if a user whose key is known has signed exactly this, also after the wire and a file', () => {
    expect(guard().refuse(signed())).toBeUndefined();
    expect(guard().nameOf(signed())).toBe('root@one');
    const { until: _, ...endless } = plain;
    for (const command of [signed(), signCommand(endless, SCOPE, user)]) {
      const [sent] = commandsFromWire(commandsToWire([command])) as readonly Command[];
      expect(sent).toEqual(command);
      expect(guard().refuse(JSON.parse(JSON.stringify(sent)))).toBeUndefined();
    }
  });

  test("if it is an agent's own, in the name of its host, within its rights", () => {
    expect(guard().refuse(guard().sign({ ...plain, text: 'own' }))).toBeUndefined();
    expect(guard().nameOf(signed(one))).toBe('agent one');
    expect(guard().refuse(signed(one))).toMatchObject({ rejected: 'COMMAND_RIGHT' });
    expect(guard().refuse(signed(one, { origin: 'two', text: 'own' }))).toMatchObject({
      rejected: 'COMMAND_FOREIGN',
    });
    expect(guard().refuse(signed(two, { text: 'own' }))).toMatchObject({ rejected: 'COMMAND_FOREIGN' });
  });

  test.each<[string, Partial<Command>]>([
    ['origin', { origin: 'two' }],
    ['incarnation', { incarnation: 1 }],
    ['number', { number: 8 }],
    ['acceptance', { issuedAt: 5 }],
    ['instant', { at: 16 }],
    ['end', { until: 21 }],
    ['text', { text: 'run a "rm -r /"' }],
    ['author', { author: guest.peer }],
    ['signature', { signature: Buffer.alloc(64).toString('base64') }],
  ])('but not with another %s than what was signed', (_, change) => {
    expect(guard().refuse({ ...signed(), ...change })).toMatchObject({ rejected: 'COMMAND_SIGNATURE' });
    expect(verified).toEqual([]);
  });

  test('nor without its end', () => {
    const { until: _, ...endless } = signed();
    expect(guard().refuse(endless)).toMatchObject({ rejected: 'COMMAND_SIGNATURE' });
  });

  test('nor in another experiment, or at another start of it', () => {
    expect(guard().refuse(signed(user, {}, 'topology later'))).toMatchObject({
      rejected: 'COMMAND_SIGNATURE',
    });
  });

  test('nor unsigned, nor by a key that is on no list', () => {
    const { signature: _, ...unsigned } = signed();
    for (const command of [plain, unsigned])
      expect(guard().refuse(command)).toMatchObject({ rejected: 'COMMAND_UNSIGNED' });
    expect(guard().refuse(signed(stranger))).toMatchObject({ rejected: 'COMMAND_AUTHOR' });
  });
});

function door(): { set: CommandSet; door: CommandDoor } {
  const set = new CommandSet();
  return { set, door: new CommandDoor(set, { admission: new Admission(), guard: guard(), time: () => 1e6 }) };
}

const patience = { turn: async () => {}, isRunning: () => true };
const some = (count: number, by = user): Command[] =>
  Array.from({ length: count }, (_, at) => signed(by, { number: at + 1, text: 'own' }));

describe('on its way into the set', () => {
  test('a command can be altered by nobody who passes it on, nor replaced by his own', () => {
    const { set, door: way } = door();
    way.take([signed(user, { text: 'own' })]);
    const before = set.digest;
    const lies: Command[] = [
      { ...signed(user, { text: 'own' }), text: 'other' },
      { ...signed(user, { text: 'own' }), issuedAt: 1 },
      // The same place, earlier: by its own author it is another command.
      signed(one, { text: 'own', issuedAt: 1 }),
    ];
    for (const lie of lies.slice(0, 2))
      expect(way.take([lie])).toMatchObject({ rejected: 'COMMAND_SIGNATURE' });
    expect(set.digest).toEqual(before);
    way.take([lies[2]!]);
    expect(set.all().map(({ author }) => author)).toContain(user.peer);
    expect(set.size).toBe(2);
  });

  test('a replay is the same command, and is not verified again', () => {
    const { set, door: way } = door();
    way.take(some(3));
    expect(verified).toHaveLength(3);
    way.take(some(3));
    way.take([{ ...some(1)[0]!, signature: Buffer.alloc(64, 1).toString('base64') }]);
    expect(verified).toHaveLength(3);
    expect(set.size).toBe(3);
  });

  test('after a wrong signature nothing more of a message is looked at', () => {
    const { set, door: way } = door();
    const [first, second, third] = some(3);
    const forged = { ...second!, at: 18 };
    expect(way.take([first!, forged, third!])).toMatchObject({ rejected: 'COMMAND_SIGNATURE' });
    expect(verified).toHaveLength(1);
    expect(set.size).toBe(1);
  });

  test('a refusal for another reason keeps none of the others out', () => {
    const { set, door: way } = door();
    const late = signed(user, { issuedAt: 1e9, at: 2e9, until: 3e9 });
    expect(way.take([late, signed(stranger), ...some(2)])).toMatchObject({ rejected: 'COMMAND_TIME' });
    expect(set.size).toBe(2);
  });

  test('thousands are verified in turns, once although several agents give them, and change the set once', async () => {
    const { set, door: way } = door();
    const heard: number[] = [];
    set.onChange((added) => heard.push(added.length));
    const all = some(1000);
    let turns = 0;
    const counted = { ...patience, turn: async () => void turns++ };
    const answers = [all, all.toReversed(), all].map((commands) => way.takeMany(commands, counted));
    expect(set.size).toBe(0);
    expect(await Promise.all(answers)).toEqual([undefined, undefined, undefined]);
    expect(turns).toBe(Math.ceil(1000 / 32));
    expect(verified).toHaveLength(1000);
    expect(heard).toEqual([1000]);
  });

  test('what an agent that ends has not finished is not taken', async () => {
    const { set, door: way } = door();
    await way.takeMany(some(100), { ...patience, isRunning: () => false });
    expect(set.size).toBe(0);
  });
});

test('whatever is changed in a signed command, it does not count', () => {
  const command = signed();
  const check = guard();
  const field = fc.constantFrom<keyof Command>(
    'origin',
    'number',
    'issuedAt',
    'at',
    'until',
    'text',
    'signature',
  );
  fc.assert(
    fc.property(field, fc.oneof(fc.string(), fc.double(), fc.integer()), (name, value) => {
      fc.pre(!Object.is(command[name], value));
      const changed = {
        ...command,
        [name]: typeof command[name] === 'string' ? String(value) : Number(value),
      };
      fc.pre(changed[name] !== command[name]);
      expect(check.refuse(changed)).toMatchObject({ rejected: 'COMMAND_SIGNATURE' });
    }),
    { seed: 5, numRuns: 300 },
  );
});
