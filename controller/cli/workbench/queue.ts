/** `netfold queue`: experiments that start when the machine has room. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { readLimits } from '../../../agent/linux/probe/limits.ts';
import { formatMicros, parseDuration } from '../../../proto/units.ts';
import { agentStatus, MAIN } from '../../experiment/agents.ts';
import { experimentNames, readState, requireName } from '../../experiment/state.ts';
import { removeExperiment } from '../../experiment/teardown.ts';
import { capacityOf } from '../../machine/capacity.ts';
import { type Holder, hold, holderOf, isAlive } from '../../machine/holder.ts';
import { userName } from '../../user-name.ts';
import { QueueError } from '../../workbench/queue/errors.ts';
import { runQueue, type Started } from '../../workbench/queue/runner.ts';
import { claim, type Entry, entries, entryOf, queueFolder, submit } from '../../workbench/queue/store.ts';
import { addVariableOptions, type FileOptions, warnOfFile } from '../options/files.ts';
import { openTopology } from '../options/open-topology.ts';
import { wholeNumber } from '../options/whole-number.ts';
import { SIGNALS } from '../options/with-experiment.ts';
import { print, printJson, step, table } from '../terminal/output.ts';

const HELP = `
  netfold queue submit lab.yaml --duration 5m
  netfold queue run --until-empty
  netfold queue ls

What is submitted is kept as it is then. docs/queue.md says in which order it starts, and when there is room.`;

export function addQueueCommand(program: Command): void {
  const queue = program
    .command('queue')
    .description('experiments that start one after the other, when the machine has room')
    .addHelpText('after', HELP);
  addSubmit(queue);
  queue
    .command('ls')
    .description('list what was submitted')
    .option('--json', 'print JSON')
    .action(({ json = false }: { json?: boolean }) => list(json));
  queue
    .command('show <number>')
    .description('one of them, with the end of its output')
    .option('--json', 'print JSON')
    .action((id: string, { json = false }: { json?: boolean }) => show(entryOf(numberOf(id)), json));
  queue
    .command('cancel <number...>')
    .description('take back what waits, and end what runs')
    .action(async (ids: string[]) => {
      for (const id of ids) await cancel(numberOf(id));
    });
  queue
    .command('run')
    .description('start what waits, until Ctrl-C; what runs then goes on')
    .addOption(
      new Option('--most <number>', 'experiments at once')
        .default(availableParallelism(), 'the number of processors')
        .argParser(wholeNumber),
    )
    .addOption(
      new Option('--limit <time>', 'for those that name no duration')
        .default(parseDuration('1h'), '1h')
        .argParser(parseDuration),
    )
    .option('--until-empty', 'return when nothing waits or runs any more')
    .action(run);
  for (const command of queue.commands) command.exitOverride();
}

interface SubmitOptions extends FileOptions {
  readonly name?: string;
  readonly duration?: number;
  readonly priority: number;
  readonly hosts: number;
  readonly json?: boolean;
}

function addSubmit(queue: Command): void {
  addVariableOptions(queue.command('submit <file>'))
    .description('put an experiment into the queue')
    .addOption(
      new Option(
        '--name <name>',
        "the experiment's name (default: the topology's, and its number in the queue)",
      ),
    )
    .addOption(new Option('--duration <time>', 'end it after this time').argParser(parseDuration))
    .addOption(
      new Option('--priority <number>', 'from -100 to 100: higher ones start first')
        .default(0)
        .argParser(priorityOf),
    )
    .addOption(new Option('--hosts <number>', 'emulated hosts').default(1).argParser(wholeNumber))
    .option('--json', 'print JSON')
    .action(submitFile);
}

function priorityOf(text: string): number {
  if (!/^-?\d{1,3}$/.test(text) || Math.abs(Number(text)) > 100)
    throw new InvalidArgumentError('write a whole number from -100 to 100');
  return Number(text);
}

const numberOf = (text: string): number => (/^\d{1,9}$/.test(text) ? Number(text) : -1);

function submitFile(file: string, options: SubmitOptions): void {
  const { topology, source, warnings } = openTopology(file, options);
  warnOfFile(warnings);
  const { services } = topology;
  const countOf = (some: typeof services): number => some.reduce((sum, { replicas }) => sum + replicas, 0);
  const endpoints = countOf(services);
  const load = {
    endpoints,
    hosts: options.hosts,
    applications: countOf(services.filter(({ run }) => run !== undefined)),
  };
  requireEverRoom(load);
  const { name, duration } = options;
  if (name !== undefined) requireName(name);
  const entry = submit({
    ...{ file, text: source.text, ending: extname(source.file), cwd: process.cwd(), by: submitter() },
    ...(source.origin && { origin: source.origin }),
    ...{ name: name ?? topology.name, isNumbered: name === undefined },
    ...{ ...load, priority: options.priority },
    ...(duration !== undefined && { duration: formatMicros(duration) }),
  });
  if (options.json) printJson(shown(entry));
  else print(`${entry.id}: ${entry.name} waits (netfold queue run starts it)`);
}

/** Who called sudo says more than root. */
function submitter(): string {
  const { SUDO_USER: user } = process.env;
  return user ? `${user} as ${userName()}` : userName();
}

/** What would not fit on the machine if nothing else ran is told now. */
function requireEverRoom(load: { endpoints: number; hosts: number; applications: number }): void {
  if (entries().some(({ state }) => state === 'running')) return;
  const { endpoints, boundedBy, remedy } = capacityOf(readLimits(), load);
  if (load.endpoints <= endpoints) return;
  throw new QueueError(
    'QUEUE_NEVER',
    `${load.endpoints} endpoints don't fit this machine: ${endpoints} do, bounded by ${boundedBy}`,
    remedy,
  );
}

