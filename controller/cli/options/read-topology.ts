/** A topology file for commands that only look at it: what this file does not need is not loaded, which is most of their time. */
import { existsSync } from 'node:fs';
import { readTopology } from '../../../topology/read.ts';
import { askedFor, type FileOptions, type OpenedTopology, opened } from './files.ts';

/** As `openTopology` (open-topology.ts). */
export async function openToRead(named: string, given: FileOptions = {}): Promise<OpenedTopology> {
  const asked = askedFor(named, given, await templateOf(named, given));
  const { file, text, script, advice, extras } = asked;
  return opened(await readTopology(text, file, script, advice, extras), asked);
}

async function templateOf(named: string, { set }: FileOptions) {
  if (existsSync(named)) return undefined;
  return (await import('../../workbench/templates/folders.ts')).topologyOfTemplate(named, set);
}
