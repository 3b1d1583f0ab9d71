/**
 * A messenger: the process that an agent leaves behind if its experiment has ended while hosts were away. It has the agent's name and
 * identity on the mesh, all commands, and no endpoints. A host that comes back meets it, asks for the commands that it lacks, as of
 * any agent, checks their signatures, and ends. One that joins anew learns it with the invitation.
 */
import { pino } from 'pino';
import { SYSTEM_TIME } from '../../agent/clock/clock.ts';
import { ExperimentClock } from '../../agent/clock/experiment-clock.ts';
import { openMesh } from '../../agent/daemon/open-mesh.ts';
import type { OpenMesh } from '../../agent/daemon/ports.ts';
import { takeOrdinaryPriority } from '../../agent/endpoints/priority.ts';
import type { Mesh } from '../../agent/mesh/exchange/mesh.ts';
import type { MeshHost } from '../../agent/mesh/members/model.ts';
import { type Message, WAITS_MS } from '../../agent/messenger/message.ts';
import { isPortWanted, noteProcess, readMessage, removePlace } from '../../agent/messenger/places.ts';
import { Player } from '../../agent/timeline/player.ts';
import { isQuit } from '../../proto/command.ts';
import { Lanes } from '../../proto/lanes.ts';
import { loadTopology } from '../../topology/load.ts';

/** Whether its port is wanted, and whether all know. */
const LOOK_MS = 250;
/** A host of this start of the experiment takes the commands within a few seconds, also on a busy machine. */
const OTHER_START_MS = 30_000;

/** Resolves when all hosts know, when it has waited for long enough, or is asked to end; then nothing of it is left. */
export async function runMessenger(folder: string): Promise<void> {
  const message = readMessage(folder);
  takeOrdinaryPriority();
  const end = new AbortController();
  const { signal: ending } = end;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => end.abort());
  const { clock, timers } = SYSTEM_TIME;
  const cancel = timers.after(Math.max(0, Math.min(WAITS_MS, message.until - clock.wallNow())), () =>
    end.abort(),
  );
  const untold = new Untold(message);
  try {
    await inputEnds(ending);
    while (!untold.isEmpty && !ending.aborted) await attend(message, { folder, untold, ending });
  } finally {
    cancel();
    removePlace(folder);
  }
}

/** The agent has the port and the name until its process has ended. */
async function inputEnds(ending: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  ending.addEventListener('abort', () => resolve());
  for (const event of ['end', 'close', 'error']) process.stdin.once(event, () => resolve());
  process.stdin.resume();
  await promise;
  process.stdin.destroy();
}

interface Attending {
  readonly folder: string;
  readonly untold: Untold;
  readonly ending: AbortSignal;
}

/** Takes part in the mesh until all know, its port is wanted, or it is to end. */
async function attend(message: Message, { folder, untold, ending }: Attending): Promise<void> {
  const { mesh, transport, hasPort } = await open(message, folder, (peer) => untold.invited(peer));
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = (): void => {
    untold.look(mesh, SYSTEM_TIME.clock.now());
    if (untold.isEmpty || ending.aborted || (hasPort && isPortWanted(folder))) resolve();
  };
  mesh.onChange(look);
  const cancel = SYSTEM_TIME.timers.every(LOOK_MS, look);
  ending.addEventListener('abort', look, { once: true });
  // Each is dialled again until it answers. Of two that wait, one has joined when the other was there: who asks one hears of all.
  const addresses = [...message.untold.flatMap((host) => host.addresses), ...message.bootstrap.mesh.peers];
  for (const address of new Set(addresses)) void transport.connect(address).catch(() => {});
  await promise;
  cancel();
  await mesh.stop();
  if (!untold.isEmpty && !ending.aborted) noteProcess(folder, false);
}

type Opened = OpenMesh & { readonly hasPort: boolean };

