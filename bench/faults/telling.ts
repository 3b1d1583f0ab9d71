/** Whether agents on a full disk say so as soon as they have what they can't keep: not after it has changed something. */
import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { logFolderOf } from '../../controller/names.ts';
import type { AgentView } from '../../proto/view.ts';

const LOOK_MS = 50;
const JOURNAL = '.commands';
const TOLD = /keeping commands for the next agent/;

/** What an agent knew when all of it was kept. */
export interface Kept {
  readonly digest: string;
  /** Of its journal of commands. */
  readonly bytes: number;
}

/**
 * What an agent says, and whether it is right: its journal has all commands that it knows, or it says that it has not. `bytes`: of the
 * journal before it was asked, and after it has answered. Pure.
 */
export function judgeTelling(
  { host, commands, degraded }: Pick<AgentView, 'host' | 'commands' | 'degraded'>,
  bytes: { readonly before: number; readonly after: number },
  kept: Kept | undefined,
): { readonly kept: Kept; readonly problem?: string } {
  const now = { digest: commands.digest, bytes: bytes.before };
  if (!kept || kept.digest === now.digest) return { kept: kept ?? now };
  // What was left of its last block had room for it.
  if (bytes.after > kept.bytes) return { kept: now };
  if (degraded.some((what) => TOLD.test(what))) return { kept };
  return { kept, problem: `${host} has commands that it does not keep, and does not say so` };
}

/** Looks until the returned function is called, which returns a line for each agent that has not told. The disk is full, and stays so. */
export async function watchTelling(
  experiment: string,
  views: () => Promise<readonly (AgentView | undefined)[]>,
): Promise<() => Promise<string[]>> {
  const kept = new Map<string, Kept>();
  const problems = new Set<string>();
  const look = async (): Promise<void> => {
    const before = journalBytes(experiment);
    const seen = await views();
    const after = journalBytes(experiment);
    for (const view of seen) {
      if (!view) continue;
      const bytes = { before: before.get(view.host) ?? 0, after: after.get(view.host) ?? 0 };
      const one = judgeTelling(view, bytes, kept.get(view.host));
      kept.set(view.host, one.kept);
      if (one.problem !== undefined) problems.add(one.problem);
    }
  };
  await look();
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      await look();
      await sleep(LOOK_MS);
    }
  })();
  return async () => {
    isOver = true;
    await watching;
    return [...problems];
  };
}

/** By host; absent: it has none yet. */
function journalBytes(experiment: string): ReadonlyMap<string, number> {
  const folder = logFolderOf(experiment);
  const files = readdirSync(folder).filter((name) => name.endsWith(JOURNAL));
  return new Map(files.map((name) => [basename(name, JOURNAL), statSync(join(folder, name)).size]));
}
