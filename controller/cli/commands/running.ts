/** `netfold ls`, `status`, `down`, `cleanup`: experiments that are running. */
import { type Command, Option } from 'commander';
import { meanLateMs } from '../../../agent/enforce/lateness.ts';
import { type Messenger, messengers } from '../../../agent/messenger/places.ts';
import { EXIT_CODE, exitCodeOf } from '../../../proto/errors.ts';
import type { AgentStatus } from '../../../proto/status.ts';
import { formatRate } from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import { agentStatus } from '../../experiment/agents.ts';
import { userKeyOf } from '../../experiment/control.ts';
import { endEverywhere } from '../../experiment/end-everywhere.ts';
import { experimentNames, findExperiment, readState } from '../../experiment/state.ts';
import { type Removed, removeAll, removeExperiment } from '../../experiment/teardown.ts';
import { type Answer, combined, type ExperimentVerdict } from '../../fidelity/verdict.ts';
import { describeMessenger, endMessengers, messengerLines } from '../../messenger/end-messengers.ts';
import { apiOption, caOption, namedBy, sameNameOption } from '../options/name-option.ts';
import { faultLines } from '../terminal/faults.ts';
import { print, printError, printJson, progress, styled, table, warn } from '../terminal/output.ts';
import { probeLines } from '../terminal/probes.ts';
import { verdictLine } from '../terminal/verdict-text.ts';
import { wideAreaLines } from '../terminal/wide-area.ts';

export function addRunningCommands(program: Command): void {
  program
    .command('ls')
    .description('list the experiments on this machine')
    .option('--json', 'print JSON')
    .addOption(apiOption())
    .addOption(caOption())
    .action(list);
  program
    .command('status [experiment]')
    .description('agents, flows and shares of a running experiment')
    .option('--json', 'print JSON')
    .addOption(sameNameOption())
    .addOption(apiOption())
    .addOption(caOption())
    .action(status);
  program
    .command('down [experiment]')
    .description('end an experiment and remove everything of it')
    .option('--all', 'all experiments')
    .addOption(
      new Option('--everywhere', 'on all machines that take part, not on this one alone').conflicts([
        'all',
        'api',
      ]),
    )
    .addOption(
      new Option(
        '--key <file>',
        "with --everywhere: the user's key that signs it (default: that of who started the experiment here)",
      ).env('NETFOLD_KEY'),
    )
    .addOption(sameNameOption())
    .addOption(apiOption())
    .addOption(caOption())
    .action(down);
  program
    .command('cleanup')
    .description('remove everything of netfold from this machine, whatever state it is in')
    .action(cleanup);
}

interface Listed {
  readonly name: string;
  readonly topologyFile: string | null;
  readonly startedAt: string | null;
  readonly hosts: number;
  readonly endpoints: number;
}

async function listHere(): Promise<Listed[]> {
  return (await experimentNames()).map((name) => {
    const state = readState(name);
    return {
      name,
      topologyFile: state?.topologyFile ?? null,
      startedAt: state?.startedAt ?? null,
      hosts: state?.hosts.length ?? 0,
      endpoints: state?.endpoints.length ?? 0,
    };
  });
}

/** Only what asks another machine needs the modules for it. */
const remote = () => import('../options/api-option.ts');

async function list({ json = false, api }: { json?: boolean; api?: string }): Promise<void> {
  const listed: readonly Listed[] =
    api === undefined ? await listHere() : await (await remote()).connectApi(api).call('listExperiments', {});
  if (json) printJson(listed);
  else if (listed.length === 0) print('no experiment is running');
  else {
    const rows = listed.map(({ name, hosts, endpoints, startedAt, topologyFile }) => {
      return [
        name,
        String(hosts),
        String(endpoints),
        startedAt ?? 'unknown',
        topologyFile ?? 'state file is missing: `netfold cleanup`',
      ];
    });
    print(table(['experiment', 'hosts', 'endpoints', 'started', 'file'], rows, [1, 2]));
  }
  if (!json && api === undefined) for (const line of messengerLines(messengers())) print(line);
}

interface Unreachable {
  readonly host: string;
  readonly state: 'unreachable';
  readonly reason: string;
}

type HostReport = AgentStatus | Unreachable;

async function status(
  given: string | undefined,
  { json = false, name, api }: { json?: boolean; name?: string; api?: string },
): Promise<void> {
  if (!json && api === undefined && (await printEnded(namedBy(given, name)))) return;
  const [experiment, agents] =
    api === undefined ? await reportsHere(namedBy(given, name)) : await reportsAt(api, namedBy(given, name));
  const verdict = combined(agents.map(answerOf));
  if (json) printJson({ experiment, verdict, agents });
  else printStatus(experiment, verdict, agents);
}

