/** Key, identity and allow-list on disk: which users may read them, what is damaged, what is never replaced. */
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FileError } from '../../../../agent/files/own-files.ts';
import { MeshError } from '../../../../agent/mesh/errors.ts';
import { parseAllowList, readAllowList } from '../../../../agent/mesh/trust/admission.ts';
import { openIdentity, peerIdOf } from '../../../../agent/mesh/trust/identity.ts';
import {
  generateMeshKey,
  makeMeshKey,
  parseMeshKey,
  readMeshKey,
} from '../../../../agent/mesh/trust/mesh-key.ts';
import { openSecurity, withLocalSecurity } from '../../../../agent/mesh/trust/security.ts';
import { exitCodeOf } from '../../../../proto/errors.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-security-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);
const modeOf = (path: string): number => statSync(path).mode & 0o777;
const HEX = '0123456789abcdef'.repeat(4);
const swarmKey = (digits: string): string => `/key/swarm/psk/1.0.0/\n/base16/\n${digits}`;

function thrown(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe("the mesh's key", () => {
  test('is new each time, in a file of its own that no other user can read', () => {
    const key = makeMeshKey(at('mesh.key'));
    expect(modeOf(at('mesh.key'))).toBe(0o600);
    expect(readMeshKey(at('mesh.key'))).toBe(key);
    expect(key).toMatch(/^\/key\/swarm\/psk\/1\.0\.0\/\n\/base16\/\n[0-9a-f]{64}\n$/);
    expect(generateMeshKey()).not.toBe(key);
    expect(readdirSync(folder)).toEqual(['mesh.key']);
  });

  test('is never replaced', () => {
    const key = makeMeshKey(at('mesh.key'));
    expect(thrown(() => makeMeshKey(at('mesh.key')))).toMatchObject({ code: 'MESH_FILE_EXISTS' });
    expect(readMeshKey(at('mesh.key'))).toBe(key);
    expect(readdirSync(folder)).toEqual(['mesh.key']);
  });

  test('may have been written elsewhere: line ends and letters of either kind', () => {
    expect(parseMeshKey(swarmKey(HEX.toUpperCase()).replaceAll('\n', '\r\n'), 'x')).toBe(
      `${swarmKey(HEX)}\n`,
    );
  });

  test.each([
    ['nothing', '', 'first line'],
    ['another protocol', swarmKey(HEX).replace('1.0.0', '2.0.0'), 'first line'],
    ['another coding', swarmKey(HEX).replace('base16', 'base64'), 'second line'],
    ['a digit too few', swarmKey(HEX.slice(1)), 'third line'],
    ['a digit too many', swarmKey(`${HEX}0`), 'third line'],
    ['a letter that is no digit', swarmKey(HEX.replace('f', 'g')), 'third line'],
    ['no chance at all', swarmKey('0'.repeat(64)), 'all 0'],
  ])('%s is refused, with a remedy, and without showing it', (_, text, what) => {
    writeFileSync(at('mesh.key'), text, { mode: 0o600 });
    const error = thrown(() => readMeshKey(at('mesh.key'))) as MeshError;
    expect(error).toMatchObject({
      code: 'MESH_KEY_FORMAT',
      message: expect.stringContaining(what),
      remedy: expect.stringContaining('netfold mesh key'),
    });
    expect(error.message).toContain(at('mesh.key'));
    expect(error.message).not.toContain('89abcdef');
    expect(exitCodeOf(error)).toBe(1);
  });

  test.each([0o640, 0o604, 0o660])('a file with mode %o is refused', (mode) => {
    makeMeshKey(at('mesh.key'));
    chmodSync(at('mesh.key'), mode);
    expect(thrown(() => readMeshKey(at('mesh.key')))).toMatchObject({
      code: 'FILE_EXPOSED',
      message: expect.stringContaining(`mode 0${mode.toString(8)}`),
      remedy: expect.stringContaining('chmod 600'),
    });
  });

  test.skipIf(process.getuid?.() !== 0)("somebody else's file is refused", () => {
    makeMeshKey(at('mesh.key'));
    chownSync(at('mesh.key'), 65534, 65534);
    expect(thrown(() => readMeshKey(at('mesh.key')))).toMatchObject({
      code: 'FILE_EXPOSED',
      message: expect.stringContaining('owner 65534'),
    });
  });

  test('a file that is not there, or far too long, is a coded error', () => {
    expect(thrown(() => readMeshKey(at('none')))).toMatchObject({ code: 'FILE_UNREADABLE' });
    writeFileSync(at('long'), Buffer.alloc(2 << 20, 'a'), { mode: 0o600 });
    expect(thrown(() => readMeshKey(at('long')))).toMatchObject({ code: 'FILE_UNREADABLE' });
    expect(thrown(() => readMeshKey(folder))).toBeInstanceOf(FileError);
  });
});

describe('an identity', () => {
  test('is made once, and is the same ever after', async () => {
    const first = await openIdentity(at('identity'));
    const text = readFileSync(at('identity/agent.key'), 'utf8');
    const second = await openIdentity(at('identity'));
    expect(peerIdOf(second)).toBe(peerIdOf(first));
    expect(peerIdOf(first)).toMatch(/^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/);
    expect(modeOf(at('identity'))).toBe(0o700);
    expect(modeOf(at('identity/agent.key'))).toBe(0o600);
    expect(readFileSync(at('identity/agent.key'), 'utf8')).toBe(text);
    expect(readdirSync(at('identity'))).toEqual(['agent.key']);
    expect(peerIdOf(await openIdentity(at('other')))).not.toBe(peerIdOf(first));
  });

  test('that several make at once is one', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => openIdentity(at('identity'))));
    expect(new Set(all.map(peerIdOf)).size).toBe(1);
  });

  test('that is damaged is refused, and stays as it is', async () => {
    await openIdentity(at('identity'));
    const path = at('identity/agent.key');
    const good = Buffer.from(readFileSync(path, 'utf8'), 'base64');
    const flipped = Array.from(good, (_, at) => good.map((byte, other) => (other === at ? byte ^ 4 : byte)));
    const bad = [
      '',
      'no key\n',
      good.subarray(0, 40).toString('base64'),
      ...flipped.map((bytes) => Buffer.from(bytes).toString('base64')),
    ];
    for (const text of bad) {
      writeFileSync(path, text);
      await expect(openIdentity(at('identity')), text).rejects.toMatchObject({
        code: 'MESH_IDENTITY_DAMAGED',
        message: expect.stringContaining(path),
        remedy: expect.stringContaining('allow-list'),
      });
      expect(readFileSync(path, 'utf8')).toBe(text);
    }
  });

  test('is not made where a link in the place of its folder leads', async () => {
    mkdirSync(at('elsewhere'), { mode: 0o700 });
    symlinkSync(at('elsewhere'), at('linked'));
    await expect(openIdentity(at('linked'))).rejects.toMatchObject({ code: 'FILE_EXPOSED' });
    expect(readdirSync(at('elsewhere'))).toEqual([]);
  });

  test('that others can read, or whose folder they can look into, is refused', async () => {
    await openIdentity(at('identity'));
    chmodSync(at('identity/agent.key'), 0o644);
    await expect(openIdentity(at('identity'))).rejects.toMatchObject({ code: 'FILE_EXPOSED' });
    chmodSync(at('identity/agent.key'), 0o600);
    chmodSync(at('identity'), 0o755);
    await expect(openIdentity(at('identity'))).rejects.toMatchObject({
      code: 'FILE_EXPOSED',
      remedy: expect.stringContaining('chmod 700'),
    });
    mkdirSync(at('open'));
    await expect(openIdentity(at('open'))).rejects.toMatchObject({ code: 'FILE_EXPOSED' });
    expect(readdirSync(at('open'))).toEqual([]);
    writeFileSync(at('file'), '');
    await expect(openIdentity(at('file'))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });

  test('makes the folders above it, and ends where the kernel makes none', async () => {
    await openIdentity(at('a/b/identity'));
    expect(statSync(at('a/b')).mode & 0o777).toBe(0o700);
    await expect(openIdentity('/proc/identity')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });
});

