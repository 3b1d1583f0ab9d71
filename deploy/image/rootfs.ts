/**
 * The files of netfold's image: netfold as it is packaged, Node, and the libraries that both load, of this machine's distribution. No
 * shell, no package manager, no program else.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

export const PROGRAM = '/usr/bin/netfold';
const HOME = '/opt/netfold';
const NODE = '/usr/bin/node';
const NODE_PROGRAM = `${HOME}/node_modules/node/bin/node`;
const MAIN = `${HOME}/dist/controller/cli/main.js`;
/** Loaded by name, from netfold's own code. */
const LIBRARIES = ['libbpf.so.1'] as const;
/** Where something is mounted, or written, whatever the orchestrator. */
const FOLDERS = [
  ...['proc', 'sys', 'dev', 'tmp', 'etc/netfold', 'host/proc', 'host/run'],
  ...['run/netfold', 'run/netns', 'run/netfold-journal', 'var/run', 'var/lib/netfold'],
] as const;
const FILES: Readonly<Record<string, string>> = {
  'etc/passwd': 'root:x:0:0:root:/root:/sbin/nologin\n',
  'etc/group': 'root:x:0:\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
};
/** As bin/netfold starts it, without a shell. */
const START = `#!${NODE} --no-wasm-tier-up\nimport('${MAIN}');\n`;

/** Fills `root` from a tree of deploy/package. Returns the libraries: path in the image → file of this machine. */
export function makeRootfs(root: string, tree: string): Map<string, string> {
  for (const folder of FOLDERS) mkdirSync(join(root, folder), { recursive: true });
  for (const [path, text] of Object.entries(FILES)) writeFileSync(join(root, path), text);
  for (const part of ['dist', 'node_modules', 'package.json', 'LICENSE'])
    cpSync(join(tree, part), join(root, HOME, part), { recursive: true, verbatimSymlinks: true });
  takePrograms(join(root, HOME));
  mkdirSync(join(root, 'usr/bin'), { recursive: true });
  chmodSync(join(root, NODE_PROGRAM), 0o755);
  symlinkSync(NODE_PROGRAM, join(root, NODE));
  writeFileSync(join(root, PROGRAM), START);
  chmodSync(join(root, PROGRAM), 0o755);
  const libraries = librariesOf(join(tree, 'node_modules'));
  for (const [path, file] of libraries) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    cpSync(file, join(root, path));
  }
  return libraries;
}

/** Packages bring scripts of their own, for those who build with them. */
function takePrograms(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) chmodSync(join(entry.parentPath, entry.name), 0o644);
}

/** Of Node, of the packages' native parts, and of what is loaded by name. */
function librariesOf(packages: string): Map<string, string> {
  const found = new Map<string, string>();
  const native = readdirSync(packages, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.node') && isForHere(path))
    .map((path) => join(packages, path));
  const named = LIBRARIES.map(pathOf);
  for (const file of named) found.set(file, realpathSync(file));
  for (const file of [join(packages, 'node/bin/node'), ...native, ...named])
    for (const path of neededBy(file)) found.set(path, realpathSync(path));
  return found;
}

/** koffi brings its native part for all systems. */
const isForHere = (path: string): boolean =>
  !path.includes('koffi') || path.includes(`linux_${process.arch}`);

function pathOf(name: string): string {
  const cache = execFileSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' });
  const line = cache.split('\n').find((one) => one.trim().startsWith(`${name} `));
  const path = line?.split(' => ')[1];
  if (path === undefined || !existsSync(path)) throw new Error(`${name} is not on this machine`);
  return path;
}

/** The paths at which the dynamic linker finds what a file needs. */
function neededBy(file: string): string[] {
  const text = execFileSync('ldd', [file], { encoding: 'utf8' });
  return [...text.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path]) => path!);
}
