/**
 * The real network between hosts, for `netfold place --network`. Where an injection runs on both, its agents have measured the round
 * trip; there, pings would be shaped. Otherwise hosts ping each other, over SSH, with nothing installed.
 */
import { isIPv6 } from 'node:net';
import { z } from 'zod';
import { fromMillis, type Micros, micros, type Ratio, ratio } from '../../proto/units.ts';
import type { InventoryHost } from '../inventory/model.ts';
import { checkHost } from './check.ts';
import { type OnOutcome, type Outcome, onEachHost } from './each-host.ts';
import { statusScript } from './host-scripts.ts';
import type { Connections } from './ssh/connections.ts';

/** Two hosts; both directions are taken to be the same. */
export interface MeasuredWay {
  readonly between: readonly [string, string];
  readonly roundTrip: Micros;
  /** Of a direction; absent: it was not measured. */
  readonly loss?: Ratio;
  readonly by: 'agents' | 'ping';
}

export interface MeasuredNetwork {
  readonly ways: readonly MeasuredWay[];
  /** Pairs of hosts that have answered, and do not reach each other, or have no `ping`. */
  readonly unknown: readonly (readonly [string, string])[];
  readonly outcomes: readonly Outcome<Measurer>[];
}

/** A host that has answered. */
export interface Measurer {
  readonly name: string;
  /** Of its interface. */
  readonly address: string;
  /** Without root's rights, some have no `ping`. */
  readonly canRoot: boolean;
  /** Injections that run there. */
  readonly injections: readonly string[];
  /** Host → round trip, by the agents of all of them. */
  readonly known: ReadonlyMap<string, Micros>;
}

/** Of each pair: at five a second, which is as often as ping sends for whoever is not root. */
const PINGS = 25;
const PING_SECONDS = 0.2;
const PING_DEADLINE_SECONDS = 10;
const MOST_SECONDS = 45;
/** A host pings so many others: what grows with the square of the hosts is bounded. */
export const MOST_PINGED = 64;

/** Hosts that can't be asked are in `outcomes`; only internal errors are thrown. */
export async function measureNetwork(
  connections: Connections,
  hosts: readonly InventoryHost[],
  onOutcome?: OnOutcome<Measurer>,
): Promise<MeasuredNetwork> {
  const outcomes = await onEachHost(hosts, (host) => askHost(connections, host), onOutcome);
  const there = outcomes.flatMap(({ value }) => value ?? []);
  const byAgents = waysOfAgents(there);
  const pairs = toBePinged(there);
  const pinged = await onEachHost([...pairs.keys()], async (one): Promise<MeasuredWay[]> => {
    const connection = await connections.to(hosts.find(({ name }) => name === one.name)!);
    const others = pairs.get(one)!;
    const said = await connection.run(pingScript(others.map(({ address }) => address)), {
      ...{ asRoot: one.canRoot, seconds: MOST_SECONDS, doing: 'pinging the other hosts' },
    });
    const found = parsePings(said);
    return others.flatMap(({ name, address }) => {
      const way = found.get(address);
      return way ? [{ between: [one.name, name] as const, ...way, by: 'ping' as const }] : [];
    });
  });
  const byPing = [...pairs].flatMap(([one, others]) => others.map(({ name }) => [one.name, name] as const));
  const ways = [...byAgents.ways, ...pinged.flatMap(({ value }) => value ?? [])];
  const measured = new Set(ways.map(({ between: [a, b] }) => `${a} ${b}`));
  const unknown = [...byAgents.unknown, ...byPing.filter(([a, b]) => !measured.has(`${a} ${b}`))];
  return { ways, unknown, outcomes };
}

const shareInjection = (one: Measurer, other: Measurer): boolean =>
  one.injections.some((name) => other.injections.includes(name));

/** Between hosts of one injection. */
function waysOfAgents(there: readonly Measurer[]): Pick<MeasuredNetwork, 'ways' | 'unknown'> {
  const ways: MeasuredWay[] = [];
  const unknown: (readonly [string, string])[] = [];
  for (const [index, one] of there.entries()) {
    for (const other of there.slice(index + 1)) {
      if (!shareInjection(one, other)) continue;
      const between = [one.name, other.name] as const;
      const times = [one.known.get(other.name), other.known.get(one.name)].filter(
        (time) => time !== undefined,
      );
      if (times.length === 0) unknown.push(between);
      else ways.push({ between, roundTrip: micros(Math.min(...times)), by: 'agents' });
    }
  }
  return { ways, unknown };
}

