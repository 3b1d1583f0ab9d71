/** The table of layers in docs/architecture.md, and its rules for imports. Pure. */
import { posix } from 'node:path';
import { type Files, importsOf } from './import-rules.ts';

export interface Layer {
  /** A folder, without a slash at the end; with `/…` all below it. */
  readonly folder: string;
  /** In the same form. */
  readonly uses: readonly string[];
}

const WITH_ALL_BELOW = /\/…$/;

/** Rows of the form | `folder` | what it gives | `folder` `folder/…` |, in their order. */
export function readLayers(markdown: string): Layer[] {
  return markdown.split('\n').flatMap((line) => {
    const cells = line.split('|').map((cell) => cell.trim());
    const folder = /^`([^`]+)`$/.exec(cells[1] ?? '')?.[1];
    if (folder === undefined || cells.length !== 5) return [];
    return [{ folder, uses: [...cells[3]!.matchAll(/`([^`]+)`/g)].map(([, use]) => use!) }];
  });
}

/** Whether a name of the table means this folder. */
function means(name: string, folder: string): boolean {
  if (!WITH_ALL_BELOW.test(name)) return name === folder;
  const top = name.replace(WITH_ALL_BELOW, '');
  return folder === top || folder.startsWith(`${top}/`);
}

/** Rows that name a row below them: only then could there be circles. */
export function disorder(layers: readonly Layer[]): string[] {
  return layers.flatMap(({ folder, uses }, row) =>
    uses.flatMap((use) => {
      if (use === folder) return [];
      const named = layers.filter((other) => other.folder === use || means(use, other.folder));
      if (named.length === 0) return [`${folder} names ${use}, which has no row`];
      const isAbove = named.some((other) => layers.indexOf(other) < row);
      return isAbove ? [] : [`${folder} names ${use}, which doesn't stand above it`];
    }),
  );
}

/** One line for each import that the table doesn't allow, and for each folder that has no row. */
export function layerBreaches(files: Files, layers: readonly Layer[]): string[] {
  const rowOf = (folder: string): number => layers.findIndex((layer) => means(layer.folder, folder));
  return [...files].flatMap(([file, text]) => {
    const folder = posix.dirname(file);
    const row = rowOf(folder);
    if (row < 0) return [`${file}: its folder has no row in docs/architecture.md`];
    const { uses } = layers[row]!;
    return importsOf(file, text).flatMap(({ target }) => {
      if (target === undefined) return [];
      const to = posix.dirname(target);
      if (to === folder || uses.some((use) => means(use, to) && rowOf(to) <= row)) return [];
      return [`${file}: imports ${target} (not among what ${layers[row]!.folder} may use)`];
    });
  });
}

/** Circles of files, each as the files that import each other, sorted. Tarjan's algorithm, 1972. */
export function fileCircles(files: Files): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[][] = [];
  const visit = (file: string): number => {
    const number = order.size;
    order.set(file, number);
    let low = number;
    stack.push(file);
    for (const { target } of importsOf(file, files.get(file)!)) {
      if (target === undefined || !files.has(target)) continue;
      if (!order.has(target)) low = Math.min(low, visit(target));
      else if (stack.includes(target)) low = Math.min(low, lowest.get(target) ?? order.get(target)!);
    }
    lowest.set(file, low);
    if (low === number) {
      const circle = stack.splice(stack.indexOf(file));
      if (circle.length > 1) circles.push(circle.sort());
    }
    return low;
  };
  for (const file of files.keys()) if (!order.has(file)) visit(file);
  return circles;
}

/** A reader can still get an overview of so many files at one level. */
export const MOST_FILES = 20;

export function crowdedFolders(files: Files): string[] {
  const counts = new Map<string, number>();
  for (const file of files.keys()) {
    const folder = posix.dirname(file);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count > MOST_FILES)
    .map(([folder, count]) => `${folder}: ${count} files (at most ${MOST_FILES}: divide it by concern)`);
}
