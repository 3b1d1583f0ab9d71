/** What the agents of an experiment say, put together. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import type { agentReportSchema } from '../../proto/api/v1/agent.ts';
import { commandId } from '../../proto/api/v1/command-id.ts';
import type { commandSchema } from '../../proto/api/v1/control.ts';
import type { endpointSchema, liveFlowSchema } from '../../proto/api/v1/network.ts';
import type { ControlAnswer, HistoryEntry } from '../../proto/control.ts';
import { NetfoldError } from '../../proto/errors.ts';
import type { AgentFlows, AgentStatus } from '../../proto/status.ts';
import { micros, millisToSeconds, toMillis } from '../../proto/units.ts';
import type { AgentView } from '../../proto/view.ts';
import { serviceOf } from '../../topology/model/names.ts';
import { ControllerError } from '../errors.ts';
import type { ExperimentState } from '../experiment/state.ts';
import type { Experiments } from './ports.ts';

export type AgentReport = z.infer<typeof agentReportSchema>;
export type LiveFlow = z.infer<typeof liveFlowSchema>;
export type LiveEndpoint = z.infer<typeof endpointSchema>;
export type LiveCommand = z.infer<typeof commandSchema>;

/** A stopped agent answers nothing; the others are shown without it. */
const PATIENCE_MS = 3000;

/** Throws like `ask`, or `UNREACHABLE` after `PATIENCE_MS`. */
export async function askSoon<Answer>(asked: Promise<unknown>): Promise<Answer> {
  const controller = new AbortController();
  const late = sleep(PATIENCE_MS, undefined, { signal: controller.signal }).then(() => {
    const message = `it does not answer within ${millisToSeconds(PATIENCE_MS)} s; it may be stopped`;
    throw new NetfoldError({ code: 'UNREACHABLE', blame: 'machine', message });
  });
  late.catch(() => {});
  // Whoever loses is heard by nobody.
  asked.catch(() => {});
  try {
    return (await Promise.race([asked, late])) as Answer;
  } finally {
    controller.abort();
  }
}

/** The answer of the first agent of this machine that gives one. Throws `AGENT_FAILED`. */
export async function firstOf<Answer>(
  experiments: Experiments,
  { name, hosts }: ExperimentState,
  path: string,
): Promise<Answer> {
  let cause: unknown;
  for (const host of hosts) {
    try {
      return await askSoon<Answer>(experiments.ask(name, host.name, path));
    } catch (error) {
      if (!(error instanceof NetfoldError) || error.code !== 'UNREACHABLE') throw error;
      cause = error;
    }
  }
  throw new ControllerError(
    'AGENT_FAILED',
    `no agent of ${name} answers`,
    `see \`netfold status ${name}\`, or remove it with \`netfold down ${name}\``,
    cause,
  );
}

/** Of each host of this machine. */
export async function reportsOf(
  experiments: Experiments,
  { name, hosts }: ExperimentState,
): Promise<AgentReport[]> {
  return Promise.all(hosts.map(({ name: host }) => reportOf(experiments, name, host)));
}

/**
 * The same with the flows of now, which are a small part of a status with thousands of endpoints. Of whom there is no status, or
 * who is of a version that has no `/flows`, the status is asked for.
 */
export async function withFlowsNow(
  experiments: Experiments,
  { name, hosts }: ExperimentState,
  before: readonly AgentReport[],
): Promise<AgentReport[]> {
  return Promise.all(
    hosts.map(async ({ name: host }): Promise<AgentReport> => {
      const known = before.find((report) => report.host === host);
      if (!known || !isAlive(known)) return reportOf(experiments, name, host);
      try {
        return { ...known, ...(await askSoon<AgentFlows>(experiments.ask(name, host, '/flows'))) };
      } catch (error) {
        return error instanceof NetfoldError && error.code === 'UNREACHABLE'
          ? { host, state: 'unreachable', reason: error.message }
          : reportOf(experiments, name, host);
      }
    }),
  );
}

async function reportOf(experiments: Experiments, name: string, host: string): Promise<AgentReport> {
  try {
    return await askSoon<AgentStatus>(experiments.ask(name, host, '/status'));
  } catch (error) {
    return { host, state: 'unreachable', reason: (error as Error).message };
  }
}

const isAlive = (report: AgentReport): report is AgentStatus => report.state !== 'unreachable';

export const aliveOf = (reports: readonly AgentReport[]): AgentStatus[] => reports.filter(isAlive);

/** Which host has an endpoint, by its view; a view is looked at many times, and has thousands. */
const HOSTS = new WeakMap<AgentView, ReadonlyMap<string, string>>();

function hostsIn(view: AgentView): ReadonlyMap<string, string> {
  const known = HOSTS.get(view) ?? new Map(view.endpoints.map(({ name, host }) => [name, host]));
  HOSTS.set(view, known);
  return known;
}

/** Those from this machine's endpoints with their shares; of others, what their agents have announced. */
export function flowsOf(reports: readonly AgentReport[], view: AgentView | undefined): LiveFlow[] {
  const own = aliveOf(reports).flatMap(({ host, flows }) =>
    flows.map((flow): LiveFlow => ({ ...flow, host })),
  );
  const here = new Set(aliveOf(reports).map(({ host }) => host));
  const hostOf = view && hostsIn(view);
  const others = (view?.flows ?? []).flatMap(({ from, to, rateBps, greedy }): LiveFlow[] => {
    const host = hostOf?.get(from);
    if (host === undefined || here.has(host)) return [];
    return [{ from, to, rateBps, greedy, shareBps: null, limitedBy: null, host, announced: true }];
  });
  return [...own, ...others];
}

/** Of all hosts, as the mesh knows them; without a view, those of this machine. Those of a silent agent, whom the mesh gives up, stay. */
export function endpointsOf(
  state: ExperimentState,
  reports: readonly AgentReport[],
  view: AgentView | undefined,
): LiveEndpoint[] {
  const processes = new Map(aliveOf(reports).flatMap((status) => Object.entries(status.processes)));
  const known = view?.endpoints ?? state.endpoints;
  const names = new Set(known.map(({ name }) => name));
  const silent = new Set(reports.filter((report) => !isAlive(report)).map(({ host }) => host));
  const lost = state.endpoints.filter(({ name, host }) => silent.has(host) && !names.has(name));
  return [...known, ...lost].map(({ name, host, addresses }) => ({
    name,
    service: serviceOf(name),
    host,
    addresses,
    process: processes.get(name) ?? null,
  }));
}

export function commandOf(entry: HistoryEntry): LiveCommand {
  const { text, by, issuedAt, at, until, state, problem, hit, hitCount } = entry;
  return {
    id: commandId(entry),
    ...{ text, by, state },
    issuedAtMs: toMillis(micros(issuedAt)),
    atMs: toMillis(micros(at)),
    untilMs: until === undefined ? null : toMillis(micros(until)),
    ...(problem !== undefined && { problem }),
    ...(hit && { hit }),
    ...(hitCount !== undefined && { hitCount }),
  };
}

export const nowMsOf = ({ now }: Pick<ControlAnswer, 'now'>): number | null =>
  now === null ? null : toMillis(micros(now));
