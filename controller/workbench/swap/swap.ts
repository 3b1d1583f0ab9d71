/** Takes an experiment of the local lab away and keeps what it is; and makes it again. */
import { readFileSync } from 'node:fs';
import { isIPv4, isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bootstrap } from '../../../proto/bootstrap.ts';
import { formatRatio, micros, millisToSeconds, ratio } from '../../../proto/units.ts';
import { loadTopology } from '../../../topology/load.ts';
import { graphAt } from '../../../topology/timeline/graph-at.ts';
import { ControllerError } from '../../errors.ts';
import { agentStatus } from '../../experiment/agents.ts';
import { keptHosts, readBootstrap } from '../../experiment/bootstraps.ts';
import { keepStart } from '../../experiment/started.ts';
import { readState, reserveExperiment } from '../../experiment/state.ts';
import { type Removed, removeExperiment } from '../../experiment/teardown.ts';
import { processesIn } from '../../machine/processes.ts';
import type { IpChoice } from '../../platform/lab/ip-choice.ts';
import type { Plan } from '../../platform/port/plan.ts';
import type { Watch } from '../../platform/port/platform.ts';
import { openPlatform } from '../../platform/registry.ts';
import { forget, markSwap, restoreFolder, swapped } from '../../swapped/kept.ts';

const LAB = 'lab';

/** Throws `ControllerError` (`SWAP_PLATFORM`, `SWAP_EXISTS`, `NO_ROOM`); the experiment goes on then. */
export async function swapOut(experiment: string): Promise<Removed> {
  const state = readState(experiment);
  if (state?.platform !== LAB || state.joined)
    throw new ControllerError(
      'SWAP_PLATFORM',
      `${experiment} is no local lab of this machine alone`,
      'what it has is not made by netfold, so it is not netfold that could free it: netfold down',
    );
  const elapsedMs = await elapsedOf(
    experiment,
    state.hosts.map(({ name }) => name),
  );
  markSwap({ experiment, swappedAt: new Date().toISOString(), elapsedMs });
  return removeExperiment(experiment);
}

async function elapsedOf(experiment: string, hosts: readonly string[]): Promise<number> {
  const asked = await Promise.allSettled(hosts.map((host) => agentStatus(experiment, host)));
  const times = asked.flatMap((one) => (one.status === 'fulfilled' ? (one.value.nowMs ?? 0) : []));
  if (times.length > 0) return Math.max(...times);
  throw new ControllerError(
    'AGENT_FAILED',
    `no agent of ${experiment} says how long it has run`,
    'see netfold status; netfold resume starts agents again',
  );
}

/**
 * Its namespaces, addresses and files as they were; its agents are started by `netfold resume`. Throws `ControllerError` and what a lab's
 * making throws; then nothing of it is left but what was kept.
 */
export async function swapIn(experiment: string, watch: Watch): Promise<void> {
  const { elapsedMs } = swapped(experiment);
  await reserveExperiment(experiment);
  try {
    restoreFolder(experiment);
    const bootstraps = keptHosts(experiment).flatMap((host) => readBootstrap(experiment, host) ?? []);
    const platform = await openPlatform(LAB);
    const plan = await samePlan(experiment, bootstraps);
    watch.signal?.throwIfAborted();
    await platform.make(plan, watch);
    keepStart(experiment, Date.now() - elapsedMs);
  } catch (error) {
    await removeExperiment(experiment).catch(() => {});
    throw error;
  }
}

/** After its agents have taken over. */
export const swappedIn = (experiment: string): void => forget(experiment);