async function reportsAt(api: string, name: string | undefined): Promise<[string, readonly HostReport[]]> {
  const { connectApi, experimentAt } = await remote();
  const client = connectApi(api);
  const experiment = await experimentAt(client, name);
  const { agents } = await client.call('getExperiment', { params: { experiment } });
  return [experiment, agents];
}

async function reportsHere(name: string | undefined): Promise<[string, readonly HostReport[]]> {
  const experiment = await findExperiment(name);
  const hosts = readState(experiment)?.hosts ?? [];
  return [experiment, await Promise.all(hosts.map((host) => hostReport(experiment, host.name)))];
}

function answerOf(agent: HostReport): Answer {
  const { host } = agent;
  if (agent.state === 'unreachable') {
    const { reason } = agent as Unreachable;
    return { host, reason, sinceMs: Date.now() };
  }
  return { host, said: (agent as AgentStatus).verdict ?? NOT_JUDGED };
}

/** An agent of an older version. */
const NOT_JUDGED = { verdict: 'faithful', now: 'faithful', since: null, causes: [], forgotten: 0 } as const;

async function hostReport(experiment: string, host: string): Promise<HostReport> {
  try {
    return await agentStatus(experiment, host);
  } catch (error) {
    return { host, state: 'unreachable', reason: (error as Error).message };
  }
}

function printStatus(experiment: string, verdict: ExperimentVerdict, agents: readonly HostReport[]): void {
  const alive = agents.filter((agent): agent is AgentStatus => agent.state !== 'unreachable');
  print(`${styled('bold', experiment)}: ${count(alive.length, 'agent')} of ${agents.length}`);
  const more = verdict.causes.length > 0 ? ` (netfold verdict ${experiment})` : '';
  print(`  ${verdictLine(verdict)}${more}`);
  for (const agent of agents) print(`  ${agent.host}: ${describe(agent)}`);
  // Every agent plays the same timeline; one that has begun tells it.
  const told = alive.find(({ nowMs }) => nowMs !== null) ?? alive[0];
  for (const line of told ? faultLines(told) : []) print(`  ${line}`);
  for (const line of alive.flatMap(wideAreaLines)) print(`  ${line}`);
  for (const line of alive.flatMap(probeLines)) print(`  ${line}`);
  for (const line of alive.flatMap(ruleLines)) print(`  ${line}`);
  for (const line of alive.flatMap(ownTrafficLines)) print(`  ${line}`);
  const flows = alive.flatMap((agent) => agent.flows);
  print('');
  if (flows.length === 0) print('no flows');
  else print(table(['flow', 'rate', 'may use', 'limited by'], flows.map(flowRow), [1, 2]));
}

function describe(agent: HostReport): string {
  if (agent.state === 'unreachable')
    return styled('red', `unreachable: ${(agent as { reason: string }).reason}`);
  const status = agent as AgentStatus;
  const { state, endpoints, known, expected, hosts, ticks, degraded, conflicts, processes, mesh, unbounded } =
    status;
  const facts = `${state}, ${count(endpoints.length, 'endpoint')}, knows ${known}/${expected} on ${count(hosts.length, 'host')}`;
  const away = mesh.unreachable.map((address) => `no agent answers at ${address}; it is tried again`);
  const problems = [...degraded, ...conflicts, ...away].map((text) => `\n    ${styled('red', text)}`);
  const ended = Object.entries(processes)
    .filter(([, how]) => !/^pid \d+(, ready)?$/.test(how))
    .map(
      ([name, how]) =>
        `\n    ${name}: its command ${how.replace(/^pid /, 'runs as pid ')} (netfold logs ${name})`,
    );
  const bounds = unbounded === undefined ? [] : [`\n    processes of endpoints have no bound: ${unbounded}`];
  return [
    `${facts}, tick ${ticks.meanMs.toFixed(2)} ms${times(status)}`,
    ...problems,
    ...ended,
    ...bounds,
  ].join('');
}

/** What rules of links have done. */
function ruleLines({ host, rules = [] }: AgentStatus): string[] {
  return rules.map(
    ({ rule, matched, applied }) => `${host}: rule "${rule}": ${applied} of ${count(matched, 'packet')}`,
  );
}

/** Traffic of netfold's own. */
function ownTrafficLines({ host, traffic, simulated }: AgentStatus): string[] {
  const lines: string[] = [];
  if (traffic && traffic.length > 0) lines.push(`${host}: traffic of netfold's own (netfold traffic)`);
  if (simulated && simulated.flows > 0) {
    const { flows, competing, rateBps } = simulated;
    lines.push(
      `${host}: ${count(flows, 'simulated flow')}, of which ${competing} compete with its own, at ${formatRate(rateBps)}`,
    );
  }
  return lines;
}

