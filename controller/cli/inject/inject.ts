/** `netfold inject`: hosts over SSH. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { micros, parseDuration } from '../../../proto/units.ts';
import { graphAt } from '../../../topology/timeline/graph-at.ts';
import { EXIT_INTERRUPTED } from '../../errors.ts';
import { requireName } from '../../experiment/state.ts';
import { leavesPlacing } from '../../inject/placed-hosts.ts';
import { Connections } from '../../inject/ssh/connections.ts';
import { InjectError } from '../../inject/ssh/errors.ts';
import { alone, findInjection, inventoryThrough, parseHost, withPlaces } from '../../inject/standing.ts';
import type { Inventory } from '../../inventory/model.ts';
import { inventoryOf } from '../../inventory/of-topology.ts';
import { readInventory } from '../../inventory/read.ts';
import { addFileOptions, readText, warnOfFile } from '../options/files.ts';
import { nameOption } from '../options/name-option.ts';
import { openTopology } from '../options/open-topology.ts';
import { neverOption } from '../options/placement-options.ts';
import { SIGNALS } from '../options/with-experiment.ts';
import { check, installAll, start } from './beginning.ts';
import type { InjectFlags, OnHosts, OpenedFile, Standing } from './injection.ts';
import { measure } from './measure.ts';
import { execOn, printLogsOf } from './sessions.ts';
import { status, stop, uninstallAll } from './standing.ts';

const ACTIONS = [
  'check',
  'measure',
  'install',
  'start',
  'status',
  'logs',
  'exec',
  'stop',
  'uninstall',
] as const;
type Action = (typeof ACTIONS)[number];
/** Those that are about a topology; all others are about what is on the hosts. */
const WITH_FILE: readonly (Action | undefined)[] = ['check', 'start', undefined];
/** Those that are about what runs already, to which one of its hosts leads. */
const FROM_HOST: readonly (Action | undefined)[] = ['status', 'logs', 'exec', 'stop', 'uninstall'];

const HELP = `
Actions (default: install, then start):
  check                     what each host can do; changes nothing
  measure                   the real network between the hosts, for netfold place --network
  install                   copy netfold to the hosts, into /opt/netfold
  start                     shape the hosts' interfaces: on all hosts, or on none
  status                    what their agents say
  logs [HOST|ENDPOINT…]     what agents and applications have written; -f follows
  exec HOST|ENDPOINT -- CMD a command on a host, or in an endpoint
  stop                      end it everywhere, also from another machine than it was started from
  uninstall                 take netfold away again

All but check and start need no FILE: netfold inject stop --inventory hosts.yaml
What runs is also found through one of its hosts: netfold inject stop --host root@192.0.2.7

Example: netfold inject wan.yaml --inventory hosts.yaml check
docs/inject.md has the whole story.`;

export function addInjectCommand(program: Command): void {
  addFileOptions(program.command('inject [file] [action] [words...]'))
    .description('shape hosts that run already, over SSH')
    .option('--inventory <file>', 'the hosts, in YAML: netfold’s own (docs/placement.md) or Ansible’s')
    .addOption(
      new Option(
        '--host <[user@]address[:port]>',
        'instead of --inventory, for what runs already: one of its hosts, which knows the others',
      )
        .argParser(parseHost)
        .conflicts('inventory'),
    )
    .addOption(
      nameOption("the experiment's name on the hosts (default: the topology's, or of what runs there)"),
    )
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
      'start: each host keeps its part of a record; stop fetches and joins them, or later netfold records gather',
    )
    .option('--no-gather', 'stop: leave the parts of the record on the hosts, and join none')
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

/** What was typed. */
interface Asked {
  readonly file: string | undefined;
  readonly action: Action | undefined;
  readonly words: readonly string[];
}

async function inject(
  first: string | undefined,
  second: string | undefined,
  rest: readonly string[],
  flags: InjectFlags,
): Promise<void> {
  const asked = requireAsked(first, second, rest, flags);
  const file = asked.file === undefined ? undefined : openFile(asked.file, flags);
  const { name = file?.opened.topology.name, sshConfig } = flags;
  if (name !== undefined) requireName(name);
  const inventory = inventoryFor(flags, file);
  const aborting = new AbortController();
  const connections = new Connections(sshConfig);
  const onHosts = { inventory, connections, flags, signal: aborting.signal };
  const canUndo = asked.action === 'start' || asked.action === undefined;
  const onSignal = (): void => {
    aborting.abort(new Error('interrupted'));
    if (!canUndo) void connections.close().finally(() => process.exit(EXIT_INTERRUPTED));
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    await perform(asked, { ...onHosts, ...(name !== undefined && { experiment: name }) }, file);
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
    await connections.close();
  }
}

