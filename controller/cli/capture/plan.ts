/** Which endpoints a capture is of, and what it keeps. */
import { familyBytes } from '../../../agent/kernel/netlink/addresses.ts';
import type { Instruction } from '../../../agent/kernel/sys/sockets.ts';
import type { AgentStatus } from '../../../proto/status.ts';
import type { Micros } from '../../../proto/units.ts';
import { framesOf, packetsFrom } from '../../capture/address-filter.ts';
import type { CapturePlan } from '../../capture/capture.ts';
import { addressText } from '../../capture/format/packet.ts';
import type { TapFilters } from '../../capture/taps.ts';
import { compileFilter } from '../../capture/tcpdump-filter.ts';
import { ControllerError } from '../../errors.ts';
import { agentStatus } from '../../experiment/agents.ts';
import { type ExperimentState, findExperiment, readState } from '../../experiment/state.ts';
import { netfoldVersion } from '../../machine/version.ts';
import { endpointOf, type FoundEndpoint } from '../options/find-endpoint.ts';

/** As the command line has them. */
export interface CaptureOptions {
  readonly name?: string;
  readonly all?: boolean;
  readonly write?: string;
  readonly record?: boolean;
  readonly filter?: string;
  readonly size?: number;
  readonly files?: number;
  readonly duration?: Micros;
  readonly count?: number;
  readonly wait: Micros;
  readonly comments: boolean;
  readonly json?: boolean;
}

export interface PlannedCapture {
  readonly experiment: string;
  /** Of the file: `client.0--server.0`. */
  readonly title: string;
  readonly plan: CapturePlan;
}

/** Throws `ControllerError`: `NODE_UNKNOWN`, `CAPTURE_FILTER`, `CAPTURE_USAGE`, `PROGRAM_MISSING`, those of `findExperiment`. */
export async function planCapture(
  from: string | undefined,
  to: string | undefined,
  { name, filter, wait, comments }: Pick<CaptureOptions, 'name' | 'filter' | 'wait' | 'comments'>,
): Promise<PlannedCapture> {
  const experiment = await findExperiment(name);
  const state = readState(experiment);
  const named = [from, to].filter((node) => node !== undefined);
  const endpoints =
    named.length === 0 ? allOf(experiment, state) : named.map((node) => endpointOf(experiment, state, node));
  const path = endpoints.length === 2 && named.length === 2 ? endpoints : undefined;
  if (path && path[0] === path[1])
    throw new ControllerError(
      'CAPTURE_USAGE',
      `both ends are ${path[0]!.name}`,
      'name two endpoints, or one alone for all that passes it',
    );
  const agents = await agentsOf(experiment, endpoints);
  return {
    experiment,
    title: named.length === 0 ? experiment : endpoints.map((one) => one.name).join('--'),
    plan: {
      endpoints: endpoints.map((endpoint) => ({
        ...{ name: endpoint.name, namespace: endpoint.namespace, ifindex: endpoint.ifindex },
        addresses: endpoint.addresses.map((address) => addressText(familyBytes(address))),
        // Where netem delays, all that happens to packets has happened before they leave.
        isWitnessed: agents.get(endpoint.host)?.delay.backend !== 'netem',
        description: `${endpoint.name} of ${experiment} on ${endpoint.host}, ${endpoint.addresses.join(' ')}`,
      })),
      filters: filtersOf(path, filter),
      filterText: filter,
      program: `netfold ${netfoldVersion()}`,
      comment: commentOf(experiment, endpoints, agents),
      ...{ wait, comments },
    },
  };
}

function allOf(experiment: string, state: ExperimentState | undefined): readonly FoundEndpoint[] {
  if (state && state.endpoints.length > 0) return state.endpoints;
  throw new ControllerError(
    'NODE_UNKNOWN',
    `${experiment} has no endpoint on this machine`,
    'packets are taken on the machine that has the endpoint',
  );
}

/** An agent that does not answer is none: the packets are there nevertheless. */
async function agentsOf(
  experiment: string,
  endpoints: readonly FoundEndpoint[],
): Promise<ReadonlyMap<string, AgentStatus>> {
  const hosts = [...new Set(endpoints.map(({ host }) => host))];
  const asked = hosts.map(async (host) => [host, await agentStatus(experiment, host)] as const);
  const answered = await Promise.allSettled(asked);
  return new Map(answered.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])));
}

/** `path`: its two ends, of which each sees what comes from the other, or goes there; absent: no address is looked at. */
function filtersOf(path: readonly FoundEndpoint[] | undefined, filter: string | undefined): TapFilters {
  if (!path) {
    const program = filter === undefined ? undefined : compileFilter(filter);
    return { frames: program && (() => program) };
  }
  const peers = path.toReversed().map(({ addresses }) => addresses.map(familyBytes));
  try {
    const frames = path
      .toReversed()
      .map(({ addresses }, index) =>
        filter === undefined ? framesOf(peers[index]!) : compileFilter(withHosts(addresses, filter)),
      );
    const packets = peers.map(
      (peer): Readonly<Record<4 | 6, readonly Instruction[]>> => ({
        4: packetsFrom(4, peer),
        6: packetsFrom(6, peer),
      }),
    );
    return { frames: (endpoint) => frames[endpoint]!, packets: (endpoint) => packets[endpoint]! };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ControllerError(
      'CAPTURE_USAGE',
      `${path.map(({ name }) => name).join(' and ')} have too many addresses for one filter`,
      'take one endpoint alone, and write --filter "host ADDRESS"',
      error,
    );
  }
}

const withHosts = (addresses: readonly string[], filter: string): string =>
  `(${addresses.map((address) => `host ${address}`).join(' or ')}) and (${filter})`;

/** For whoever has the file: where and when, and how far the clock was from the experiment's. */
function commentOf(
  experiment: string,
  endpoints: readonly FoundEndpoint[],
  agents: ReadonlyMap<string, AgentStatus>,
): string {
  const clocks = [...agents].map(([host, { clock, delay }]) => {
    const { reference, offsetMs, errorMs } = clock;
    const isOwn = reference === null || reference === host || offsetMs === null || errorMs === null;
    const offset = isOwn
      ? 'its clock is the one of the experiment'
      : `the clock of the experiment (${reference}) was ahead of its own by ${offsetMs.toFixed(3)} ± ${errorMs.toFixed(3)} ms`;
    return `${host}: ${offset}; packets are delayed by ${delay.backend}`;
  });
  const shown = endpoints.slice(0, 10).map(({ name }) => name);
  const names =
    endpoints.length > shown.length ? [...shown, `${endpoints.length - shown.length} more`] : shown;
  return [`Packets of ${names.join(', ')} in the experiment ${experiment}.`, ...clocks].join('\n');
}
