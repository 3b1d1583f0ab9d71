/** Whether what an experiment writes while it starts has room: asked before anything is changed. */
import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { ControllerError } from '../errors.ts';

export interface Needed {
  readonly bytes: number;
  readonly files: number;
}

/** Sockets, state and the first lines of logs, with some room: 64 KiB. */
const BASE: Needed = { bytes: 65_536, files: 16 };
/** An endpoint's place in the state and in the bootstrap; its folder, log, and what is kept of its command. */
const PER_ENDPOINT: Needed = { bytes: 8_192, files: 6 };
/** Bootstrap, identity and log of an agent, and the blocks that they begin. */
const PER_HOST: Needed = { bytes: 16_384, files: 6 };

/** What an experiment of this size writes; each host's bootstrap has the topology's text. */
export function neededRoom(size: {
  readonly hosts: number;
  readonly endpoints: number;
  readonly text: string;
}): Needed {
  const { hosts, endpoints } = size;
  // Quoted in JSON, a line's end is two characters, and so is a quotation mark.
  const text = Buffer.byteLength(JSON.stringify(size.text));
  return {
    bytes: BASE.bytes + hosts * (text + PER_HOST.bytes) + endpoints * PER_ENDPOINT.bytes,
    files: BASE.files + hosts * PER_HOST.files + endpoints * PER_ENDPOINT.files,
  };
}

/** Throws `ControllerError` (`NO_ROOM`) if the file system of the folder, which need not be there, has less. */
export function requireDiskRoom(folder: string, needed: Needed): void {
  const where = thereAbove(folder);
  const { bavail, bsize, ffree, files } = statfsSync(where);
  const room = bavail * bsize;
  const short = (what: string, has: number, needs: number, see: string): ControllerError => {
    const message = `the file system of ${folder} has room for ${has} ${what}, and the experiment needs ${needs}`;
    return new ControllerError('NO_ROOM', message, `make room, and see what takes it: ${see} ${where}`);
  };
  if (room < needed.bytes) throw short('bytes', room, needed.bytes, 'df');
  // Some file systems have no fixed number of files, and say 0 of 0.
  if (files > 0 && ffree < needed.files) throw short('files', ffree, needed.files, 'df -i');
}

function thereAbove(path: string): string {
  return existsSync(path) ? path : thereAbove(dirname(path));
}
