/** What of a folder belongs to a template: regular files, and links that stay within the folder. */
import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { dirname, join, posix, relative, resolve, sep } from 'node:path';
import { TemplateError } from './errors.ts';

export interface FoundFile {
  /** With `/`, from the folder on. */
  readonly path: string;
  readonly stats: BigIntStats;
  /** Of a symbolic link: what it says. */
  readonly target?: string;
}

/** Of a template; a folder with more is hardly meant. */
export const MAX_FILES = 100_000;
const MAX_DEPTH = 64;

/**
 * The files below `parts` (paths in the folder; `.`: all of it), in the order of their paths. What begins with a dot is left out
 * unless it is a part itself. Throws `TemplateError` for what no template can have, and system errors.
 */
export function findFiles(folder: string, parts: readonly string[]): readonly FoundFile[] {
  const found = new Map<string, FoundFile>();
  for (const part of parts) {
    const path = posix.normalize(part).replace(/\/$/, '');
    if (path.startsWith('..') || path.startsWith('/'))
      throw new TemplateError(
        'TEMPLATE_FILE',
        `"${part}" is not in the folder of the template`,
        'name files of the folder itself, or copy it there',
      );
    visit(folder, path === '.' ? '' : path, 0, found);
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function visit(folder: string, path: string, depth: number, found: Map<string, FoundFile>): void {
  const full = join(folder, path);
  const stats = lstatSync(full, { bigint: true, throwIfNoEntry: false });
  if (!stats)
    throw new TemplateError(
      'TEMPLATE_FILE',
      `there is no ${path} in ${folder}`,
      'correct `files` in template.yaml',
    );
  if (stats.isDirectory()) {
    if (depth > MAX_DEPTH)
      throw new TemplateError(
        'TEMPLATE_FILE',
        `${full} is nested more than ${MAX_DEPTH} deep`,
        'name the files that belong to the template',
      );
    for (const name of readdirSync(full))
      if (!name.startsWith('.')) visit(folder, path === '' ? name : `${path}/${name}`, depth + 1, found);
    return;
  }
  if (found.size >= MAX_FILES)
    throw new TemplateError(
      'TEMPLATE_FILE',
      `the folder has more than ${MAX_FILES} files`,
      'name those that belong to the template in `files` of template.yaml',
    );
  if (stats.isSymbolicLink()) found.set(path, { path, stats, target: linkWithin(folder, path) });
  else if (stats.isFile()) found.set(path, { path, stats });
  else
    throw new TemplateError(
      'TEMPLATE_FILE',
      `${full} is ${kindOf(stats)}, which no template can have`,
      'move it out of the folder, or name the others in `files` of template.yaml',
    );
}

function kindOf(stats: BigIntStats): string {
  if (stats.isFIFO()) return 'a pipe';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}

/** What the link says. Throws if that is outside of the folder: another machine has something else there. */
function linkWithin(folder: string, path: string): string {
  const target = readlinkSync(join(folder, path));
  const inside = relative(resolve(folder), resolve(dirname(join(folder, path)), target));
  if (!target.startsWith('/') && inside !== '..' && !inside.startsWith(`..${sep}`)) return target;
  throw new TemplateError(
    'TEMPLATE_FILE',
    `${join(folder, path)} is a link to ${target}, out of the folder`,
    'copy what it leads to into the folder, or leave it out',
  );
}