/** The one that is named, or a host that runs already, or what the topology says. */
function inventoryFor({ inventory, host }: InjectFlags, file: OpenedFile | undefined): Inventory {
  if (inventory !== undefined) return readInventory(readText(inventory, 'an inventory of hosts'), inventory);
  if (host !== undefined) return alone(host);
  const own = file && inventoryOf(file.opened.topology, file.opened.source.file);
  if (own) return own;
  throw usage(
    '--inventory HOSTS is missing',
    'or, for what runs already, --host ADDRESS of one of its hosts; or services with Kollaps’ attributes machinename or ip',
  );
}

function openFile(file: string, flags: InjectFlags): OpenedFile {
  const opened = openTopology(file, flags);
  if (!flags.json) warnOfFile(opened.warnings);
  return { opened, graph: graphAt(opened.topology, micros(0)) };
}

const usage = (what: string, remedy: string): InjectError => new InjectError('INJECT_USAGE', what, remedy);
const actionNamed = (text: string | undefined): Action | undefined => ACTIONS.find((one) => one === text);

/** The first word is a file; or an action, which then has none (a file with such a name is `./stop`). */
function requireAsked(
  first: string | undefined,
  second: string | undefined,
  rest: readonly string[],
  { host }: InjectFlags,
): Asked {
  const begins = actionNamed(first);
  const action = begins ?? actionNamed(second);
  if (begins === undefined && second !== undefined && action === undefined)
    throw usage(`there is no action "${second}"`, `actions: ${ACTIONS.join(' ')}`);
  const more = begins === undefined || second === undefined ? rest : [second, ...rest];
  const file = begins === undefined ? first : undefined;
  if (file === undefined && WITH_FILE.includes(action))
    throw usage(
      `${action === undefined ? 'netfold inject' : action} needs a topology file`,
      `netfold inject FILE --inventory HOSTS${action === undefined ? '' : ` ${action}`}${
        first !== undefined && existsSync(first) ? `; if ${first} is the file, write ./${first}` : ''
      }`,
    );
  if (host !== undefined && !FROM_HOST.includes(action))
    throw usage(
      `--host is for what runs already, not to ${action ?? 'install and start'}`,
      'name the hosts with --inventory HOSTS',
    );
  if (action === 'exec' && more.length < 2)
    throw usage('exec needs a host or an endpoint, and a command', 'write: exec HOST -- COMMAND');
  if (more.length > 0 && action !== 'exec' && action !== 'logs')
    throw usage(`${action} takes no "${more[0]}"`, 'leave it out');
  return { file, action, words: more };
}

async function perform(
  { action, words }: Asked,
  onHosts: OnHosts,
  file: OpenedFile | undefined,
): Promise<void> {
  if (action === 'measure') return measure(onHosts);
  if (action === 'install') return installAll(onHosts);
  if (action === 'uninstall') return uninstallAll(onHosts);
  const standing = await find(onHosts, file, action);
  switch (action) {
    case 'status':
      return status(standing);
    case 'logs':
      return printLogsOf(standing, words);
    case 'exec':
      return execOn(standing, words[0]!, words.slice(1));
    case 'stop':
      return stop(standing);
  }
  const injection = { ...standing, file: file! };
  return action === 'check' ? check(injection) : start(injection, action === undefined);
}

/** What is not named is found on the hosts, and hosts through one of them. */
async function find(
  onHosts: OnHosts,
  file: OpenedFile | undefined,
  action: Action | undefined,
): Promise<Standing> {
  const { connections, inventory, flags } = onHosts;
  const experiment = onHosts.experiment ?? (await findInjection(connections, inventory.hosts));
  if (flags.host !== undefined) {
    const all = await inventoryThrough(connections, flags.host, experiment);
    return { ...onHosts, experiment, inventory: all, ...(file && { file }) };
  }
  const isAbout = action === 'exec' || action === 'logs';
  const all =
    isAbout && leavesPlacing(inventory) ? await withPlaces(connections, inventory, experiment) : inventory;
  // What endpoints are called there, the topology says as well.
  return { ...onHosts, experiment, inventory: all, ...(file && all === inventory && { file }) };
}
