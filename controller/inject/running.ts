/** Running injections, asked and ended from any machine: everything that this takes is on the hosts. */
import { z } from 'zod';
import type { InventoryHost } from '../inventory/model.ts';
import { slowPathsText } from '../slow-paths.ts';
import { type OnOutcome, type Outcome, onEachHost } from './each-host.ts';
import { statusScript, stopScript } from './host-scripts.ts';
import type { Connection } from './ssh/connection.ts';
import type { Connections } from './ssh/connections.ts';

export interface InjectedStatus {
  /** That of its agent (`AgentState`), `unreachable`, `ended` (no process is left), or `absent`: no such injection is there. */
  readonly state: string;
  readonly endpoints: readonly string[];
  /** Endpoints that its agent knows, and those of the topology. */
  readonly known?: number;
  readonly expected?: number;
  /** What can't be enforced, also since the real network is too slow for it; or what its log says at the end. */
  readonly problems: readonly string[];
}

const slowPathsSchema = z.object({
  count: z.number(),
  worst: z.array(
    z.object({
      ...{ from: z.string(), to: z.string() },
      ...{ latencyMs: z.number(), realMs: z.number(), byMs: z.number() },
    }),
  ),
});
const agentSchema = z.object({
  state: z.string(),
  endpoints: z.array(z.string()).default([]),
  known: z.number().optional(),
  expected: z.number().optional(),
  reason: z.string().optional(),
  degraded: z.array(z.string()).default([]),
  conflicts: z.array(z.string()).default([]),
  underlay: z.object({ tooSlow: slowPathsSchema }).optional(),
});
const statusSchema = z.object({ agents: z.array(agentSchema) });

/** Throws `InjectError`. */
export async function statusOf(connection: Connection, experiment: string): Promise<InjectedStatus> {
  return parseStatus(await connection.run(statusScript(experiment), { doing: 'asking its agent' }));
}

/** Of what `statusScript` prints. */
export function parseStatus(said: string): InjectedStatus {
  const text = said.trim();
  if (text === 'absent') return { state: 'absent', endpoints: [], problems: [] };
  const ended = /^ended ?(.*)$/s.exec(text)?.[1];
  if (ended !== undefined) return { state: 'ended', endpoints: [], problems: ended === '' ? [] : [ended] };
  const agent = statusSchema.safeParse(parsed(text)).data?.agents[0];
  if (!agent) return { state: 'unreachable', endpoints: [], problems: ['its status is not understood'] };
  const { state, endpoints, known, expected, reason, degraded, conflicts, underlay } = agent;
  const slow = underlay && slowPathsText(underlay.tooSlow);
  const problems = [reason, ...degraded, ...conflicts, slow].filter((one) => one !== undefined);
  return {
    ...{ state, endpoints, problems },
    ...(known !== undefined && { known }),
    ...(expected !== undefined && { expected }),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function statuses(
  connections: Connections,
  hosts: readonly InventoryHost[],
  experiment: string,
  onOutcome?: OnOutcome<InjectedStatus>,
): Promise<Outcome<InjectedStatus>[]> {
  return onEachHost(hosts, async (host) => statusOf(await connections.to(host), experiment), onOutcome);
}

export type StopResult = 'stopped' | 'nothing runs there';

/** `record`: folder of the host that has its part of the record; `undefined`: it keeps none. */
export interface Ended {
  readonly result: StopResult;
  readonly record: string | undefined;
}

/** An agent has 13 s to end, and a controller as many. */
const STOP_SECONDS = 90;

/** Of what `stopScript` prints. */
export function parseEnded(said: string): Ended {
  const [word, record = ''] = said.trim().split(/ (.*)/s);
  if (word === 'absent') return { result: 'nothing runs there', record: undefined };
  return { result: 'stopped', record: record.startsWith('/') ? record : undefined };
}

export function stopInjection(
  connections: Connections,
  hosts: readonly InventoryHost[],
  experiment: string,
  onOutcome?: OnOutcome<Ended>,
): Promise<Outcome<Ended>[]> {
  return onEachHost(
    hosts,
    async (host): Promise<Ended> => {
      const connection = await connections.to(host);
      const said = await connection.run(stopScript(experiment), { seconds: STOP_SECONDS, doing: 'stopping' });
      return parseEnded(said);
    },
    onOutcome,
  );
}