/** Without paths of the queue's own. */
function shown({
  id,
  name,
  file,
  state,
  priority,
  endpoints,
  hosts,
  duration,
  by,
  submittedAt,
  startedAt,
  end,
}: Entry) {
  return {
    id,
    name,
    file,
    state,
    priority,
    endpoints,
    hosts,
    duration: duration ?? null,
    by: by ?? null,
    submittedAt,
    startedAt,
    end,
  };
}

function list(json: boolean): void {
  const all = entries();
  if (json) printJson(all.map(shown));
  else if (all.length === 0) print('the queue is empty');
  else {
    const rows = all.map(({ id, name, state, priority, endpoints, submittedAt, file }) => [
      ...[String(id), name, state, String(priority), String(endpoints)],
      ...[submittedAt.slice(0, 19).replace('T', ' '), file],
    ]);
    print(
      table(['number', 'experiment', 'state', 'priority', 'endpoints', 'submitted', 'file'], rows, [0, 3, 4]),
    );
  }
}

async function show(entry: Entry, json: boolean): Promise<void> {
  const { readFileSync } = await import('node:fs');
  const output = existsSync(entry.log)
    ? readFileSync(entry.log, 'utf8').split('\n').slice(-30).join('\n')
    : '';
  if (json) {
    printJson({ ...shown(entry), output });
    return;
  }
  const { id, name, state, end, file, duration } = entry;
  print(`${id}: ${name}, ${state}${end && end.reason !== '' ? `: ${end.reason}` : ''}`);
  print(`${file}, priority ${entry.priority}${duration === undefined ? '' : `, for ${duration}`}`);
  print(`submitted ${entry.submittedAt}${entry.by === undefined ? '' : ` by ${entry.by}`} in ${entry.cwd}`);
  if (output !== '') print(output);
}

async function cancel(id: number): Promise<void> {
  const entry = entryOf(id);
  if (claim(entry, 'cancel')) {
    print(`${id} is cancelled`);
    return;
  }
  const now = entryOf(id);
  if (now.state !== 'running')
    throw new QueueError('QUEUE_ENDED', `${id} is ${now.state} already`, 'netfold queue ls has the states');
  // As Ctrl-C: it removes what it has made.
  if (now.process) process.kill(now.process.pid, 'SIGINT');
  print(`${id} is being ended`);
}

interface RunOptions {
  readonly most: number;
  readonly limit: number;
  readonly untilEmpty?: boolean;
}

const POLL_MS = 250;
/** An experiment that is not up by then takes nothing more. */
const SETTLE_MS = 60_000;

async function run({ most, limit, untilEmpty = false }: RunOptions): Promise<void> {
  const { makeFolder, OPEN_FOLDER } = await import('../../../agent/files/own-files.ts');
  makeFolder(queueFolder(), OPEN_FOLDER);
  const lock = join(queueFolder(), 'runner.json');
  const other = hold(lock);
  if (other)
    throw new QueueError('QUEUE_BUSY', `process ${other.pid} runs the queue`, 'one runner is enough');
  const ending = new AbortController();
  for (const name of SIGNALS) process.on(name, () => ending.abort());
  try {
    const ports = {
      fits: (load: Parameters<typeof capacityOf>[1]) => capacityOf(readLimits(), load),
      start: (entry: Entry) => start(entry, formatMicros(limit)),
      ...{ follow, clear, settled, tell: step },
      sleep: (ms: number) => sleep(ms, undefined, { signal: ending.signal }).catch(() => {}),
    };
    await runQueue({ most, untilEmpty }, ports, ending.signal);
  } finally {
    const { rmSync } = await import('node:fs');
    rmSync(lock, { force: true });
  }
}

/** In a session of its own: the end of the runner is not its end. */
function start(entry: Entry, limit: string): Started {
  const { name, topology, origin, hosts, duration = limit, cwd, log, file } = entry;
  const words = [
    'up',
    topology,
    '--name',
    name,
    '--hosts',
    String(hosts),
    '--duration',
    duration,
    '--strict',
    '--file-name',
    file,
    // An earlier netfold has written none.
    ...(existsSync(origin) ? ['--origin', origin] : []),
  ];
  const output = openSync(log, 'a');
  try {
    const child = spawn(process.execPath, [...process.execArgv, MAIN, ...words], {
      ...{ cwd, detached: true, stdio: ['ignore', output, output] },
    });
    const ended = new Promise<number | null>((resolve) => {
      child.once('exit', (code) => resolve(code));
      child.once('error', () => resolve(null));
    });
    child.unref();
    return { process: holderOf(child.pid ?? 0), ended };
  } finally {
    closeSync(output);
  }
}

async function follow(process: Holder): Promise<void> {
  while (isAlive(process)) await sleep(POLL_MS);
}

async function clear(experiment: string): Promise<void> {
  if ((await experimentNames()).includes(experiment)) await removeExperiment(experiment);
}

async function settled({ name }: Entry, { process, ended }: Started): Promise<void> {
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  const deadline = performance.now() + SETTLE_MS;
  while (!hasEnded && isAlive(process) && performance.now() < deadline) {
    const hosts = readState(name)?.hosts ?? [];
    const asked = await Promise.allSettled(hosts.map((host) => agentStatus(name, host.name)));
    const isUp = asked.every((one) => one.status === 'fulfilled' && one.value.state === 'running');
    if (hosts.length > 0 && isUp) return;
    await sleep(POLL_MS);
  }
}
