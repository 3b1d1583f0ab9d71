/**
 * Builds bpf/netfold.bpf.o with clang. The object is kept in the repository, so that loading needs no compiler.
 *
 *   node bpf/build.ts            build
 *   node bpf/build.ts --check    fail when the object was not built from these sources
 *
 * "Built from these sources" is a hash of the sources beside the object: compilers differ in their output, so the
 * object's own bytes say nothing on another machine.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = import.meta.dirname;
const SOURCES = [
  'answer.h',
  'buffer.h',
  'lanes.h',
  'layout.h',
  'manage.h',
  'maps.h',
  'mtu.h',
  'netfold.bpf.c',
  'packet.h',
  'passing.h',
  'rules.h',
];
export const OBJECT_FILE = join(FOLDER, 'netfold.bpf.o');
const STAMP_FILE = join(FOLDER, 'netfold.bpf.o.sources');

function sourcesHash(): string {
  const hash = createHash('sha256');
  for (const source of SOURCES)
    hash
      .update(source)
      .update('\0')
      .update(readFileSync(join(FOLDER, source)));
  return `${hash.digest('hex')}\n`;
}

/** Compiles the sources to `target`. Throws where clang is missing or reports an error. */
export function compile(target: string): void {
  const include = `/usr/include/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;
  const flags = [
    '-O2',
    '-g',
    '-Wall',
    '-Werror',
    '-target',
    'bpf',
    '-I',
    include,
    '-fdebug-compilation-dir=/netfold/bpf',
  ];
  execFileSync('clang', [...flags, '-c', 'netfold.bpf.c', '-o', target], {
    cwd: FOLDER,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  execFileSync('llvm-strip', ['-g', target]);
}

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    if (readFileSync(STAMP_FILE, 'utf8') !== sourcesHash()) {
      console.error('bpf/netfold.bpf.o is older than its sources: run `npm run build:bpf`');
      process.exit(1);
    }
  } else {
    compile(OBJECT_FILE);
    writeFileSync(STAMP_FILE, sourcesHash());
  }
}
