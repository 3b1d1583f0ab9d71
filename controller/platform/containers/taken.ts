/** Whether a container is an endpoint already, of whichever netfold on this machine. */
import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  NETNS_FOLDER,
  namespacePath,
  OWN_NAMESPACE_FILE,
} from '../../../agent/kernel/netns/namespace-files.ts';
import { called, type Inspected } from './containers.ts';
import { ContainerError } from './errors.ts';
import { inodeAt, parseSandbox, processFolder, type Sandbox, sandboxNames, shared } from './sandbox.ts';

/** All processes of the machine are looked at; an experiment may start with hundreds of endpoints. */
const LOOK_AGAIN_MS = 1000;

/** Throws `CONTAINER_TAKEN` if the namespace is an endpoint of another experiment, or `CONTAINER_SHARED` of another endpoint. */
export function requireFree(sandbox: Sandbox, container: Pick<Inspected, 'name' | 'isPod'>): void {
  for (const name of sandboxNames()) {
    if (inodeAt(namespacePath(name)) !== sandbox.inode) continue;
    const theirs = parseSandbox(name)!;
    if (theirs.experiment !== sandbox.experiment) throw taken(theirs, container);
    if (theirs.endpoint !== sandbox.endpoint) throw shared(container, theirs.endpoint, sandbox.endpoint);
  }
  // An agent of the same experiment ends while its successor starts.
  const theirs = keptByOthers().find(
    ({ inode, experiment }) => inode === sandbox.inode && experiment !== sandbox.experiment,
  );
  if (theirs) throw taken(theirs, container);
}

const taken = (theirs: Sandbox, container: Pick<Inspected, 'name' | 'isPod'>): ContainerError =>
  new ContainerError(
    'CONTAINER_TAKEN',
    `${called(container)} is ${theirs.endpoint} of the experiment ${theirs.experiment}`,
    `end that one: netfold down ${theirs.experiment}, or what has deployed it`,
  );

let kept: { readonly at: number; readonly sandboxes: readonly Sandbox[] } | undefined;

/** What agents in containers have named: each has a /run of its own. */
function keptByOthers(): readonly Sandbox[] {
  const now = performance.now();
  if (kept === undefined || now - kept.at > LOOK_AGAIN_MS)
    kept = { at: now, sandboxes: foldersOfOthers().flatMap(sandboxesIn) };
  return kept.sandboxes;
}

/** Where agents with other mounts than this process have their names, each once. */
function foldersOfOthers(): string[] {
  const own = readlinkSync('/proc/self/ns/mnt');
  const byMounts = new Map<string, string>();
  for (const pid of readdirSync(processFolder()).filter((entry) => /^\d+$/.test(entry))) {
    const process = join(processFolder(), pid);
    try {
      if (!isAgent(readFileSync(join(process, 'cmdline'), 'utf8').split('\0'))) continue;
      const mounts = readlinkSync(join(process, 'ns/mnt'));
      if (mounts !== own) byMounts.set(mounts, join(process, 'root', NETNS_FOLDER));
    } catch {
      // It has ended, or is not this user's to look into.
    }
  }
  return [...byMounts.values()];
}

const isAgent = (words: readonly string[]): boolean =>
  words.includes('agent') && words[words.indexOf('--controller') + 1]?.startsWith('unix:') === true;

/** No link is followed, and a file is no namespace: they would be a container's own. */
function sandboxesIn(folder: string): Sandbox[] {
  const { dev } = statSync(OWN_NAMESPACE_FILE);
  try {
    return readdirSync(folder).flatMap((name) => {
      const sandbox = parseSandbox(name);
      const found = lstatSync(join(folder, name), { throwIfNoEntry: false });
      return sandbox && found?.dev === dev && found.ino === sandbox.inode ? [sandbox] : [];
    });
  } catch {
    return [];
  }
}
