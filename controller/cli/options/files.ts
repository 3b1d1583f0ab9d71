/** Topology files, and scripts of events for them, as arguments of the command line. */
import { readFileSync } from 'node:fs';
import { Option } from 'commander';
import { type LoadedTopology, loadTopology } from '../../../topology/load.ts';
import { ControllerError } from '../../errors.ts';
import type { TopologyText } from '../../experiment/bootstraps.ts';

export interface OpenedTopology extends LoadedTopology {
  readonly source: TopologyText;
}

/** `--events`, for every command that takes a topology file. */
export function eventsOption(): Option {
  return new Option('--events <script>', 'a ThunderStorm script, whose events come after those of the file');
}

/** Reads and checks a file. Throws `ControllerError` (`FILE_UNREADABLE`) or `TopologyError`. */
export function openTopology(file: string, events?: string): OpenedTopology {
  const text = read(file, 'a topology file');
  const script =
    events === undefined ? undefined : { file: events, text: read(events, 'a script of events') };
  return { ...loadTopology(text, file, script), source: { file, text, ...(script && { script }) } };
}

function read(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : message;
    throw new ControllerError(
      'FILE_UNREADABLE',
      `${file} can't be read: ${reason}`,
      `give the path of ${what}`,
      cause,
    );
  }
}
