/** Finds out the state of a running experiment, for a later controller. */
import { existsSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { isStopped } from '../../agent/kernel/sys/process-table.ts';
import type { Bootstrap } from '../../proto/bootstrap.ts';
import { callJson, HttpError } from '../../proto/http-json.ts';
import { ControllerError } from '../errors.ts';
import { agentAt } from '../machine/processes.ts';
import { agentSocket, controllerSocket, experimentFolder } from '../names.ts';
import type { Plan } from '../platform/port/plan.ts';
import type { Platform } from '../platform/port/platform.ts';
import { openPlatform } from '../platform/registry.ts';
import { isDenied, notPermitted } from '../system-errors.ts';
import { type Bootstraps, keptHosts, parseBootstrap, readBootstrap } from './bootstraps.ts';
import { readStart } from './started.ts';
import { findTraces, readState } from './state.ts';

export interface Recovered {
  readonly platform: Platform;
  readonly plan: Plan;
  readonly bootstraps: Bootstraps;
  /** Milliseconds since 1970 by this machine's date; `undefined` if it has not started. */
  readonly startAt: number | undefined;
}

/**
 * Each agent returns its bootstrap; for one that has ended, its file does. Throws `EXPERIMENT_ATTENDED` if there is a
 * controller, `AGENT_STOPPED` for an agent that can't answer until somebody lets it go on, and `RESUME_INCOMPLETE`, which
 * names what is missing.
 */
export async function recover(experiment: string): Promise<Recovered> {
  if (readState(experiment)?.joined) throw attended(experiment, 'an agent that has joined it by itself');
  await requireUnattended(experiment);
  const hosts = await hostsOf(experiment);
  for (const host of hosts) requireGoing(experiment, host);
  const bootstraps = new Map<string, Bootstrap>();
  const missing: string[] = [];
  // At once: a stopped agent answers nothing until the deadline.
  const told = await Promise.all(hosts.map((host) => askAgent(experiment, host)));
  for (const [index, host] of hosts.entries()) {
    const bootstrap = told[index] ?? readBootstrap(experiment, host);
    if (bootstrap) bootstraps.set(host, bootstrap);
    else missing.push(`the agent of ${host} does not answer, and its file is gone`);
  }
  if (hosts.length === 0) missing.push('neither experiment.json, nor an agent, nor a host tells of it');
  if (missing.length > 0) throw incomplete(experiment, missing);
  const starts = [...bootstraps.values()].flatMap(({ startAt }) => startAt ?? []);
  const platform = await openPlatform([...bootstraps.values()][0]!.platform!);
  const plan = await platform.plan({ experiment, standing: bootstraps });
  return { platform, plan, bootstraps, startAt: starts[0] ?? readStart(experiment) };
}

async function requireUnattended(experiment: string): Promise<void> {
  try {
    await callJson(`unix:${controllerSocket(experiment)}`, '/bootstrap/-');
  } catch (error) {
    // It doesn't know this host, but it answers.
    if (error instanceof HttpError && error.code === 'UNREACHABLE' && isNobody(error.cause)) return;
    if (error instanceof HttpError && isDenied(error.cause))
      throw notPermitted(controllerSocket(experiment), error);
  }
  throw attended(experiment, 'a controller already');
}

/** Another agent beside it would be one too many, and to end it is for whoever has stopped it. */
function requireGoing(experiment: string, host: string): void {
  const pid = agentAt(agentSocket(experiment, host));
  if (pid === undefined || !isStopped(pid)) return;
  throw new ControllerError(
    'AGENT_STOPPED',
    `${experiment} can't be resumed: the agent of ${host}, process ${pid}, is stopped (SIGSTOP, or a debugger)`,
    `let it go on with \`kill -CONT ${pid}\`, or end it with \`kill -KILL ${pid}\`; then resume`,
  );
}

/** Nobody listens. A controller that does not answer in time is there nevertheless. */
const isNobody = (cause: unknown): boolean =>
  ['ENOENT', 'ECONNREFUSED'].includes((cause as NodeJS.ErrnoException | undefined)?.code ?? '');

const attended = (experiment: string, what: string): ControllerError =>
  new ControllerError(
    'EXPERIMENT_ATTENDED',
    `${experiment} has ${what}`,
    `end the experiment with \`netfold down ${experiment}\``,
  );

/** From every remaining source: the state file, the bootstraps' files, the agents' sockets, the platforms. */
async function hostsOf(experiment: string): Promise<string[]> {
  const traces = (await findTraces()).filter((trace) => trace.experiment === experiment);
  const stated = readState(experiment)?.hosts.map(({ name }) => name) ?? [];
  const kept = [...keptHosts(experiment), ...socketHosts(experiment)];
  return [...new Set([...stated, ...kept, ...traces.flatMap(({ host }) => host ?? [])])];
}

function socketHosts(experiment: string): string[] {
  const others = basename(controllerSocket(experiment));
  const folder = experimentFolder(experiment);
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((file) => file.endsWith('.sock') && file !== others);
  return files.map((file) => basename(file, '.sock'));
}

async function askAgent(experiment: string, host: string): Promise<Bootstrap | undefined> {
  try {
    return parseBootstrap(await callJson(`unix:${agentSocket(experiment, host)}`, '/bootstrap'));
  } catch {
    return undefined;
  }
}

function incomplete(experiment: string, missing: readonly string[]): ControllerError {
  return new ControllerError(
    'RESUME_INCOMPLETE',
    `${experiment} can't be resumed: ${missing.join('; ')}`,
    `take it away with \`netfold down ${experiment}\`, and start it again`,
  );
}
