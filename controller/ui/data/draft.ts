/** A topology that is being written: its form, its lines and what was found at them. Pure. */
import type { AnswerOf, BodyFor } from '../../../proto/api/v1/routes.ts';
import { Refusal } from './refusal.ts';

export type Diagnostic = AnswerOf<'checkTopology'>['diagnostics'][number];
export type Checked = AnswerOf<'checkTopology'>;
export type StartBody = BodyFor<'beginStart'>;

export const PLACES = ['lab', 'docker', 'hosts'] as const;

/** What the form has, as text. */
export interface Draft {
  readonly topology: string;
  readonly file: string;
  readonly name: string;
  /** In the lab of the server's machine, in containers of its engine, or on hosts over SSH. */
  readonly place: (typeof PLACES)[number];
  /** Of the lab. */
  readonly hosts: string;
  /** `delay=20ms`, one on each line. */
  readonly settings: string;
  readonly duration: string;
  readonly delayBackend: 'auto' | 'netem' | 'delay-line';
  readonly pull: boolean;
  /** Of hosts over SSH, as all that follows. */
  readonly inventory: string;
  readonly install: boolean;
  readonly names: boolean;
  readonly record: boolean;
  readonly takeOver: boolean;
  readonly lease: string;
  /** `tcp:5432, 192.0.2.0/24` */
  readonly never: string;
}

export const EMPTY: Draft = {
  ...{ topology: '', file: 'topology.yaml', name: '', hosts: '1', settings: '', duration: '' },
  ...{ place: 'lab', delayBackend: 'auto', pull: false },
  ...{ inventory: '', install: true, names: false, record: false, takeOver: false, lease: '', never: '' },
};

/** For whoever has none. */
export const EXAMPLE = `# Two clients and a server, behind two switches.
services:
  client: { replicas: 2, run: "ping server" }
  server: {}
bridges: [s1, s2]
links:
  - { from: client, to: s1, latency: 5ms, bandwidth: 100Mbps }
  - { from: s1, to: s2, latency: 20ms, jitter: 1ms, bandwidth: 50Mbps }
  - { from: s2, to: server, latency: 5ms, bandwidth: 100Mbps }
events:
  - at 30s set s1--s2 latency=80ms
  - at 60s set s1--s2 latency=20ms
`;

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
export function bodyOf(draft: Draft): StartBody {
  const { topology, file, name, settings } = draft;
  const set = settingsOf(settings);
  return {
    ...{ topology, file, ...PLACE[draft.place](draft) },
    ...(set && { set }),
    ...given({ name }),
  };
}

/** What is not left empty. */
const given = (texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(texts).flatMap(([key, text]) => (text.trim() === '' ? [] : [[key, text.trim()]])),
  );

type OfPlace = Omit<StartBody, 'topology' | 'file' | 'set' | 'name'>;

const PLACE: Readonly<Record<Draft['place'], (draft: Draft) => OfPlace>> = {
  lab: ({ hosts, duration, delayBackend }) => {
    if (!/^[1-9]\d{0,3}$/.test(hosts.trim()))
      throw new Refusal({
        code: 'HOSTS',
        message: 'the number of hosts is no number',
        remedy: 'write e.g. 2',
      });
    return { hosts: Number(hosts), delayBackend, ...given({ duration }) };
  },
  docker: ({ duration, delayBackend, pull }) => ({
    ...{ engine: 'docker', pull, delayBackend },
    ...given({ duration }),
  }),
  hosts: (draft) => {
    const { install, names, record, takeOver, lease, never } = draft;
    const list = never.split(/[\s,]+/).filter((one) => one !== '');
    return {
      inject: {
        ...{ inventory: inventoryOf(draft), install, names, record, takeOver },
        ...given({ lease }),
        ...(list.length > 0 && { never: list }),
      },
    };
  },
};

/** Throws `Refusal` without one. */
export function inventoryOf({ inventory }: Draft): string {
  if (inventory.trim() !== '') return inventory;
  throw new Refusal({
    code: 'INVENTORY',
    message: 'there is no inventory',
    remedy: 'write the hosts, and which endpoints they are',
  });
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
