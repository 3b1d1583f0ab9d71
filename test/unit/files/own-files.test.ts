import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
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
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  appendTo,
  makeFolder,
  makeNewFolder,
  openToAppend,
  openToChange,
  openToRead,
  replaceFile,
  requireOwnFolder,
} from '../../../agent/files/own-files.ts';

let folder: string;
const at = (name: string): string => join(folder, name);
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const SELF = join(import.meta.dirname, '../../../agent/files/own-files.ts');

/** Of what each way to write has made in a process with this umask. */
function modesUnder(umask: string): Record<string, string> {
  const place = mkdtempSync(join(folder, 'umask-'));
  const script = `
    import { appendTo, makeFolder, makeNewFolder, replaceFile } from '${SELF}';
    process.umask(0o${umask});
    const at = (name) => '${place}/' + name;
    makeFolder(at('above/open'), 0o755);
    makeNewFolder(at('private'), 0o700);
    appendTo(at('log'), 'x', 0o600);
    appendTo(at('shown'), 'x', 0o644);
    replaceFile(at('state'), 'x', { mode: 0o644 });
    replaceFile(at('secret'), 'x', { mode: 0o600 });`;
  execFileSync(process.execPath, ['--input-type=module', '-e', script]);
  const names = ['above', 'above/open', 'private', 'log', 'shown', 'state', 'secret'];
  return Object.fromEntries(names.map((name) => [name, modeOf(join(place, name))]));
}

describe('modes', () => {
  it.each(['000', '022', '077', '177'])('are what was asked for under the umask %s', (umask) => {
    expect(modesUnder(umask)).toEqual({
      above: '755',
      'above/open': '755',
      private: '700',
      log: '600',
      shown: '644',
      state: '644',
      secret: '600',
    });
  });

  it('of what was there stay, of a file that is replaced they are the new ones', () => {
    writeFileSync(at('log'), 'a');
    chmodSync(at('log'), 0o640);
    appendTo(at('log'), 'b', 0o600);
    expect([readFileSync(at('log'), 'utf8'), modeOf(at('log'))]).toEqual(['ab', '640']);
    replaceFile(at('log'), 'c', { mode: 0o600 });
    expect([readFileSync(at('log'), 'utf8'), modeOf(at('log'))]).toEqual(['c', '600']);
    expect(makeFolder(folder, 0o755)).toBe(false);
    expect(modeOf(folder)).toBe('700');
  });
});

describe('links that somebody has prepared', () => {
  beforeEach(() => {
    mkdirSync(at('elsewhere'));
    writeFileSync(at('elsewhere/file'), 'theirs');
    symlinkSync(at('elsewhere'), at('folder'));
    symlinkSync(at('elsewhere/file'), at('file'));
    symlinkSync(at('elsewhere/missing'), at('dangling'));
  });
  const untouched = (): void => {
    expect(readdirSync(at('elsewhere'))).toEqual(['file']);
    expect(readFileSync(at('elsewhere/file'), 'utf8')).toBe('theirs');
  };

  it('are no folders', () => {
    const refused = expect.objectContaining({ code: 'FOLDER_FOREIGN', blame: 'machine' });
    expect(() => makeFolder(at('folder'), 0o755)).toThrow(refused);
    expect(() => makeFolder(at('folder/below'), 0o755)).not.toThrow();
    rmSync(at('elsewhere/below'), { recursive: true });
    expect(() => makeFolder(at('dangling'), 0o755)).toThrow(refused);
    expect(() => makeNewFolder(at('folder'), 0o755)).toThrow(expect.objectContaining({ code: 'EEXIST' }));
    expect(() => requireOwnFolder(at('folder'))).toThrow(/is a symbolic link/);
    untouched();
  });

  it.each([
    ['append', (path: string) => openToAppend(path, 0o600)],
    ['change', openToChange],
    ['read', openToRead],
  ])('are no files to %s', (_, open) => {
    const refused = expect.objectContaining({ code: 'FILE_FOREIGN', blame: 'machine' });
    for (const name of ['file', 'dangling']) expect(() => open(at(name))).toThrow(refused);
    untouched();
  });

  it('are replaced, also where the draft is one', () => {
    symlinkSync(at('elsewhere/file'), at('file.new'));
    replaceFile(at('file'), 'ours', { mode: 0o600 });
    expect(readFileSync(at('file'), 'utf8')).toBe('ours');
    expect(existsSync(at('file.new'))).toBe(false);
    untouched();
  });
});

it('refuses a folder to which others may write', () => {
  mkdirSync(at('shared'));
  chmodSync(at('shared'), 0o1777);
  expect(() => makeFolder(at('shared'), 0o755)).toThrow(/can be changed by other users \(mode 1777\)/);
  writeFileSync(at('file'), '');
  expect(() => makeFolder(at('file'), 0o755)).toThrow(/is no folder/);
  expect(() => requireOwnFolder(at('nothing'))).not.toThrow();
});

it('does not wait for a pipe that somebody has put in the place of a log', () => {
  execFileSync('mkfifo', [at('log')]);
  expect(() => openToAppend(at('log'), 0o600)).toThrow(/is no regular file/);
  closeSync(openToAppend(at('other'), 0o600));
});

it('leaves what was there, and no draft, where there is no room', () => {
  replaceFile(at('state'), 'before', { mode: 0o600 });
  const script = `
    import { replaceFile } from '${SELF}';
    try { replaceFile('${at('state')}', 'x'.repeat(1 << 20), { mode: 0o600 }); } catch (error) { console.log(error.code, error.path); }`;
  // A limit to the size of files fails as a full disk does, and needs no root. SIGXFSZ would end the process.
  const limited = `trap '' XFSZ; ulimit -f 8; exec "$0" --input-type=module -e "$1"`;
  const said = execFileSync('sh', ['-c', limited, process.execPath, script], { encoding: 'utf8' });
  expect(said).toBe(`EFBIG ${at('state')}.new\n`);
  expect(readFileSync(at('state'), 'utf8')).toBe('before');
  expect(readdirSync(folder)).toEqual(['state']);
});