/** How late packets (their mean) and events (99 of 100) were, and the offset of this host's clock from the reference. */
function times({ host, epoch, events, clock, delay }: AgentStatus): string {
  const facts: string[] = [];
  const lateMs = delay.work && meanLateMs(delay.work);
  if (lateMs !== undefined) facts.push(`packets ${lateMs.toFixed(2)} ms late`);
  if (events.count > 0) facts.push(`epoch ${epoch}, events within ${events.p99Ms.toFixed(1)} ms`);
  const { reference, offsetMs, errorMs } = clock;
  if (reference !== null && reference !== host && offsetMs !== null && errorMs !== null)
    facts.push(`clock ${(-offsetMs).toFixed(1)} ± ${errorMs.toFixed(1)} ms from ${reference}'s`);
  return facts.map((fact) => `, ${fact}`).join('');
}

function flowRow({ from, to, rateBps, shareBps, greedy, limitedBy }: AgentStatus['flows'][number]): string[] {
  const share = formatRate(shareBps ?? Number.POSITIVE_INFINITY);
  return [`${from} > ${to}`, formatRate(rateBps), share, limitedBy ?? (greedy ? '-' : 'itself')];
}

/** Half of an experiment is of no use, so Ctrl-C doesn't stop its removal. */
function finishInSpiteOfSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => warn(`${signal} came; what is being removed is removed to its end`));
}

interface DownOptions {
  readonly all?: boolean;
  readonly everywhere?: boolean;
  readonly key?: string;
  readonly name?: string;
  readonly api?: string;
}

async function down(
  given: string | undefined,
  { all = false, everywhere = false, key, name, api }: DownOptions,
): Promise<void> {
  if (api !== undefined) await downAt(api, all ? 'all' : { name: namedBy(given, name) });
  else if (all) await cleanup();
  else if (everywhere) await downEverywhere(namedBy(given, name), key);
  else {
    const experiment = await findExperiment(namedBy(given, name));
    finishInSpiteOfSignals();
    report(await removeExperiment(experiment, progress));
  }
}

/** Of an experiment that has ended here. */
async function waitingOf(experiment: string | undefined): Promise<Messenger[]> {
  const waiting = messengers().filter(({ message }) => message.bootstrap.experiment === experiment);
  if (experiment === undefined || waiting.length === 0) return [];
  return (await experimentNames()).includes(experiment) ? [] : waiting;
}

/** Returns whether there was a messenger. */
async function endWaiting(experiment: string | undefined): Promise<boolean> {
  if ((await waitingOf(experiment)).length === 0) return false;
  for (const one of await endMessengers(experiment)) print(`removed ${describeMessenger(one)}`);
  return true;
}

/** Returns whether there was a messenger. */
async function printEnded(experiment: string | undefined): Promise<boolean> {
  const lines = messengerLines(await waitingOf(experiment));
  for (const line of lines) print(line);
  return lines.length > 0;
}

async function downAt(api: string, which: 'all' | { readonly name: string | undefined }): Promise<void> {
  const { connectApi, experimentAt } = await remote();
  const client = connectApi(api);
  const listed = which === 'all' ? await client.call('listExperiments', {}) : [];
  const names = which === 'all' ? listed.map((one) => one.name) : [await experimentAt(client, which.name)];
  for (const experiment of names) report(await client.call('removeExperiment', { params: { experiment } }));
  if (names.length === 0) print('no experiment is running');
}

async function downEverywhere(name: string | undefined, keyFile: string | undefined): Promise<void> {
  if (await endWaiting(name)) return;
  const experiment = await findExperiment(name);
  const key = userKeyOf(experiment, keyFile);
  finishInSpiteOfSignals();
  const { told, untold, ...removed } = await endEverywhere(experiment, key, progress);
  report(removed);
  print(`it ends on ${told.join(', ')}`);
  if (untold.length === 0) return;
  warn(
    `${untold.join(', ')} could not be told, and may go on: those that are not told when they come back (docs/several-machines.md), end with \`netfold down\` there`,
  );
  process.exitCode = EXIT_CODE.internal;
}

async function cleanup(): Promise<void> {
  finishInSpiteOfSignals();
  const { removed, leftovers, failed } = await removeAll(progress);
  for (const one of removed) report(one);
  for (const what of leftovers) print(`removed ${what}`);
  if (removed.length + leftovers.length + failed.length === 0) print('nothing of netfold is on this machine');
  for (const { what, error } of failed) {
    warn(`${what} stays:`);
    printError(error);
    process.exitCode = exitCodeOf(error);
  }
}

function report({ experiment, facts, problems }: Removed): void {
  for (const problem of problems) warn(problem);
  print(`${experiment} is down${facts.length > 0 ? ` (${facts.join('; ')})` : ''}`);
}
