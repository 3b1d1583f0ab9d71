/** A topology that is being written: its form, its lines and what was found at them. Pure. */
import type { AnswerOf, BodyFor } from '../../../proto/api/v1/routes.ts';
import { Refusal } from './refusal.ts';

export type Diagnostic = AnswerOf<'checkTopology'>['diagnostics'][number];
export type Checked = AnswerOf<'checkTopology'>;
export type StartBody = BodyFor<'beginStart'>;

/** What the form has, as text. */
export interface Draft {
  readonly topology: string;
  readonly file: string;
  readonly name: string;
  readonly hosts: string;
  /** `delay=20ms`, one on each line. */
  readonly settings: string;
  readonly duration: string;
  readonly delayBackend: 'auto' | 'netem' | 'delay-line';
}

export const EMPTY: Draft = {
  ...{ topology: '', file: 'topology.yaml', name: '', hosts: '1', settings: '', duration: '' },
  delayBackend: 'auto',
};

/** `undefined`: there are none. Throws `Refusal` for a line that is no variable. */
export function settingsOf(text: string): Record<string, string> | undefined {
  const set = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const at = line.indexOf('=');
    const name = line.slice(0, at).trim();
    if (at < 0 || !/^[A-Za-z_]\w*$/.test(name) || set.has(name))
      throw new Refusal({
        code: 'VARIABLE',
        message: set.has(name) ? `${name} is set twice` : `"${line.trim()}" sets no variable`,
        remedy: 'write a name and a value on each line, e.g. delay=20ms',
      });
    set.set(name, line.slice(at + 1).trim());
  }
  return set.size === 0 ? undefined : Object.fromEntries(set);
}

/** As the server wants it. Throws `Refusal`. */
export function bodyOf({ topology, file, name, hosts, settings, duration, delayBackend }: Draft): StartBody {
  const set = settingsOf(settings);
  if (!/^[1-9]\d{0,3}$/.test(hosts.trim()))
    throw new Refusal({ code: 'HOSTS', message: 'the number of hosts is no number', remedy: 'write e.g. 2' });
  return {
    ...{ topology, file, hosts: Number(hosts), delayBackend },
    ...(set && { set }),
    ...(name.trim() !== '' && { name: name.trim() }),
    ...(duration.trim() !== '' && { duration: duration.trim() }),
  };
}

/** Of the name of a file of the user's, what the server takes as one. */
export function fileNameOf(name: string): string {
  const cleaned = name.replace(/[^A-Za-z0-9_.-]+/g, '-').replace(/^[^A-Za-z0-9_]+/, '');
  return cleaned.slice(-100).replace(/^[^A-Za-z0-9_]+/, '') || 'topology.yaml';
}

/** Numbers of lines, one below the other; those with findings have a sign. */
export function gutterOf(lines: number, found: readonly Diagnostic[]): string {
  const signs = new Map<number, string>();
  for (const { line, severity } of found)
    if (severity === 'error' || !signs.has(line)) signs.set(line, severity === 'error' ? '✕' : '▲');
  return Array.from({ length: lines }, (_, index) => `${signs.get(index + 1) ?? ' '} ${index + 1}`).join(
    '\n',
  );
}

export function lineCount(text: string): number {
  let count = 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

/** Where a line begins and ends in a text, the last one if there are fewer. */
export function lineRange(text: string, line: number): readonly [start: number, end: number] {
  let start = 0;
  for (let before = 1; before < line; before++) {
    const next = text.indexOf('\n', start);
    if (next < 0) break;
    start = next + 1;
  }
  const end = text.indexOf('\n', start);
  return [start, end < 0 ? text.length : end];
}