async function askHost(connections: Connections, host: InventoryHost): Promise<Measurer> {
  const { facts, shaped, problems } = await checkHost(connections, { host, endpoints: [] });
  const [first] = shaped;
  // What keeps it from having one was found last.
  if (!first) throw problems.at(-1)!;
  const injections = facts?.injections ?? [];
  const connection = await connections.to(host);
  const known = new Map<string, Micros>();
  for (const experiment of injections) {
    const said = await connection.run(statusScript(experiment), { doing: 'asking its agent' });
    for (const [name, time] of roundTripsOf(said)) known.set(name, time);
  }
  return { name: host.name, address: first.address, canRoot: facts?.canRoot ?? false, injections, known };
}

const statusSchema = z.object({
  agents: z.array(
    z.object({
      underlay: z.object({
        hosts: z.array(z.object({ host: z.string(), roundTripMs: z.number().nonnegative().nullable() })),
      }),
    }),
  ),
});

/** Of what `statusScript` prints. Host → round trip; nothing of an agent that has ended. */
export function roundTripsOf(said: string): Map<string, Micros> {
  let value: unknown;
  try {
    value = JSON.parse(said);
  } catch {
    return new Map();
  }
  const agents = statusSchema.safeParse(value).data?.agents ?? [];
  const hosts = agents.flatMap(({ underlay }) => underlay.hosts);
  return new Map(
    hosts.flatMap(({ host, roundTripMs }) =>
      roundTripMs === null ? [] : [[host, fromMillis(roundTripMs)] as const],
    ),
  );
}

/** Each pair once, half of them by each host. Between hosts of one injection, pings would be shaped. */
export function toBePinged<H extends Measurer>(there: readonly H[]): Map<H, H[]> {
  const pairs = new Map<H, H[]>();
  const half = Math.floor(there.length / 2);
  for (const [index, one] of there.entries()) {
    const others: H[] = [];
    for (let step = 1; step <= Math.min(half, MOST_PINGED); step++) {
      // Of an even number, those that are opposite would be two pairs.
      if (2 * step === there.length && index >= half) continue;
      const other = there[(index + step) % there.length]!;
      if (!shareInjection(one, other)) others.push(other);
    }
    if (others.length > 0) pairs.set(one, others);
  }
  return pairs;
}

/** Prints a line for each address: `ADDRESS`, and what ping has said. */
export function pingScript(addresses: readonly string[]): string {
  const options = `-n -q -c ${PINGS} -i ${PING_SECONDS} -w ${PING_DEADLINE_SECONDS}`;
  return `
try() { echo "$1 $(LC_ALL=C ping $2 ${options} "$1" 2>/dev/null | tr '\\n' ' ')"; }
${addresses.map((address) => `try ${address} ${isIPv6(address) ? '-6' : '-4'} &`).join('\n')}
wait
:
`;
}

const COUNTED = /(\d{1,6}) packets transmitted, (\d{1,6}) (?:packets )?received/;
const TIMES = /(?:rtt|round-trip) min\/avg\/max(?:\/mdev)? = (\d{1,7}(?:\.\d{1,6})?)\//;

/** Address → the least round trip, and what a direction loses. Of iputils and busybox. */
export function parsePings(said: string): Map<string, { roundTrip: Micros; loss: Ratio }> {
  const found = new Map<string, { roundTrip: Micros; loss: Ratio }>();
  for (const line of said.split('\n')) {
    const [, sent, received] = COUNTED.exec(line) ?? [];
    const [, least] = TIMES.exec(line) ?? [];
    if (least === undefined || sent === undefined || received === undefined) continue;
    // Both directions lose alike: what comes back has been lost in neither.
    const loss = ratio(1 - Math.sqrt(Math.min(1, Number(received) / Math.max(1, Number(sent)))));
    found.set(line.split(' ')[0]!, { roundTrip: fromMillis(Number(least)), loss });
  }
  return found;
}
