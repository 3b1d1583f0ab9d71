/** Templates: what is kept of a folder, found again, and removed. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parameterValues, readDefinition } from '../../../controller/workbench/templates/definition.ts';
import { TemplateError } from '../../../controller/workbench/templates/errors.ts';
import { differences } from '../../../controller/workbench/templates/manifest.ts';
import { Objects } from '../../../controller/workbench/templates/objects.ts';
import { treeLines } from '../../../controller/workbench/templates/report.ts';
import { short, TemplateStore } from '../../../controller/workbench/templates/store.ts';

const LAB = 'services: { a: {}, b: {} }\nlinks:\n  - { from: a, to: b, latency: 1ms }\n';
const DEFINITION = `template: study
topology: lab.yaml
parameters:
  delay: { default: 10ms, unit: time, from: 1ms, to: 200ms, description: one way }
  clients: { default: 3, unit: count, from: 1 }
  kind: { default: udp, choices: [udp, tcp] }
`;

let root: string;
let folder: string;
let store: TemplateStore;
const open = (): TemplateStore => new TemplateStore(join(root, 'store'));
const write = (path: string, text: string): void => {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
};
const definition = () => readDefinition(readFileSync(join(folder, 'template.yaml'), 'utf8'), 'template.yaml');
const commit = (message = '', parent?: string, from = folder) =>
  store.commit(from, definition(), message, parent);

/** The code of a refusal. */
function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof TemplateError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'none';
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'netfold-templates-'));
  folder = join(root, 'lab');
  mkdirSync(folder);
  write('lab.yaml', LAB);
  write('template.yaml', DEFINITION);
  write('scripts/run.sh', '#!/bin/sh\necho run\n');
  chmodSync(join(folder, 'scripts/run.sh'), 0o755);
  store = open();
  store.init('study');
});
afterEach(() => {
  store.close();
  rmSync(root, { recursive: true, force: true });
});

