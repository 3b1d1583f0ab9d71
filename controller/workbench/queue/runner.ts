/** Starts what waits in the queue when the machine has room for it. */
import type { Load } from '../../machine/capacity.ts';
import type { Holder } from '../../machine/holder.ts';
import { claim, type Entry, entries, inOrder, noteEnd, noteProcess } from './store.ts';

/** A `netfold up` that runs; its exit code, or null if it is no child of this process. */
export interface Started {
  readonly process: Holder;
  readonly ended: Promise<number | null>;
}

export interface RunnerPorts {
  /** How many endpoints fit on the machine now, with hosts and commands of this load. */
  readonly fits: (load: Load) => { readonly endpoints: number; readonly boundedBy: string };
  readonly start: (entry: Entry) => Started;
  /** Of an earlier runner: resolves when it has ended. */
  readonly follow: (process: Holder) => Promise<void>;
  /** Removes what a killed `netfold up` has left. */
  readonly clear: (experiment: string) => Promise<void>;
  /** Resolves when the experiment has taken what it needs, or has failed to. */
  readonly settled: (entry: Entry, started: Started) => Promise<void>;
  readonly sleep: (ms: number) => Promise<void>;
  readonly tell: (line: string) => void;
}

export interface RunnerLimits {
  /** Experiments at once. */
  readonly most: number;
  /** Return when nothing waits or runs any more. */
  readonly untilEmpty: boolean;
}

const LOOK_MS = 500;

/** Until `signal` comes; what runs then goes on. Strictly in order: a small one never overtakes a large one that waits for room. */
export async function runQueue(
  limits: RunnerLimits,
  ports: RunnerPorts,
  signal: AbortSignal,
  root?: string,
): Promise<void> {
  const running = new Map<number, Promise<void>>();
  const told = new Set<string>();
  const watch = (entry: Entry, ended: Promise<void>): void => {
    running.set(
      entry.id,
      ended.finally(() => running.delete(entry.id)),
    );
  };
  for (const entry of entries(root).filter(({ state }) => state === 'running'))
    watch(entry, takeOver(entry, ports));
  while (!signal.aborted) {
    const [next] = inOrder(entries(root));
    if (!next && running.size === 0 && limits.untilEmpty) return;
    const why = next && (running.size >= limits.most ? `${limits.most} run already` : shortOf(next, ports));
    if (!next || why !== undefined) {
      if (next && running.size === 0 && why !== undefined)
        tellOnce(told, `${next.id} (${next.name}) waits: ${why}`, ports);
      await ports.sleep(LOOK_MS);
      continue;
    }
    if (!claim(next, 'run')) continue;
    ports.tell(`${next.id}: ${next.name} starts (${next.file})`);
    const started = ports.start(next);
    noteProcess(next, started.process);
    watch(next, awaitEnd(next, started, ports));
    await ports.settled(next, started);
  }
}

function tellOnce(told: Set<string>, line: string, { tell }: RunnerPorts): void {
  if (told.has(line)) return;
  told.add(line);
  tell(line);
}

/** What it has to wait for, in words. */
function shortOf({ endpoints, hosts, applications }: Entry, { fits }: RunnerPorts): string | undefined {
  const room = fits({ endpoints, hosts, applications });
  if (room.endpoints >= endpoints) return undefined;
  return `of its ${endpoints} endpoints ${room.endpoints} fit now, bounded by ${room.boundedBy}`;
}

async function awaitEnd(entry: Entry, { ended }: Started, { tell }: RunnerPorts): Promise<void> {
  const exitCode = await ended;
  const reason = exitCode === 0 ? '' : `netfold up has ended with ${exitCode}`;
  noteEnd(entry, { exitCode, reason });
  tell(
    `${entry.id}: ${entry.name} has ended${reason === '' ? '' : `: ${reason} (netfold queue show ${entry.id})`}`,
  );
}

/** What an earlier runner has started. */
async function takeOver(entry: Entry, { follow, clear, tell }: RunnerPorts): Promise<void> {
  tell(`${entry.id}: ${entry.name} was started by an earlier runner`);
  if (entry.process) {
    await follow(entry.process);
    noteEnd(entry, { exitCode: null, reason: 'its runner was ended before it: how it ended is in its log' });
    return;
  }
  await clear(entry.name);
  noteEnd(entry, { exitCode: null, reason: 'it was killed with its runner' });
}
