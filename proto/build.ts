/**
 * Generates static code and its types from the .proto files, by protobufjs-cli: `node proto/build.ts`. With `--check`
 * it writes nothing and exits with 1 if what is in `generated/` is not what would be written.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = import.meta.dirname;
const SOURCES = ['mesh'];
const OPTIONS = [
  ...['--target', 'static-module', '--wrap', 'esm', '--dts', '--root', 'netfold'],
  // Static code uses protobufjs as a CommonJS module; Node needs the extension.
  ...['--dependency', 'protobufjs/minimal.js'],
  '--force-number',
  ...['--no-create', '--no-verify', '--no-convert', '--no-delimited', '--no-typeurl', '--no-service'],
];

/** Writes NAME.js and NAME.d.ts into `folder`. */
function generate(name: string, folder: string): void {
  const pbjs = join(
    dirname(createRequire(import.meta.url).resolve('protobufjs-cli/package.json')),
    'bin',
    'pbjs',
  );
  execFileSync(process.execPath, [pbjs, ...OPTIONS, '--out', join(folder, `${name}.js`), `${name}.proto`], {
    cwd: HERE,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

/** The generated files that are missing or out of date, as paths from the repository's root. */
export function staleFiles(): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'netfold-proto-'));
  try {
    for (const name of SOURCES) generate(name, folder);
    return SOURCES.flatMap((name) => [`${name}.js`, `${name}.d.ts`])
      .filter((file) => read(join(folder, file)) !== read(join(HERE, 'generated', file)))
      .map((file) => `proto/generated/${file}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--check')) {
    const stale = staleFiles();
    for (const file of stale)
      console.error(`${file} is not what its .proto gives: run \`npm run build:proto\``);
    process.exitCode = stale.length > 0 ? 1 : 0;
  } else {
    for (const name of SOURCES) generate(name, join(HERE, 'generated'));
  }
}