describe('a version', () => {
  it('has the files, and gives them back as they were', () => {
    symlinkSync('run.sh', join(folder, 'scripts/again.sh'));
    write('.hidden', 'x');
    const { version, files } = commit('first');
    expect(files).toBe(4);
    write('lab.yaml', '');
    const other = join(root, 'other');
    store.checkout(version, other);
    expect(readFileSync(join(other, 'lab.yaml'), 'utf8')).toBe(LAB);
    expect(lstatSync(join(other, 'scripts/run.sh')).mode & 0o111).not.toBe(0);
    expect(lstatSync(join(other, 'lab.yaml')).mode & 0o111).toBe(0);
    expect(readlinkSync(join(other, 'scripts/again.sh'))).toBe('run.sh');
    expect(existsSync(join(other, '.hidden'))).toBe(false);
    expect(refusal(() => store.checkout(version, other))).toMatch(/^TEMPLATE_FILE: .* is not empty/);
  });

  it('is found by its id, the beginning of it, a tag, or as the last one', () => {
    const { version } = commit('first');
    store.tag(version, 'baseline');
    write('data.csv', '1');
    const second = commit('second').version;
    expect(store.find('study').id).toBe(second.id);
    for (const reference of [version.id, short(version.id), version.id.slice(0, 4), 'baseline'])
      expect(store.find('study', reference)).toMatchObject({
        id: version.id,
        tags: ['baseline'],
        message: 'first',
      });
    expect(refusal(() => store.find('study', 'basline'))).toMatch(/^TEMPLATE_UNKNOWN/);
    expect(refusal(() => store.find('stdy'))).toMatch(/^TEMPLATE_UNKNOWN: there is no template stdy/);
  });

  it('is not made if nothing has changed, and reads only what has', () => {
    write('large.bin', 'x'.repeat(100_000));
    // Files that have just been written may be written again within the clock's step.
    for (const file of ['lab.yaml', 'template.yaml', 'scripts/run.sh', 'large.bin'])
      utimesSync(join(folder, file), 1, 1);
    store.close();
    store = new TemplateStore(join(root, 'store'), () => new Date(Date.now() + 1000));
    expect(commit().read).toBe(4);
    expect(refusal(commit)).toMatch(/^TEMPLATE_UNCHANGED/);
    write('lab.yaml', `${LAB}# more\n`);
    expect(commit()).toMatchObject({ files: 4, read: 1 });
    // Another content of the same size and time is seen by the time of the change.
    write('large.bin', 'y'.repeat(100_000));
    utimesSync(join(folder, 'large.bin'), 1, 1);
    expect(commit().read).toBe(1);
  });

  it('may be made from any other: the history is a tree', () => {
    const a = commit('a').version;
    write('data', 'b');
    const b = commit('b').version;
    write('data', 'c');
    const c = commit('c', short(a.id)).version;
    // A folder goes on from what it was.
    const other = join(root, 'other');
    store.checkout(b, other);
    writeFileSync(join(other, 'data'), 'd');
    const d = commit('d', undefined, other).version;
    expect([a, b, c, d].map(({ parent }) => parent)).toEqual(['', a.id, a.id, b.id]);
    const lines = treeLines(store.versions('study'), () => true).map((line) =>
      line.replace(/[0-9a-f]{10} {2}\S+ \S+ {2}/, ''),
    );
    expect(lines).toEqual(['a', '  c', 'b', 'd']);
    expect(differences(store.manifest(a), store.manifest(b))).toEqual([{ path: 'data', what: 'added' }]);
    expect(differences(store.manifest(b), store.manifest(c))).toEqual([{ path: 'data', what: 'changed' }]);
  });

  it('stays as it is, what is said of it may change', () => {
    const { version } = commit('first');
    store.note(version, 'too slow');
    store.note(version, 'as in the paper');
    store.tag(version, 'one');
    write('data', 'b');
    const second = commit('second').version;
    store.tag(second, 'one');
    expect(store.notes(version).map(({ text }) => text)).toEqual(['too slow', 'as in the paper']);
    expect(store.find('study', 'one').id).toBe(second.id);
    store.setState([second], 'hidden');
    expect(store.find('study').id).toBe(version.id);
    expect(store.usable('study', short(second.id)).id).toBe(second.id);
    store.setState([second], 'deleted');
    expect(refusal(() => store.usable('study', short(second.id)))).toMatch(/^TEMPLATE_DELETED/);
    store.setState([second], 'shown');
    expect(store.find('study').id).toBe(second.id);
  });

  it('can be expunged, with what no other one has', () => {
    write('secret', 'do not keep');
    const first = commit('first').version;
    rmSync(join(folder, 'secret'));
    const second = commit('second').version;
    const hashOf = (path: string): string =>
      store.manifest(first).files.find((one) => one.path === path)!.hash!;
    const [secret, lab] = [hashOf('secret'), hashOf('lab.yaml')];
    expect(store.children(first).map(({ id }) => id)).toEqual([second.id]);
    expect(store.expunge('study', [first])).toBeGreaterThan(10);
    expect(() => store.content(secret)).toThrow(/is missing/);
    expect(store.content(lab).toString()).toBe(LAB);
    expect(store.versions('study').map(({ id }) => id)).toEqual([second.id]);
    store.expunge('study', store.versions('study'));
    expect(store.templates()).toEqual([]);
  });
});