describe('an allow-list', () => {
  test('has a peer a line, perhaps with its host, and comments', () => {
    writeFileSync(at('allow'), '# who may join\n12D3a alpha\r\n\n  12D3b   # any host\n');
    expect(readAllowList(at('allow'))).toEqual([{ peer: '12D3a', host: 'alpha' }, { peer: '12D3b' }]);
    expect(parseAllowList('12D3a alpha a.0 b', 'allow')).toEqual([
      { peer: '12D3a', host: 'alpha', endpoints: ['a.0', 'b'] },
    ]);
  });

  test.each([
    ['12D3a\n0OIl', 'allow:2: "0OIl"'],
    [`${'1'.repeat(129)}`, 'allow:1: "111'],
    [`12D3a ${'h'.repeat(65)}`, 'allow:1: "hhh'],
  ])('%j is refused', (text, what) => {
    expect(thrown(() => parseAllowList(text, 'allow'))).toMatchObject({
      code: 'MESH_ALLOW_LIST',
      message: expect.stringContaining(what),
    });
  });

  test('with a peer twice, or that others can change, is refused; that they can read it is not', () => {
    writeFileSync(at('allow'), '12D3a x\n12D3a y\n');
    expect(thrown(() => readAllowList(at('allow')))).toMatchObject({ code: 'MESH_ALLOW_LIST' });
    writeFileSync(at('allow'), '12D3a x\n');
    chmodSync(at('allow'), 0o646);
    expect(thrown(() => readAllowList(at('allow')))).toMatchObject({ code: 'FILE_EXPOSED' });
    chmodSync(at('allow'), 0o644);
    expect(readAllowList(at('allow'))).toHaveLength(1);
  });
});

