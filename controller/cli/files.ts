/** Topology files as the command line takes them. */
import { readFileSync } from 'node:fs';
import { type LoadedTopology, loadTopology } from '../../topology/load.ts';
import { ControllerError } from '../errors.ts';
import type { TopologyText } from '../experiment/bootstrap-server.ts';

export interface OpenedTopology extends LoadedTopology {
  readonly source: TopologyText;
}

/** Reads and checks a file. Throws `ControllerError` (`FILE_UNREADABLE`) or `TopologyError`. */
export function openTopology(file: string): OpenedTopology {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : message;
    throw new ControllerError(
      'FILE_UNREADABLE',
      `${file} can't be read: ${reason}`,
      'give the path of a topology file',
      cause,
    );
  }
  return { ...loadTopology(text, file), source: { file, text } };
}
