/** `netfold inject`: hosts over SSH. */
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import type { Exemption } from '../../../proto/bootstrap.ts';
import { formatMicros, micros, parseDuration } from '../../../proto/units.ts';
import { graphAt } from '../../../topology/timeline/graph-at.ts';
import { EXIT_INTERRUPTED } from '../../errors.ts';
import { formatExemption, requireRoomFor } from '../../exemption.ts';
import { requireName } from '../../experiment/state.ts';
import { type AssignedHost, assignHosts } from '../../inject/assigned-hosts.ts';
import { readBundle } from '../../inject/bundle.ts';
import { type Checked, checkHosts } from '../../inject/check.ts';
import { failed, type Outcome, requireAll } from '../../inject/each-host.ts';
import { homeOf, install, uninstall } from '../../inject/install.ts';
import * as report from '../../inject/report.ts';
import { statuses, stopInjection } from '../../inject/running.ts';
import { Connections } from '../../inject/ssh/connections.ts';
import { InjectError } from '../../inject/ssh/errors.ts';
import { type Part, startInjection } from '../../inject/start.ts';
import { readInventory } from '../../inventory/read.ts';
import { addFileOptions, openTopology, readText, warnOfFile } from '../options/files.ts';
import { nameOption } from '../options/name-option.ts';
import { neverOption } from '../options/placement-options.ts';
import { SIGNALS } from '../options/with-experiment.ts';
import { print, printJson, progress, step, styled } from '../terminal/output.ts';
import type { InjectFlags, Injection } from './injection.ts';
import { execOn, printLogsOf } from './sessions.ts';

const ACTIONS = ['check', 'install', 'start', 'status', 'logs', 'exec', 'stop', 'uninstall'] as const;
type Action = (typeof ACTIONS)[number];

const HELP = `
Actions (default: install, then start):
  check                     what each host can do; changes nothing
  install                   copy netfold to the hosts, into /opt/netfold
  start                     shape the hosts' interfaces: on all hosts, or on none
  status                    what their agents say
  logs [HOST|ENDPOINT…]     what agents and applications have written; -f follows
  exec HOST|ENDPOINT -- CMD a command on a host, or in an endpoint
  stop                      end it everywhere, also from another machine than it was started from
  uninstall                 take netfold away again

Example: netfold inject wan.yaml --inventory hosts.yaml check
docs/inject.md has the whole story.`;

export function addInjectCommand(program: Command): void {
  addFileOptions(program.command('inject <file> [action] [words...]'))
    .description('shape hosts that run already, over SSH')
    .requiredOption(
      '--inventory <file>',
      'the hosts, in YAML: netfold’s own (docs/placement.md) or Ansible’s',
    )
    .addOption(nameOption("the experiment's name on the hosts (default: the topology's)"))
    .addOption(neverOption('start: '))
    .addOption(
      new Option(
        '--lease <time>',
        'start: shaping ends when an agent has not renewed it for so long',
      ).argParser(parseDuration),
    )
    .option('--take-over', 'start: replace foreign root qdiscs, and restore them in the end')
    .option(
      '--names',
      'start: let the topology’s names resolve on the hosts, by a block in /etc/hosts until the end',
    )
    .option(
      '--record',
      'start: each host keeps its part of a record; netfold records gather fetches and joins them',
    )
    .option('--ssh-config <file>', "instead of ~/.ssh/config, as ssh's -F")
    .option('-f, --follow', 'logs: go on with what is written, until Ctrl-C')
    .addOption(new Option('--tail <lines>', 'logs: only the last lines of each').argParser(parseLines))
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .showHelpAfterError(
      'write -- before a command: netfold inject FILE --inventory HOSTS exec HOST -- COMMAND OPTIONS',
    )
    .action(inject);
}

function parseLines(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('write a whole number from 0 on');
}