/** At the agent's port, or at any where another agent has that, or wants it. Where it can't listen at all, it dials only. */
async function open(message: Message, folder: string, onInvited: (peer: string) => void): Promise<Opened> {
  const { listen } = message.bootstrap.mesh;
  const elsewhere = listen.map((address) => address.replace(/\/tcp\/\d+/, '/tcp/0'));
  for (const addresses of [listen, elsewhere]) {
    const hasPort = addresses === listen;
    // Before it looks whether others want the port (`wantPort`).
    noteProcess(folder, hasPort);
    if (hasPort && isPortWanted(folder)) continue;
    try {
      return { ...(await openAt(message, addresses, onInvited)), hasPort };
    } catch (error) {
      if ((error as { code?: string }).code !== 'MESH_LISTEN') throw error;
    }
  }
  return { ...(await openAt(message, [], onInvited)), hasPort: false };
}

async function openAt(
  message: Message,
  listen: readonly string[],
  onInvited: (peer: string) => void,
): Promise<OpenMesh> {
  const opened = await openWith(message, listen, onInvited);
  await opened.mesh.start();
  return opened;
}

async function openWith(
  { bootstrap, commands, startAt }: Message,
  listen: readonly string[],
  onInvited: (peer: string) => void,
): Promise<OpenMesh> {
  const { text, file, script } = bootstrap.topology;
  const { topology } = loadTopology(text, file, script);
  const player = new Player(topology, () => {});
  const { endpoints, nodes, ecmp } = player.graph;
  const rights = player.rights(bootstrap.mesh.assignment);
  const { clock, timers } = SYSTEM_TIME;
  const time = new ExperimentClock(clock);
  time.startAt(startAt);
  const open = await openMesh(
    // What the agent announced leads to its own port alone.
    {
      ...bootstrap,
      mesh: {
        ...bootstrap.mesh,
        listen: [...listen],
        ...(listen !== bootstrap.mesh.listen && { announce: [] }),
      },
    },
    {
      ...{ endpointNames: endpoints, lanes: new Lanes(nodes.length, ecmp), clock, timers, time, onInvited },
      log: pino({ level: 'silent' }),
      lacking: (command, author) => rights.lacking(command, author),
      leftOut: player.leftOut,
      ended: () => commands.filter(isQuit),
    },
  );
  open.mesh.view.door.take(commands);
  return open;
}

/** Hosts that do not know yet. */
export class Untold {
  readonly #left: Set<string>;
  readonly #peers: ReadonlyMap<string, string>;
  /** Those that are there now, or were. */
  readonly #met = new Set<string>();
  /** Those that had all commands when they were seen. */
  readonly #knowing = new Set<string>();
  /** Since when hosts with endpoints have not had them, in milliseconds. */
  readonly #behind = new Map<string, number>();

  constructor({ untold }: Message) {
    this.#left = new Set(untold.map(({ name }) => name));
    this.#peers = new Map(untold.map(({ name, peer }) => [peer, name]));
  }

  get isEmpty(): boolean {
    return this.#left.size === 0;
  }

  /**
   * A host that knows has ended when it is gone; one that left by itself has ended, too. One that does not take the commands is of another
   * start of the experiment, with the same keys: then nobody is waited for any more.
   */
  look({ view }: Pick<Mesh, 'view'>, now: number): void {
    const present = new Map(view.hosts().map((host) => [host.name, host]));
    const lost = new Set(view.untold().map(({ name }) => name));
    for (const name of this.#left) {
      const host = present.get(name);
      if (host) this.#met.add(name);
      if (host?.inStep) this.#knowing.add(name);
      const hasLeft = this.#met.has(name) && !lost.has(name);
      if (!host && (this.#knowing.has(name) || hasLeft)) this.#left.delete(name);
    }
    if (this.#longestBehind(view.hosts(), now) >= OTHER_START_MS) this.#left.clear();
  }

  #longestBehind(hosts: readonly MeshHost[], now: number): number {
    const behind = hosts.filter(({ self, inStep, endpoints }) => !self && !inStep && endpoints > 0);
    const since = new Map(behind.map(({ name }) => [name, this.#behind.get(name) ?? now]));
    this.#behind.clear();
    for (const [name, at] of since) this.#behind.set(name, at);
    return now - Math.min(now, ...since.values());
  }

  /** With the invitation it has learned of the end. */
  invited(peer: string): void {
    const name = this.#peers.get(peer);
    if (name !== undefined) this.#left.delete(name);
  }
}
