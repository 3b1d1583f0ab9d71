/** The ways between hosts: whether their agents would reach each other, and whether packets leave by what is shaped. */
import { isIP, isIPv6 } from 'node:net';
import type { InventoryHost } from '../inventory/model.ts';
import { MESH_PORT } from '../names.ts';
import { onEachHost } from './each-host.ts';
import type { Shaped } from './judge-host.ts';
import type { Connections } from './ssh/connections.ts';
import { InjectError } from './ssh/errors.ts';

/** Seconds for the connections of a host, all at once: one that is busy takes some to start a shell. */
const DIAL_SECONDS = 12;
const MOST_SECONDS = 45;
/** Each host tries so many others, those that follow it in the inventory: what grows with the square of the hosts is bounded. */
const MOST_TRIED = 64;

/** A host and what is shaped there. */
export interface Standpoint {
  readonly name: string;
  readonly shaped: readonly Shaped[];
}

/**
 * Each host tries the port of the mesh of others, where an agent listens that has its first interface; and is asked for its routes to
 * all of their endpoints. One without bash is not asked for connections: its shell has no sockets. Of hosts that can't be asked, nothing.
 */
export async function findApart(
  connections: Connections,
  hosts: readonly InventoryHost[],
  checked: readonly Standpoint[],
): Promise<InjectError[]> {
  const there = checked.filter(({ shaped }) => shaped.length > 0);
  const asked = hosts.filter(({ name }) => there.some((one) => one.name === name));
  const outcomes = await onEachHost(asked, async (host): Promise<InjectError[]> => {
    const at = there.findIndex(({ name }) => name === host.name);
    const others = [...there.slice(at + 1), ...there.slice(0, at)].slice(0, MOST_TRIED);
    if (others.length === 0) return [];
    const connection = await connections.to(host);
    const said = await connection.run(waysScript(there[at]!, others), {
      asRoot: false,
      seconds: MOST_SECONDS,
      doing: 'trying the other hosts',
    });
    return [...apart(host.name, others, said), ...strayed(there[at]!, others, said)];
  });
  return outcomes.flatMap(({ value = [] }) => value);
}

/** Whoever refuses is reached, since no agent runs yet. */
function apart(host: string, others: readonly Standpoint[], said: string): InjectError[] {
  const lines = new Set(said.split('\n'));
  if (!lines.has('dialled')) return [];
  return others.flatMap(({ name, shaped: [first] }) => {
    const { address } = first!;
    if (lines.has(`reached ${address}`)) return [];
    const shown = isIPv6(address) ? `[${address}]` : address;
    const message = `${host}: it does not reach ${name} at ${shown}:${MESH_PORT}`;
    const remedy = `let TCP port ${MESH_PORT} through the firewalls of both, and look at routes: ip route get ${address}`;
    return [new InjectError('HOST_APART', message, remedy)];
  });
}

/** `DESTINATION from SOURCE … dev IFNAME …`, as `ip -o route get` prints it. */
const ROUTE = /^(?:\w+ )?([0-9a-f.:]+) from ([0-9a-f.:]+) .*?\bdev (\S+)/;

/** Of each interface that packets of an endpoint would not leave by, the first route that says so. Pure. */
export function strayed(
  { name: host, shaped }: Standpoint,
  others: readonly Standpoint[],
  said: string,
): InjectError[] {
  const routes = said.split('\n').flatMap((line) => {
    const [, to, from, dev] = ROUTE.exec(line) ?? [];
    // What another name of the same machine would get stays there.
    return dev === undefined || dev === 'lo' ? [] : [{ to, from, dev }];
  });
  const targets = others.flatMap((one) => one.shaped);
  return shaped.flatMap(({ endpoint, address, ifname }) => {
    const stray = routes.find(
      ({ to, from, dev }) =>
        from === address && dev !== ifname && targets.some((target) => target.address === to),
    );
    if (!stray) return [];
    const message = `${host}: what ${endpoint ?? address} sends from ${address} to ${stray.to} leaves by ${stray.dev}, and would not be shaped on ${ifname}`;
    const table = `ip rule add from ${address} lookup 4646; ip route add default dev ${ifname} table 4646`;
    const remedy = `shape ${stray.dev}, or lead it there, as root: ${table} (with \`via GATEWAY\` where there is one)`;
    return [new InjectError('HOST_ROUTE', message, remedy)];
  });
}

/**
 * Prints `dialled` where connections were tried and `reached ADDRESS` for those that were answered or refused; and routes. Children
 * of one bash, which have its sockets, cost a hundredth of what programs would.
 */
export function waysScript({ shaped }: Standpoint, others: readonly Standpoint[]): string {
  const dialled = others.map((one) => one.shaped[0]!.address);
  const routes = shaped.flatMap(({ address }) =>
    others
      .flatMap((one) => one.shaped)
      .filter((other) => isIP(other.address) === isIP(address))
      .map((other) => `route get ${other.address} from ${address}`),
  );
  return `
ip -force -o -batch - <<'ROUTES' 2>/dev/null
${routes.join('\n')}
ROUTES
command -v bash >/dev/null && command -v timeout >/dev/null || exit 0
echo dialled
LC_ALL=C timeout ${DIAL_SECONDS} bash -c '
dial() {
  said=$( { exec 3<>"/dev/tcp/$1/${MESH_PORT}"; } 2>&1 ) && echo "reached $1" && return
  case $said in *refused*) echo "reached $1";; esac
}
for address in ${dialled.join(' ')}; do dial "$address" & done
wait'
:
`;
}
