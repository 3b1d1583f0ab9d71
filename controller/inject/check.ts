/** What each host can do, and whether the agents of all would reach each other. */
import { isIPv6 } from 'node:net';
import type { NetfoldError } from '../../proto/errors.ts';
import { millisToSeconds } from '../../proto/units.ts';
import type { InventoryHost } from '../inventory/model.ts';
import { MESH_PORT } from '../names.ts';
import { type OnOutcome, onEachHost } from './each-host.ts';
import { type HostFacts, PROBE_SCRIPT, parseProbe } from './host-probe.ts';
import { type Judged, judgeHost, sameMachines } from './judge-host.ts';
import type { Connections } from './ssh/connections.ts';
import { InjectError } from './ssh/errors.ts';

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
  hosts: readonly InventoryHost[],
  onOutcome?: OnOutcome<CheckedHost>,
): Promise<Checked[]> {
  const outcomes = await onEachHost(hosts, (host) => checkHost(connections, host), onOutcome);
  const answered = outcomes.flatMap(({ value }) =>
    value?.facts ? [{ name: value.name, facts: value.facts }] : [],
  );
  const twice = sameMachines(answered);
  const apart = await unreachable(
    connections,
    hosts,
    outcomes.flatMap(({ value }) => value ?? []),
  );
  return outcomes.map(({ host, value, error }) => {
    const found: CheckedHost = value ?? { name: host, problems: [], notes: [], shaped: undefined };
    const others = [...twice, ...apart].filter(({ message }) => message.startsWith(`${host}: `));
    return { ...found, all: [...(error ? [error] : []), ...found.problems, ...others] };
  });
}

async function checkHost(connections: Connections, host: InventoryHost): Promise<CheckedHost> {
  const connection = await connections.to(host);
  const before = Date.now();
  const said = await connection.run(PROBE_SCRIPT, { asRoot: false, doing: 'looking at it' });
  const after = Date.now();
  const facts = parseProbe(said);
  // The script reads the clock first, at an unknown instant between the two; without fractions, up to a second later.
  const errorSeconds = millisToSeconds((after - before) / 2) + (Number.isInteger(facts.clockSeconds) ? 1 : 0);
  const offsetSeconds = facts.clockSeconds - millisToSeconds((before + after) / 2);
  const clock = { offsetSeconds, errorSeconds };
  return { name: host.name, facts, clock, ...judgeHost(host, facts, clock, process.arch) };
}

/**
 * Seconds for one connection between two hosts, all at once: a busy host takes some to start a shell. One that is refused at once
 * reaches the host, since no agent runs yet.
 */
const DIAL_SECONDS = 12;
const MOST_SECONDS = 45;

/** Each host tries the port of the mesh of each other one. A host without bash is not asked: its shell has no sockets. */
async function unreachable(
  connections: Connections,
  hosts: readonly InventoryHost[],
  checked: readonly CheckedHost[],
): Promise<InjectError[]> {
  const targets = checked.flatMap(({ name, shaped }) => (shaped ? [{ name, address: shaped.address }] : []));
  const asked = hosts.filter(({ name }) => targets.some((one) => one.name === name));
  const outcomes = await onEachHost(asked, async (host) => {
    const connection = await connections.to(host);
    const others = targets.filter(({ name }) => name !== host.name);
    const said = await connection.run(dialScript(others.map(({ address }) => address)), {
      asRoot: false,
      seconds: MOST_SECONDS,
      doing: 'trying the other hosts',
    });
    const closed = said.split('\n').flatMap((line) => /^closed (\S+)$/.exec(line)?.[1] ?? []);
    return others.filter(({ address }) => closed.includes(address));
  });
  return outcomes.flatMap(({ host, value = [] }) =>
    value.map(({ name, address }) => {
      const shown = isIPv6(address) ? `[${address}]` : address;
      const message = `${host}: it does not reach ${name} at ${shown}:${MESH_PORT}`;
      const remedy = `let TCP port ${MESH_PORT} through the firewalls of both, and look at routes: ip route get ${address}`;
      return new InjectError('HOST_APART', message, remedy);
    }),
  );
}

/** Prints `closed ADDRESS` for those that no packet comes back from, or only that there is no way. */
export function dialScript(addresses: readonly string[]): string {
  return `
command -v bash >/dev/null && command -v timeout >/dev/null || exit 0
dial() {
  said=$(LC_ALL=C timeout ${DIAL_SECONDS} bash -c "exec 3<>/dev/tcp/$1/${MESH_PORT}" 2>&1) && return
  case $said in *refused*) ;; *) echo "closed $1";; esac
}
for address in ${addresses.join(' ')}; do dial "$address" & done
wait
`;
}
