/** Takes an experiment of the local lab away and keeps what it is; and makes it again. */
import { readFileSync } from 'node:fs';
import { isIPv4, isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bootstrap } from '../../../proto/bootstrap.ts';
import { micros } from '../../../proto/units.ts';
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

/** Why an experiment is not idle, in words; `undefined`: nothing was seen in this time. */
export async function activityOf(experiment: string, forMs: number): Promise<string | undefined> {
  const state = readState(experiment);
  const namespaces = state?.endpoints.map(({ namespace }) => namespace) ?? [];
  const deadline = performance.now() + forMs;
  do {
    for (const { name } of state?.hosts ?? []) {
      const status = await agentStatus(experiment, name).catch(() => undefined);
      if (!status) return `the agent of ${name} does not answer`;
      const busy = status.flows.find(({ rateBps }) => rateBps > IDLE_BPS);
      if (busy) return `${busy.from} sends to ${busy.to}`;
    }
    if (processesIn(namespaces).some(hasTerminal)) return 'a terminal is open inside';
    await sleep(Math.max(0, Math.min(LOOK_MS, deadline - performance.now())));
  } while (performance.now() < deadline);
  return undefined;
}

/** The seventh field of its status is its controlling terminal (proc(5)); the second one, a name, may contain anything but is in parentheses. */
function hasTerminal(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[4]) !== 0;
  } catch {
    return false;
  }
}
