/** The folder of a deployment: files for an orchestrator, keys among them. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { PRIVATE_FILE, PRIVATE_FOLDER, replaceFile } from '../../agent/files/own-files.ts';
import { makeMeshKey } from '../../agent/mesh/trust/mesh-key.ts';
import { makeUserKey } from '../../agent/mesh/trust/user-key.ts';
import type { TopologyText } from '../experiment/bootstraps.ts';
import { DeployError } from './errors.ts';

const MESH_KEY = 'mesh.key';
const USER_KEY = 'user.key';

export interface DeployedFiles {
  /** Names in the folder. */
  readonly topology: string;
  readonly script?: string;
  readonly meshKey: string;
  readonly userKey: string;
}

/**
 * Writes topology and keys into a folder of its own; keys that are there stay, so that agents that run go on to understand each
 * other. `main`: the file that is written last, and by which a folder of a former deployment is known. Throws `DeployError`.
 */
export function writeInputs(
  folder: string,
  main: string,
  { file, text, script }: TopologyText,
): DeployedFiles {
  const isOther = existsSync(folder) && readdirSync(folder).length > 0 && !existsSync(join(folder, main));
  if (isOther)
    throw new DeployError(
      'DEPLOY_FOLDER',
      `${folder} has other files than those of a deployment`,
      'name a new folder: -o DIR',
    );
  mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
  const names = {
    topology: `topology${extname(file) || '.yaml'}`,
    ...(script && { script: `events${extname(script.file) || '.txt'}` }),
    ...{ meshKey: MESH_KEY, userKey: USER_KEY },
  };
  write(folder, names.topology, text);
  if (script) write(folder, names.script!, script.text);
  if (!existsSync(join(folder, MESH_KEY))) makeMeshKey(join(folder, MESH_KEY));
  if (!existsSync(join(folder, USER_KEY))) makeUserKey(join(folder, USER_KEY));
  return names;
}

export function write(folder: string, name: string, text: string): void {
  replaceFile(join(folder, name), text, { mode: PRIVATE_FILE });
}

/** Of everything that agents read: changes whenever one of the files does. */
export function versionOf(folder: string, files: DeployedFiles): string {
  const hash = createHash('sha256');
  for (const name of Object.values(files)) hash.update(`${name}\0`).update(readFileSync(join(folder, name)));
  return hash.digest('hex').slice(0, 12);
}
