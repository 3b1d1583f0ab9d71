/**
 * The topology's names in containers that run already: a block in the file that the engine has put there as /etc/hosts. It is changed
 * in its place, since the container has it mounted; the engine writes it anew when the container starts again.
 */
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { PRIVATE_FILE, replaceFile } from '../../../agent/files/own-files.ts';
import { serviceOf } from '../../../topology/model/names.ts';
import { experimentFolder } from '../../names.ts';
import type { PlannedEndpoint } from '../port/plan.ts';

/** What the watch of containers needs of it. */
export interface NamesPort {
  /** Makes `file`, of one container, say where all endpoints are. Throws the system's error. */
  put(file: string, endpoints: readonly Named[]): void;
}

type Named = Pick<PlannedEndpoint, 'name' | 'addresses'>;

const begin = (experiment: string): string => `# netfold ${experiment}: begin`;
const end = (experiment: string): string => `# netfold ${experiment}: end`;

/** The text without an experiment's block, and with another one at its end. No endpoints: without. Pure. */
export function withNames(text: string, experiment: string, endpoints: readonly Named[]): string {
  const [first, last] = [begin(experiment), end(experiment)];
  const lines = text.split('\n');
  const from = lines.indexOf(first);
  const to = lines.indexOf(last, from);
  const others = from < 0 || to < 0 ? lines : [...lines.slice(0, from), ...lines.slice(to + 1)];
  const rest = others.join('\n');
  if (endpoints.length === 0) return rest;
  const names = endpoints.flatMap(({ name, addresses }) =>
    addresses.map((address) => `${address}\t${name} ${serviceOf(name)}`),
  );
  const start = rest === '' || rest.endsWith('\n') ? rest : `${rest}\n`;
  return `${start}${[first, ...names, last].join('\n')}\n`;
}

const listOf = (experiment: string): string => join(experimentFolder(experiment), 'hosts-files.json');

export function containerNames(experiment: string): NamesPort {
  const changed = new Set(readList(experiment));
  return {
    put: (file, endpoints) => {
      // First: whoever removes the block has to find it.
      if (!changed.has(file)) {
        changed.add(file);
        replaceFile(listOf(experiment), JSON.stringify([...changed]), { mode: PRIVATE_FILE });
      }
      change(file, experiment, endpoints);
    },
  };
}

/** Takes the block out of all files; of containers that are gone, there is none. */
export function takeNames(experiment: string): void {
  for (const file of readList(experiment)) {
    try {
      change(file, experiment, []);
    } catch {
      // The container is gone, and its file with it.
    }
  }
}

function readList(experiment: string): string[] {
  try {
    const list: unknown = JSON.parse(readFileSync(listOf(experiment), 'utf8'));
    return Array.isArray(list) ? list.filter((one) => typeof one === 'string') : [];
  } catch {
    return [];
  }
}

function change(file: string, experiment: string, endpoints: readonly Named[]): void {
  const before = readFileSync(file, 'utf8');
  const text = withNames(before, experiment, endpoints);
  if (text === before) return;
  const bytes = Buffer.from(text);
  const descriptor = openSync(file, 'r+');
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at, bytes.length - at, at);
    ftruncateSync(descriptor, bytes.length);
  } finally {
    closeSync(descriptor);
  }
}