async function inject(
  file: string,
  action: string | undefined,
  words: readonly string[],
  flags: InjectFlags,
): Promise<void> {
  const wanted = requireAction(action, words);
  const opened = openTopology(file, flags);
  if (!flags.json) warnOfFile(opened.warnings);
  const inventory = readInventory(readText(flags.inventory, 'an inventory of hosts'), flags.inventory);
  const experiment = flags.name ?? opened.topology.name;
  requireName(experiment);
  const graph = graphAt(opened.topology, micros(0));
  const aborting = new AbortController();
  const connections = new Connections(flags.sshConfig);
  const injection = { experiment, opened, graph, inventory, connections, flags, signal: aborting.signal };
  const canUndo = wanted === 'start' || wanted === undefined;
  const onSignal = (): void => {
    aborting.abort(new Error('interrupted'));
    if (!canUndo) void connections.close().finally(() => process.exit(EXIT_INTERRUPTED));
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    await perform(wanted, words, injection);
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
    await connections.close();
  }
}

function requireAction(action: string | undefined, words: readonly string[]): Action | undefined {
  const known = ACTIONS.find((one) => one === action);
  const usage = (what: string, remedy: string): InjectError => new InjectError('INJECT_USAGE', what, remedy);
  if (action !== undefined && known === undefined)
    throw usage(`there is no action "${action}"`, `actions: ${ACTIONS.join(' ')}`);
  if (known === 'exec' && words.length < 2)
    throw usage('exec needs a host or an endpoint, and a command', 'write: exec HOST -- COMMAND');
  if (words.length > 0 && known !== 'exec' && known !== 'logs')
    throw usage(`${known} takes no "${words[0]}"`, 'leave it out');
  return known;
}

async function perform(
  action: Action | undefined,
  words: readonly string[],
  injection: Injection,
): Promise<void> {
  switch (action) {
    case 'check':
      return check(injection);
    case 'install':
      return installAll(injection);
    case 'start':
      return start(injection, false);
    case 'status':
      return status(injection);
    case 'logs':
      return printLogsOf(injection, words);
    case 'exec':
      return execOn(injection, words[0]!, words.slice(1));
    case 'stop':
      return stop(injection);
    case 'uninstall':
      return uninstallAll(injection);
    case undefined:
      return start(injection, true);
  }
}

const MARKS = { good: '✓', bad: '✗', quiet: ' ' } as const;
const COLOURS = { good: 'green', bad: 'red', quiet: 'dim' } as const;

function printLines(lines: readonly report.Line[]): void {
  for (const { tone, text } of lines) {
    if (tone === 'quiet') print(`    ${text}`);
    else print(`${styled(COLOURS[tone], MARKS[tone])} ${text}`);
  }
}

/** A line for each host as soon as it is known. */
function printing<T>({ flags }: Injection, textOf: (value: T) => string): (outcome: Outcome<T>) => void {
  return (outcome) => {
    if (!flags.json) printLines(report.outcomeLines(outcome, textOf));
  };
}

function printHosts(
  action: string,
  { experiment, flags }: Injection,
  hosts: readonly report.HostJson[],
): void {
  if (flags.json) printJson({ action, experiment, hosts });
}

/** What has failed on hosts was printed with its remedies. */
function failOn(outcomes: readonly Outcome<unknown>[]): void {
  const [error] = failed(outcomes);
  if (error)
    requireAll(outcomes, 'not on all hosts', 'see the remedies above; the same command can be repeated');
}

async function look(injection: Injection): Promise<{ checked: Checked[]; assigned: AssignedHost[] }> {
  const { inventory, opened, graph, connections } = injection;
  const assigned = assignHosts(inventory, opened.topology, graph);
  let done = 0;
  const checked = await checkHosts(connections, inventory.hosts, () =>
    progress({ doing: 'hosts that have answered:', done: ++done, of: inventory.hosts.length }),
  );
  return { checked, assigned };
}

async function check(injection: Injection): Promise<void> {
  const { checked, assigned } = await look(injection);
  if (injection.flags.json) printHosts('check', injection, checked.map(report.checkedJson));
  else
    for (const [index, one] of checked.entries())
      printLines(report.checkedLines(one, assigned[index]!.endpoint));
  requireGood(checked);
}

function requireGood(checked: readonly Checked[]): void {
  const outcomes = checked.map(
    ({ name, all: [error] }): Outcome<undefined> => ({ host: name, ...(error && { error }) }),
  );
  requireAll(outcomes, 'check', 'see the remedies above; nothing was changed');
}