/** What the lab would make now has to be what its agents know. */
async function samePlan(experiment: string, bootstraps: readonly Bootstrap[]): Promise<Plan> {
  const [first] = bootstraps;
  if (!first) throw changed(experiment, 'its bootstraps are gone');
  const { text, file, script } = first.topology;
  const { topology } = loadTopology(text, file, script);
  const platform = await openPlatform(LAB);
  const { endpoints } = graphAt(topology, micros(0));
  const known = new Map(
    bootstraps.flatMap((one) =>
      one.endpoints.map((endpoint) => [endpoint.number, { ...endpoint, host: one.host }]),
    ),
  );
  for (const spread of ['turns', 'traffic'] as const) {
    const options = { hosts: bootstraps.length, ip: ipOf(bootstraps), spread };
    const plan = await platform.plan({ experiment, topology, endpoints, options });
    const isSame = plan.endpoints.every(({ number, name, addresses, host, interface: { index } }) => {
      const one = known.get(number);
      return (
        one?.name === name &&
        one.host === host.name &&
        one.ifindex === index &&
        one.addresses.join() === addresses.join()
      );
    });
    if (isSame && plan.endpoints.length === known.size) return plan;
  }
  throw changed(experiment, 'this version of netfold would give its endpoints other places');
}

function ipOf(bootstraps: readonly Bootstrap[]): IpChoice {
  const addresses = bootstraps.flatMap(({ endpoints }) => endpoints.flatMap((one) => one.addresses));
  if (!addresses.some((address) => isIPv6(address))) return '4';
  return addresses.some((address) => isIPv4(address)) ? 'both' : '6';
}

const changed = (experiment: string, why: string): ControllerError =>
  new ControllerError(
    'SWAP_FAILED',
    `${experiment} can't be brought back: ${why}`,
    'its files are where netfold swap ls says',
  );

/** Less than this is no traffic: neighbours, clocks. */
const IDLE_BPS = 1000;
const LOOK_MS = 1000;
/** Of a processor, all applications together: those that wait wake now and then. */
const IDLE_CORES = 0.02;
/** USER_HZ, on every architecture. */
const TICKS_PER_SECOND = 100;

/** Why an experiment is not idle, in words; `undefined`: nothing was seen in this time. */
export async function activityOf(experiment: string, forMs: number): Promise<string | undefined> {
  const state = readState(experiment);
  const namespaces = state?.endpoints.map(({ namespace }) => namespace) ?? [];
  const begun = performance.now();
  const deadline = begun + forMs;
  const load = new Load();
  do {
    for (const { name } of state?.hosts ?? []) {
      const status = await agentStatus(experiment, name).catch(() => undefined);
      if (!status) return `the agent of ${name} does not answer`;
      const busy = status.flows.find(({ rateBps }) => rateBps > IDLE_BPS);
      if (busy) return `${busy.from} sends to ${busy.to}`;
    }
    const inside = processesIn(namespaces).flatMap((pid) => statOf(pid) ?? []);
    if (inside.some(({ terminal }) => terminal !== 0)) return 'a terminal is open inside';
    load.take(inside);
    await sleep(Math.max(0, Math.min(LOOK_MS, deadline - performance.now())));
  } while (performance.now() < deadline);
  load.take(processesIn(namespaces).flatMap((pid) => statOf(pid) ?? []));
  const cores = load.ticks / TICKS_PER_SECOND / millisToSeconds(performance.now() - begun);
  return cores > IDLE_CORES ? `its applications use ${formatRatio(ratio(cores))} of a processor` : undefined;
}

/** What processes have used of the processors between looks; of those that end or begin between two, the rest is not seen. */
class Load {
  ticks = 0;
  #before: ReadonlyMap<number, number> | undefined;

  take(processes: readonly Stat[]): void {
    for (const { pid, ticks } of processes) {
      const before = this.#before?.get(pid) ?? (this.#before ? 0 : ticks);
      this.ticks += Math.max(0, ticks - before);
    }
    this.#before = new Map(processes.map(({ pid, ticks }) => [pid, ticks]));
  }
}

interface Stat {
  readonly pid: number;
  /** Its controlling terminal; 0: none. */
  readonly terminal: number;
  /** Of processor time. */
  readonly ticks: number;
}

/** proc(5): fields 7, 14 and 15; the second one, a name, may contain anything but is in parentheses. `undefined`: it has ended. */
function statOf(pid: number): Stat | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { pid, terminal: Number(fields[4]), ticks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return undefined;
  }
}
