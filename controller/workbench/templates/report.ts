/** What `netfold template` prints. */
import type { Difference, Manifest } from './manifest.ts';
import { short, type Version } from './store.ts';

/** A version in one line: `3f2a… 2026-11-30 10:02 baseline  more clients`. */
export function versionLine({ id, createdAt, tags, message, state }: Version): string {
  const marks = [...tags, ...(state === 'shown' ? [] : [`(${state})`])];
  return [
    short(id),
    createdAt.slice(0, 16).replace('T', ' '),
    ...(marks.length > 0 ? [`[${marks.join(', ')}]`] : []),
    message,
  ]
    .join('  ')
    .trimEnd();
}

/** The history: each version below the one that it was made from; those that branch off are indented. */
export function treeLines(versions: readonly Version[], isShown: (version: Version) => boolean): string[] {
  const ids = new Set(versions.map(({ id }) => id));
  const children = new Map<string, Version[]>();
  for (const version of versions) {
    // The parent may have been expunged.
    const parent = ids.has(version.parent) ? version.parent : '';
    children.set(parent, [...(children.get(parent) ?? []), version]);
  }
  const lines: string[] = [];
  const open = (children.get('') ?? []).map((version) => ({ version, indent: 0 })).reverse();
  for (let next = open.pop(); next; next = open.pop()) {
    const { version, indent } = next;
    if (isShown(version))
      lines.push(
        `${'  '.repeat(indent)}${versionLine(version)}${version.parent !== '' && !ids.has(version.parent) ? '  (made from one that was expunged)' : ''}`,
      );
    // The first goes on in the same column, below those that branch off.
    const [first, ...branches] = children.get(version.id) ?? [];
    if (first) open.push({ version: first, indent });
    for (const branch of branches.reverse()) open.push({ version: branch, indent: indent + 1 });
  }
  return lines;
}

/** `NAME=default  unit, from … to …: description`. */
export function parameterLines(parameters: Manifest['parameters']): string[] {
  return Object.entries(parameters).map(
    ([name, { default: value, unit, from, to, choices, description }]) => {
      const range = from === undefined && to === undefined ? '' : `, ${from ?? '…'} to ${to ?? '…'}`;
      const words = choices ? `, one of ${choices.join(' ')}` : '';
      return `${name}=${value}  ${unit}${range}${words}${description === '' ? '' : `: ${description}`}`;
    },
  );
}

const SIGNS: Readonly<Record<Difference['what'], string>> = { added: '+', removed: '-', changed: '~' };

export function differenceLines(all: readonly Difference[]): string[] {
  return all.map(({ path, what }) => `${SIGNS[what]} ${path}`);
}