async function installAll(injection: Injection): Promise<void> {
  const { connections, inventory } = injection;
  const textOf = (result: string): string => result;
  const outcomes = await install(connections, inventory.hosts, readBundle(), printing(injection, textOf));
  printHosts('install', injection, outcomes.map(report.outcomeJson));
  failOn(outcomes);
}

async function start(injection: Injection, installs: boolean): Promise<void> {
  const { connections, experiment, flags, opened, signal, inventory } = injection;
  const { checked, assigned } = await look(injection);
  const taking = checked.filter((_, index) => assigned[index]!.endpoint !== undefined);
  const bad = taking.filter(({ all }) => all.length > 0);
  if (bad.length > 0 && flags.json) printHosts('check', injection, taking.map(report.checkedJson));
  else for (const one of bad) printLines(report.checkedLines(one, undefined));
  requireGood(taking);
  const parts = assigned.flatMap(({ host, endpoint }, index): Part[] => {
    const { shaped } = checked[index]!;
    return endpoint === undefined || !shaped ? [] : [{ host, endpoint, ...shaped }];
  });
  for (const { name, notes } of taking) for (const note of notes) step(`${name}: ${note}`);
  const bundle = readBundle();
  if (installs) {
    const hosts = parts.map(({ host }) => host);
    failOn(
      await install(
        connections,
        hosts,
        bundle,
        printing(injection, (result) => result),
      ),
    );
  }
  const [first, ...others] = parts;
  if (!first)
    throw new InjectError('INVENTORY_ENDPOINTS', `no host of ${inventory.file} is an endpoint`, 'write `is`');
  const started: Outcome<string>[] = [];
  await startInjection(connections, {
    ...{ experiment, signal, home: homeOf(bundle), parts: [first, ...others] },
    source: opened.source,
    never: neverWords(checked, flags.never ?? []),
    takeOver: flags.takeOver ?? false,
    names: flags.names ?? false,
    record: flags.record ?? false,
    ...(flags.lease !== undefined && { lease: formatMicros(flags.lease) }),
    onStep: step,
    onStarted: (outcome) => {
      started.push(outcome);
      printing<string>(injection, (text) => text)(outcome);
    },
  });
  printHosts('start', injection, started.map(report.outcomeJson));
  if (!flags.json) print(`${styled('green', `${experiment} runs`)} on ${parts.length} hosts`);
}

/** The user's, and the ports at which sshd really listens on the hosts: on every host, since any may be on the way to another. */
function neverWords(checked: readonly Checked[], never: readonly Exemption[]): string[] {
  const ports = new Set(checked.flatMap(({ facts }) => facts?.ssh?.port ?? []));
  const ssh = [...ports].filter((port) => port !== 22).map((port) => ({ protocol: 'tcp', port }) as const);
  const all = [...ssh, ...never];
  requireRoomFor(all);
  return [...new Set(all.map(formatExemption))];
}

async function status(injection: Injection): Promise<void> {
  const { connections, inventory, experiment } = injection;
  const outcomes = await statuses(
    connections,
    inventory.hosts,
    experiment,
    printing(injection, report.statusText),
  );
  printHosts('status', injection, outcomes.map(report.outcomeJson));
  failOn(outcomes);
  requireThere(
    injection,
    outcomes.map(({ value }) => value?.state !== 'absent'),
  );
}

function requireThere({ experiment }: Injection, there: readonly boolean[]): void {
  if (there.includes(true)) return;
  throw new InjectError(
    'INJECTION_UNKNOWN',
    `${experiment} is on none of the hosts`,
    'netfold inject FILE --inventory HOSTS start; --name if it was started with another name',
  );
}

async function stop(injection: Injection): Promise<void> {
  const { connections, inventory, experiment } = injection;
  const outcomes = await stopInjection(
    connections,
    inventory.hosts,
    experiment,
    printing(injection, (text) => text),
  );
  printHosts('stop', injection, outcomes.map(report.outcomeJson));
  failOn(outcomes);
  requireThere(
    injection,
    outcomes.map(({ value }) => value === 'stopped'),
  );
}

async function uninstallAll(injection: Injection): Promise<void> {
  const { connections, inventory } = injection;
  const outcomes = await uninstall(connections, inventory.hosts, printing(injection, report.uninstalledText));
  printHosts('uninstall', injection, outcomes.map(report.outcomeJson));
  failOn(outcomes);
}
