/** Which endpoints a capture is of, and what it keeps. */
import { familyBytes } from '../../../agent/kernel/netlink/addresses.ts';
import type { Instruction } from '../../../agent/kernel/sys/sockets.ts';
import { callJson } from '../../../proto/http-json.ts';
import type { AgentStatus } from '../../../proto/status.ts';
import type { Micros } from '../../../proto/units.ts';
import type { AgentView } from '../../../proto/view.ts';
import { framesOf, packetsFrom } from '../../capture/address-filter.ts';
import type { CapturePlan } from '../../capture/capture.ts';
import { describeInterface } from '../../capture/format/interface-facts.ts';
import { addressText } from '../../capture/format/packet.ts';
import type { TapFilters } from '../../capture/taps.ts';
import { compileFilter } from '../../capture/tcpdump-filter.ts';
import { ControllerError } from '../../errors.ts';
import { agentStatus } from '../../experiment/agents.ts';
import { type ExperimentState, findExperiment, readState } from '../../experiment/state.ts';
import { netfoldVersion } from '../../machine/version.ts';
import { agentSocket } from '../../names.ts';
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
  const path = from !== undefined && to !== undefined ? await ends(experiment, state, [from, to]) : undefined;
  const endpoints = path
    ? path.flatMap(({ here }) => here ?? [])
    : from === undefined
      ? allOf(experiment, state)
      : [endpointOf(experiment, state, from)];
  const agents = await agentsOf(experiment, endpoints);
  return {
    experiment,
    title: from === undefined ? experiment : (path ?? endpoints).map((one) => one.name).join('--'),
    plan: {
      endpoints: endpoints.map((endpoint) => ({
        ...{ name: endpoint.name, namespace: endpoint.namespace, ifindex: endpoint.ifindex },
        addresses: endpoint.addresses.map((address) => addressText(familyBytes(address))),
        // Where netem delays, all that happens to packets has happened before they leave.
        isWitnessed: agents.get(endpoint.host)?.delay.backend !== 'netem',
        description: describeInterface({ ...endpoint, experiment }),
      })),
      filters: path ? filtersOfPath(endpoints, path, filter) : filtersOf(filter),
      filterText: filter,
      program: `netfold ${netfoldVersion()}`,
      comment: commentOf(experiment, endpoints, agents, path),
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

/** An end of a path. */
interface End {
  readonly name: string;
  readonly addresses: readonly string[];
  /** Absent: it is on another machine. */
  readonly here?: FoundEndpoint;
}

/** Throws `NODE_UNKNOWN`, also if none of both is on this machine; `CAPTURE_USAGE`. */
async function ends(
  experiment: string,
  state: ExperimentState | undefined,
  nodes: readonly [string, string],
): Promise<readonly [End, End]> {
  const found = nodes.map((node): End | undefined => {
    if (!(state?.endpoints ?? []).some(({ name }) => isMeant(name, node))) return undefined;
    const here = endpointOf(experiment, state, node);
    return { name: here.name, addresses: here.addresses, here };
  });
  // What no agent knows is nowhere: the error names those that are here.
  if (found.every((one) => one === undefined)) endpointOf(experiment, state, nodes[0]);
  const [a, b] = await Promise.all(
    nodes.map(async (node, at) => found[at] ?? (await endElsewhere(experiment, state, node))),
  );
  if (a!.name !== b!.name) return [a!, b!];
  throw new ControllerError(
    'CAPTURE_USAGE',
    `both ends are ${a!.name}`,
    'name two endpoints, or one alone for all that passes it',
  );
}

const isMeant = (name: string, node: string): boolean => name === node || name.startsWith(`${node}.`);

/** As the agents here know it. Throws `NODE_UNKNOWN`. */
async function endElsewhere(
  experiment: string,
  state: ExperimentState | undefined,
  node: string,
): Promise<End> {
  const hosts = state?.hosts ?? [];
  const asked = hosts.map(({ name }) => callJson(`unix:${agentSocket(experiment, name)}`, '/view'));
  const answered = await Promise.allSettled(asked);
  const views = answered.flatMap((one) => (one.status === 'fulfilled' ? [one.value as AgentView] : []));
  const known = new Map(views.flatMap(({ endpoints }) => endpoints.map((one) => [one.name, one] as const)));
  const meant = [...known.values()].filter(({ name }) => isMeant(name, node));
  if (meant.length === 1) return { name: meant[0]!.name, addresses: meant[0]!.addresses };
  if (meant.length === 0) endpointOf(experiment, state, node);
  throw new ControllerError(
    'NODE_UNKNOWN',
    `"${node}" has ${meant.length} replicas`,
    `name one of ${meant
      .map(({ name }) => name)
      .slice(0, 10)
      .join(' ')}`,
  );
}

function filtersOf(filter: string | undefined): TapFilters {
  const program = filter === undefined ? undefined : compileFilter(filter);
  return { frames: program && (() => program) };
}

/** Each end sees what comes from the other, or goes there. */
function filtersOfPath(
  endpoints: readonly FoundEndpoint[],
  path: readonly [End, End],
  filter: string | undefined,
): TapFilters {
  const others = endpoints.map(({ name }) => path.find((one) => one.name !== name)!.addresses);
  const peers = others.map((addresses) => addresses.map(familyBytes));
  try {
    const frames = others.map((addresses, index) =>
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
  path: readonly End[] | undefined,
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
  const away = (path ?? []).filter(({ here }) => !here);
  return [
    `Packets of ${names.join(', ')} in the experiment ${experiment}.`,
    ...away.map(({ name }) => `${name} is on another machine: its end of the path is not in here.`),
    ...clocks,
  ].join('\n');
}
