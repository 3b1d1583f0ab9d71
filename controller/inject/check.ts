/** What each host can do, and whether the agents of all would reach each other. */
import type { NetfoldError } from '../../proto/errors.ts';
import { millisToSeconds } from '../../proto/units.ts';
import type { AssignedHost } from './assigned-hosts.ts';
import { type OnOutcome, onEachHost } from './each-host.ts';
import { type HostFacts, PROBE_SCRIPT, parseProbe } from './host-probe.ts';
import { type Judged, judgeHost, sameMachines } from './judge-host.ts';
import type { Connections } from './ssh/connections.ts';
import { findApart } from './ways.ts';

export interface CheckedHost extends Judged {
  readonly name: string;
  readonly facts?: HostFacts;
  /** The host's clock less this machine's, give or take the error; absent where the host did not answer. */
  readonly clock?: { readonly offsetSeconds: number; readonly errorSeconds: number };
}

export interface Checked extends CheckedHost {
  /** Also those that are seen only beside other hosts, or that kept the host from being asked. */
  readonly all: readonly NetfoldError[];
}

/** In the order of the hosts. Problems are in the results; only internal errors are thrown. */
export async function checkHosts(
  connections: Connections,
  assigned: readonly AssignedHost[],
  onOutcome?: OnOutcome<CheckedHost>,
): Promise<Checked[]> {
  const named = assigned.map((one) => ({ ...one, name: one.host.name }));
  const outcomes = await onEachHost(named, (one) => checkHost(connections, one), onOutcome);
  const answered = outcomes.flatMap(({ value }) =>
    value?.facts ? [{ name: value.name, facts: value.facts }] : [],
  );
  const twice = sameMachines(answered);
  const apart = await findApart(
    connections,
    assigned.map(({ host }) => host),
    outcomes.flatMap(({ value }) => value ?? []),
  );
  return outcomes.map(({ host, value, error }) => {
    const found: CheckedHost = value ?? { name: host, problems: [], notes: [], shaped: [] };
    const others = [...twice, ...apart].filter(({ message }) => message.startsWith(`${host}: `));
    return { ...found, all: [...(error ? [error] : []), ...found.problems, ...others] };
  });
}

export async function checkHost(connections: Connections, assigned: AssignedHost): Promise<CheckedHost> {
  const { host } = assigned;
  const connection = await connections.to(host);
  const before = Date.now();
  const said = await connection.run(PROBE_SCRIPT, { asRoot: false, doing: 'looking at it' });
  const after = Date.now();
  const facts = parseProbe(said);
  // The script reads the clock first, at an unknown instant between the two; without fractions, up to a second later.
  const errorSeconds = millisToSeconds((after - before) / 2) + (Number.isInteger(facts.clockSeconds) ? 1 : 0);
  const offsetSeconds = facts.clockSeconds - millisToSeconds((before + after) / 2);
  const clock = { offsetSeconds, errorSeconds };
  return { name: host.name, facts, clock, ...judgeHost(assigned, facts, clock, process.arch) };
}