describe('a folder is refused that no template can be', () => {
  it.each<[string, () => void, RegExp]>([
    [
      'a link out of it',
      () => symlinkSync('../secret', join(folder, 'link')),
      /^TEMPLATE_FILE: .*link is a link to ..\/secret, out of the folder/,
    ],
    [
      'a link to an absolute path',
      () => symlinkSync('/etc/passwd', join(folder, 'link')),
      /^TEMPLATE_FILE: .*out of the folder/,
    ],
    ['a pipe', () => execFileSync('mkfifo', [join(folder, 'pipe')]), /^TEMPLATE_FILE: .* is a pipe/],
    [
      'a part outside of it',
      () => write('template.yaml', `${DEFINITION}files: [../other]\n`),
      /^TEMPLATE_FILE: "..\/other" is not in the folder/,
    ],
    [
      'a part that is not there',
      () => write('template.yaml', `${DEFINITION}files: [nothing]\n`),
      /^TEMPLATE_FILE: there is no nothing/,
    ],
    [
      'a topology that does not belong to it',
      () => write('template.yaml', `${DEFINITION}files: [scripts]\n`),
      /^TEMPLATE_FILE: the topology lab.yaml is not among the files/,
    ],
  ])('%s', (_, prepare, expected) => {
    prepare();
    expect(refusal(commit)).toMatch(expected);
  });

  it('a file that changes while it is read', () => {
    const objects = new Objects(join(root, 'objects'));
    const file = join(folder, 'lab.yaml');
    const before = lstatSync(file, { bigint: true });
    writeFileSync(file, `${LAB}#`);
    expect(refusal(() => objects.add(file, before))).toMatch(/^TEMPLATE_FILE_CHANGED/);
    rmSync(file);
    execFileSync('mkfifo', [file]);
    expect(refusal(() => objects.add(file, before))).toMatch(/^TEMPLATE_FILE_CHANGED/);
  });

  it('a content that somebody has changed in the store', () => {
    const { version } = commit();
    const { hash } = store.manifest(version).files[0]!;
    const object = join(root, 'store/objects', hash!.slice(0, 2), hash!.slice(2));
    chmodSync(object, 0o600);
    writeFileSync(object, 'else');
    expect(refusal(() => store.checkout(version, join(root, 'other')))).toMatch(
      /^TEMPLATE_DAMAGED: .* has been changed/,
    );
  });

  it('a list of templates that is none', () => {
    mkdirSync(join(root, 'broken'), { mode: 0o700 });
    writeFileSync(join(root, 'broken/templates.sqlite'), 'nothing of SQLite '.repeat(1000));
    expect(refusal(() => new TemplateStore(join(root, 'broken')))).toMatch(/^TEMPLATE_DAMAGED/);
  });
});

describe('two writers', () => {
  it('wait for each other, and lose nothing', () => {
    const other = open();
    try {
      const first = commit('first').version;
      write('data', '1');
      const copy = join(root, 'copy');
      store.checkout(first, copy);
      writeFileSync(join(copy, 'data'), '2');
      const [a, b] = [commit('a').version, other.commit(copy, definition(), 'b').version];
      expect(store.versions('study').map(({ id }) => id)).toEqual([first.id, a.id, b.id]);
      expect([a.parent, b.parent]).toEqual([first.id, first.id]);
      expect(refusal(() => other.init('study'))).toMatch(/^TEMPLATE_EXISTS/);
    } finally {
      other.close();
    }
  });
});

describe('parameters', () => {
  const { parameters } = readDefinition(DEFINITION, 'template.yaml');
  it('have their defaults, or what is given', () => {
    expect([...parameterValues(parameters, new Map([['delay', '20ms']]))]).toEqual([
      ['delay', '20ms'],
      ['clients', '3'],
      ['kind', 'udp'],
    ]);
  });

  it.each([
    ['delay', '10', /"10" is no time: .*no unit/],
    ['delay', '300ms', /is outside of 1ms to 200ms/],
    ['delay', '10Mbps', /is no time/],
    ['clients', '0', /is outside of 1 to …/],
    ['clients', '1.5', /is no count/],
    ['kind', 'sctp', /is none of udp, tcp/],
    ['color', 'red', /the template has no parameter "color"/],
  ])('%s=%s is refused', (name, value, message) => {
    expect(refusal(() => parameterValues(parameters, new Map([[name, value]])))).toMatch(message);
  });

  it.each([
    ['template: study\n', /TEMPLATE_USAGE: .*topology/],
    ['template: "a b"\ntopology: x\n', /TEMPLATE_USAGE: .*no name/],
    [
      'template: a\ntopology: x\nparameters: { p: { default: 5ms, unit: time, from: 6ms } }\n',
      /TEMPLATE_PARAMETER: .*outside of 6ms/,
    ],
    [
      'template: a\ntopology: x\nparameters: { p: { default: 5, unit: furlongs } }\n',
      /TEMPLATE_USAGE: .*parameters.p.unit/,
    ],
    [
      'template: a\ntopology: x\nparameters: { p: { default: a, from: b } }\n',
      /TEMPLATE_PARAMETER: .*is a text and has no range/,
    ],
    ['template: a\ntopology: x\nfile: [x]\n', /TEMPLATE_USAGE: .*file/],
  ])('%s is refused', (text, message) => {
    expect(refusal(() => readDefinition(text, 'template.yaml'))).toMatch(message);
  });
});
