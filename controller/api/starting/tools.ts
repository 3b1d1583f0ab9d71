/**
 * Commands about files, for whoever asks: each runs as a process of netfold's own with the files of its request, and with Node's
 * permissions it can read no others of this machine, and start nothing.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { AnswerOf, BodyOf, ParamsOf } from '../../../proto/api/v1/routes.ts';
import { MAIN } from '../../experiment/agents.ts';
import type { Bounds } from './bounded-child.ts';
import { commandOutcome } from './child.ts';
import { inFolder } from './scratch.ts';

/** Of all that a command writes. */
const MOST_WRITTEN_BYTES = 8 << 20;
/** Where npm has put netfold itself. */
const PACKAGES = 'node_modules';

type Files = Readonly<Record<string, string>>;

/** Throws system errors; what is wrong with words and files is in the outputs, as at the command line. */
export function runTool(
  tool: ParamsOf<'runTool'>['tool'],
  { words, files }: BodyOf<'runTool'>,
  bounds: Omit<Bounds, 'stdin'>,
): Promise<AnswerOf<'runTool'>> {
  return inFolder(async (scratch) => {
    const folder = realpathSync(scratch);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const flags = ['--permission', ...readable(folder), `--allow-fs-write=${folder}/`];
    const { ended } = await commandOutcome(
      [tool, ...words],
      { ...bounds, stdin: undefined },
      { folder, flags },
    );
    const [stdout, stderr] = [ended.stdout, ended.stderr].map((said) => said.replaceAll(`${folder}/`, ''));
    return { ...ended, stdout: stdout!, stderr: stderr!, ...written(folder, files, ended.truncated) };
  });
}

/** netfold itself, with its packages, and the files of the request. */
function readable(folder: string): string[] {
  const root = rootOf(dirname(MAIN));
  const packages = join(root, PACKAGES);
  const beside = basename(dirname(root)) === PACKAGES ? [dirname(root)] : [];
  const all = [root, ...(existsSync(packages) ? [realpathSync(packages)] : []), ...beside, folder];
  return all.map((path) => `--allow-fs-read=${path}/`);
}

/** The nearest folder above with a package.json of a whole package. */
function rootOf(folder: string): string {
  const above = dirname(folder);
  if (above === folder || existsSync(join(folder, 'bin/netfold'))) return folder;
  return rootOf(above);
}

function written(folder: string, before: Files, truncated: boolean): { files: Files; truncated: boolean } {
  const files: Record<string, string> = {};
  let room = MOST_WRITTEN_BYTES;
  let isCut = truncated;
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => one.isFile())) {
    const file = join(entry.parentPath, entry.name);
    const path = relative(folder, file);
    const bytes = readFileSync(file);
    if (before[path] !== undefined && bytes.equals(Buffer.from(before[path]))) continue;
    room -= bytes.length;
    if (room < 0) isCut = true;
    else files[path] = bytes.toString();
  }
  return { files, truncated: isCut };
}
