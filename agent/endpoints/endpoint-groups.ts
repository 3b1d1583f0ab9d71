/**
 * A control group for each endpoint of this machine in which a command runs: it bounds how many tasks the endpoint has, and
 * says which processes are its own. Their names are netfold's marks: `netfold+EXPERIMENT/at.ENDPOINT`, where neither part can
 * be the name of a control file, or of one of systemd's units.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  boundGroup,
  countOf,
  type FoundHierarchy,
  findHierarchy,
  type GroupCount,
  groupsBelow,
  killGroup,
  makeGroup,
  processesOf,
  removeGroup,
} from '../kernel/groups/task-groups.ts';

const PREFIX = 'netfold+';
const OF_ENDPOINT = 'at.';
/** All endpoints of an experiment leave this part of the machine's tasks to others. */
const LEFT = 0.1;
/** A killed process takes a moment to end; then its group can be removed. */
const END_PASSES = 250;
const END_MS = 20;

export class EndpointGroups {
  readonly #hierarchy: FoundHierarchy;
  /** Of the experiment, with those of its endpoints below; `undefined` where the machine has none. */
  readonly #folder: string | undefined;
  #problem: string | undefined;

  constructor(experiment: string, hierarchy = findHierarchy()) {
    this.#hierarchy = hierarchy;
    if ('reason' in hierarchy) this.#problem = hierarchy.reason;
    else this.#folder = join(hierarchy.folder, `${PREFIX}${experiment}`);
  }

  /** Why endpoints have no groups, in words; `undefined`: they have. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /**
   * Makes an endpoint's group. `isOwner`: the bound is set also if the group is there already. Returns its folder, into whose
   * `cgroup.procs` a process writes 0 to enter; `undefined` where the machine has none. Never throws.
   */
  make(name: string, most: number, isOwner: boolean): string | undefined {
    const folder = this.folderOf(name);
    if (folder === undefined || 'reason' in this.#hierarchy) return undefined;
    try {
      const isNew = makeGroup(this.#hierarchy, folder);
      boundGroup(this.#folder!, mostOfAll());
      if (isNew || isOwner) boundGroup(folder, most);
      this.#problem = undefined;
      return folder;
    } catch (error) {
      this.#problem = (error as Error).message;
      return undefined;
    }
  }

  /** `undefined` where the machine has none. */
  folderOf(name: string): string | undefined {
    return this.#folder && join(this.#folder, `${OF_ENDPOINT}${name}`);
  }

  /** The folder of a group that is there. */
  standing(name: string): string | undefined {
    const folder = this.folderOf(name);
    return folder !== undefined && existsSync(folder) ? folder : undefined;
  }

  /** Numbers of its processes. */
  processes(name: string): number[] {
    const folder = this.folderOf(name);
    return folder === undefined ? [] : processesOf(folder);
  }

  count(name: string): GroupCount | undefined {
    const folder = this.folderOf(name);
    return folder === undefined ? undefined : countOf(folder);
  }

  /** From now on its processes can't start others. Never throws. */
  close(name: string): void {
    attempt(this.folderOf(name), (folder) => boundGroup(folder, 0));
  }

  /** Removes groups, and with them that of the experiment, if it is empty. What has processes stays. Never throws. */
  remove(names: Iterable<string>): boolean {
    let isGone = true;
    for (const name of names)
      attempt(this.folderOf(name), (folder) => {
        if (!removeGroup(folder)) isGone = false;
      });
    attempt(this.#folder, removeGroup);
    return isGone;
  }

  /** The endpoints that have a group. */
  names(): string[] {
    const groups = this.#folder === undefined ? [] : groupsBelow(this.#folder);
    return groups.filter((one) => one.startsWith(OF_ENDPOINT)).map((one) => one.slice(OF_ENDPOINT.length));
  }

  /** Kills what is in the groups of these endpoints, and removes them. Returns whether all of it is gone; never rejects. */
  async end(names: readonly string[], pause: (ms: number) => Promise<unknown>): Promise<boolean> {
    for (let pass = 0; ; pass++) {
      if (this.remove(names)) return true;
      if (pass === END_PASSES) return false;
      for (const name of names) attempt(this.folderOf(name), killGroup);
      await pause(END_MS);
    }
  }
}

/** The experiments of which groups are here. */
export function experimentsWithGroups(hierarchy = findHierarchy()): string[] {
  if ('reason' in hierarchy) return [];
  const marked = groupsBelow(hierarchy.folder).filter((name) => name.startsWith(PREFIX));
  return marked.map((name) => name.slice(PREFIX.length));
}

/** Without an end of its own, a bomb in each of many endpoints would take all numbers that the machine has for processes. */
function mostOfAll(): number {
  const limits = ['pid_max', 'threads-max'].map((name) =>
    Number.parseInt(readFileSync(`/proc/sys/kernel/${name}`, 'utf8'), 10),
  );
  return Math.floor(Math.min(...limits) * (1 - LEFT));
}

/** A group that is gone, or may not be changed: what is done for it is done without. */
function attempt(folder: string | undefined, action: (folder: string) => void): void {
  if (folder === undefined) return;
  try {
    action(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
  }
}
