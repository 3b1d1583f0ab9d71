/**
 * What is copied to hosts: netfold's own code, the packages that it runs with, and this Node. Named by the hash of its content:
 * where a folder of that name is, nothing needs to be copied.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream, existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { COMPILED, compileForHosts, filesOf } from './compiled.ts';
import { InjectError } from './ssh/errors.ts';

const ROOT = join(import.meta.dirname, '../..');
const OWN = ['agent', 'bin', 'controller', 'proto', 'sdk', 'topology', 'package.json', 'LICENSE'];
/** Built; its sources stay here. */
const PROGRAMS = 'bpf/netfold.bpf.o';
const NODE = 'node_modules/.bin/node';
/** What no program loads; what the dashboard's built program is made of. */
const NEEDLESS =
  /\.(map|md|markdown)$|\.d\.[cm]?ts$|^controller\/ui\/(app|data|graph|build\.ts|tsconfig\.json)/;
const HASH_LETTERS = 16;
/** Time matters more than the last part of the size: level 1 takes a third of the usual level's. */
const COMPRESSION = 1;

export interface Bundle {
  readonly hash: string;
  /** Paths in the checkout, sorted. */
  readonly files: readonly string[];
}

/** Throws `BUNDLE_INCOMPLETE`. Reads some 200 MB. */
export function readBundle(root = ROOT): Bundle {
  const files = [
    ...OWN.flatMap((path) => filesBelow(root, path)),
    PROGRAMS,
    NODE,
    ...packageFolders(root).flatMap((folder) => filesBelow(root, folder)),
  ].sort();
  const hash = createHash('sha256');
  for (const file of files) {
    const path = join(root, file);
    const entry = lstatSync(path, { throwIfNoEntry: false });
    if (!entry) throw incomplete(`there is no ${file}`);
    const content = entry.isSymbolicLink() ? readlinkSync(path) : readFileSync(path);
    const kind = entry.isSymbolicLink() ? 'link' : entry.mode & 0o100 ? 'program' : 'file';
    hash.update(`${file}\0${kind}\0${content.length}\0`).update(content);
  }
  return { hash: hash.digest('hex').slice(0, HASH_LETTERS), files };
}

/** Packages of the lock file that are needed to run, without those of other machines, which are not here. */
function packageFolders(root: string): string[] {
  const file = join(root, 'package-lock.json');
  if (!existsSync(file)) throw incomplete('there is no package-lock.json, which says what is needed to run');
  const { packages } = JSON.parse(readFileSync(file, 'utf8')) as {
    packages: Readonly<Record<string, { readonly dev?: boolean; readonly optional?: boolean }>>;
  };
  return Object.entries(packages).flatMap(([folder, { dev = false, optional = false }]) => {
    if (folder === '' || dev) return [];
    if (existsSync(join(root, folder, 'package.json'))) return [folder];
    if (optional) return [];
    throw incomplete(`the package ${folder} is not installed`);
  });
}

/** A package inside of another one is a folder of the lock file itself. */
function filesBelow(root: string, path: string): string[] {
  const entry = lstatSync(join(root, path), { throwIfNoEntry: false });
  if (!entry) throw incomplete(`there is no ${path}`);
  if (!entry.isDirectory()) return NEEDLESS.test(path) ? [] : [path];
  return readdirSync(join(root, path)).flatMap((name) =>
    name === 'node_modules' ? [] : filesBelow(root, `${path}/${name}`),
  );
}

const incomplete = (what: string): InjectError =>
  new InjectError(
    'BUNDLE_INCOMPLETE',
    `netfold can't be copied from here: ${what}`,
    'run npm ci in its checkout',
  );

/** Writes it as a compressed archive, with what Node has compiled of it: everything root's and of one date. */
export async function packBundle(bundle: Bundle, archive: string, root = ROOT): Promise<void> {
  const compiled = await compileForHosts(root);
  try {
    const more = compiled ? filesOf(root, compiled.folder) : [];
    const rename = compiled && `--transform=s,^${compiled.folder},${COMPILED},`;
    await pack([...bundle.files, ...more], archive, root, rename);
  } finally {
    compiled?.remove();
  }
}

async function pack(
  files: readonly string[],
  archive: string,
  root: string,
  rename: string | undefined,
): Promise<void> {
  const options = [
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--mode=u+rw,go+r,go-w,a+X',
    '--mtime=@1000000000',
  ];
  const words = [
    '--create',
    '--file=-',
    '--format=gnu',
    ...options,
    ...(rename === undefined ? [] : [rename]),
    '--no-recursion',
    '--null',
    '--files-from=-',
  ];
  // A folder counts for what is named after it.
  const tar = spawn('tar', ['--directory', root, ...words], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  tar.stderr.on('data', (text: Buffer) => {
    said += text.toString();
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    tar.on('error', reject);
    tar.on('close', resolve);
  });
  ended.catch(() => {});
  tar.stdin.on('error', () => {});
  tar.stdin.end(files.map((file) => `${file}\0`).join(''));
  await pipeline(tar.stdout, createGzip({ level: COMPRESSION }), createWriteStream(archive, { mode: 0o600 }));
  if ((await ended) !== 0) throw incomplete(`tar: ${said.trim().split('\n')[0]}`);
}