describe('what an agent makes of it', () => {
  const local = { controller: 'unix:/x' };

  test('files replace settings of the bootstrap; settings without a file stay', () => {
    const key = makeMeshKey(at('mesh.key'));
    writeFileSync(at('allow'), '12D3a alpha\n', { mode: 0o600 });
    const told = {
      key: `${swarmKey(HEX)}\n`,
      identity: '/a',
      allow: [{ peer: '12D3z' }],
      assignment: { a: 'b' },
    };
    expect(withLocalSecurity(told, local)).toEqual(told);
    const files = { ...local, meshKey: at('mesh.key'), identity: '/b', allow: at('allow') };
    expect(withLocalSecurity(told, files)).toEqual({
      key,
      keyFile: at('mesh.key'),
      identity: '/b',
      allow: [{ peer: '12D3a', host: 'alpha' }],
      assignment: { a: 'b' },
    });
  });

  test('a key that came over a network in the clear is refused', () => {
    const controller = 'http://192.0.2.1:4600';
    expect(thrown(() => withLocalSecurity({ key: swarmKey(HEX) }, { controller }))).toMatchObject({
      code: 'MESH_KEY_IN_CLEAR',
      message: expect.stringContaining(controller),
    });
    expect(withLocalSecurity({}, { controller })).toEqual({});
  });

  test('an agent that its own list does not name, or names otherwise, does not start', async () => {
    const identity = at('identity');
    const peer = peerIdOf(await openIdentity(identity));
    const open = (allow: { peer: string; host?: string }[], where: string | undefined = identity) =>
      openSecurity({ allow, identity: where }, 'alpha', []);
    await expect(open([{ peer: '12D3a' }])).rejects.toMatchObject({ code: 'MESH_NOT_ALLOWED' });
    await expect(open([{ peer, host: 'beta' }])).rejects.toMatchObject({ code: 'MESH_NOT_ALLOWED' });
    await expect(open([{ peer: '12D3a', host: 'alpha' }, { peer }])).rejects.toMatchObject({
      code: 'MESH_NOT_ALLOWED',
    });
    await expect(openSecurity({ allow: [{ peer }] }, 'alpha', [])).rejects.toMatchObject({
      code: 'MESH_NOT_ALLOWED',
    });
    const { privateKey, admission, meshKey } = await open([{ peer, host: 'alpha' }]);
    expect(peerIdOf(privateKey!)).toBe(peer);
    expect(admission.admits('12D3a')).toBe(false);
    expect(meshKey).toBeUndefined();
  });
});

test('whatever the files hold: a result or a coded error', () => {
  const line = fc.constantFrom('/key/swarm/psk/1.0.0/', '/base16/', HEX, '12D3a', '#', ' ', '\r', 'alpha');
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 100 }),
    fc.array(fc.oneof(line, fc.string({ maxLength: 8 })), { maxLength: 8 }).map((lines) => lines.join('\n')),
  );
  fc.assert(
    fc.property(text, (one) => {
      for (const parse of [parseMeshKey, parseAllowList]) {
        try {
          parse(one, 'file');
        } catch (error) {
          if (!(error instanceof MeshError)) throw error;
        }
      }
    }),
    { seed: 11, numRuns: 500 },
  );
});
