/** `netfold up`: runs an experiment, in the foreground or on its own. */
import { fork } from 'node:child_process';
import { constants } from 'node:os';
import { stderr } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { DELAY_BACKENDS } from '../../../proto/bootstrap.ts';
import {
  formatMicros,
  micros,
  parseBandwidth,
  parseDuration,
  parsePercentage,
  type Ratio,
} from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import { ControllerError } from '../../errors.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { isEnding } from '../../experiment/teardown.ts';
import { type Placement, parsePlacement } from '../../site/site-plan.ts';
import { eventsOption } from '../files.ts';
import { type ProgressMessage, passOnProgress, print, styled, warn } from '../output.ts';
import { type LabOptions, SIGNALS, withExperiment } from '../with-experiment.ts';

interface UpOptions extends LabOptions {
  readonly detach?: boolean;
  readonly duration?: number;
}

/** What the detached process tells the one that the user started. */
interface Report {
  /** Name of the experiment that is up. */
  readonly up: string;
}

/** What `up`, `controller` and `verify` are told about the lab. */
export function addLabOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--hosts <number>', 'emulated hosts, each with an agent and its part of the endpoints')
        .default(1)
        .argParser(wholeNumber),
    )
    .option('--name <name>', "the experiment's name (default: the topology's)")
    .addOption(eventsOption())
    .addOption(
      new Option('--delay-backend <name>', 'what delays packets; auto: netem where the kernel has it')
        .choices(DELAY_BACKENDS)
        .default('auto')
        .env('NETFOLD_DELAY_BACKEND'),
    )
    .addOption(
      new Option(
        '--at <node=interface[@namespace]>',
        'shape an interface that exists already, instead of making a lab; once for each endpoint',
      )
        .default([], 'a lab')
        .argParser((text: string, before: readonly Placement[]) => [...before, parsePlacement(text)]),
    )
    .option('--take-over', "with --at: replace somebody else's root qdisc, and put it back in the end")
    .addOption(
      new Option('--lease <time>', 'with --at: shaping ends when the agent has not renewed it for so long')
        .default(DEFAULT_LEASE, formatMicros(DEFAULT_LEASE))
        .argParser(parseDuration),
    )
    .addOption(
      new Option(
        '--metadata-budget <rate>',
        'what each agent may send to the others, e.g. 80Kbps: beyond it, changes are told more coarsely',
      ).argParser(parseBandwidth),
    )
    .addOption(
      new Option(
        '--change-threshold <percentage>',
        'changes of a rate up to this are not told (default: 5%)',
      ).argParser(parseThreshold),
    );
}

function parseThreshold(text: string): Ratio {
  const threshold = parsePercentage(text);
  if (threshold === 0) throw new InvalidArgumentError('write a percentage above 0%, e.g. 5%');
  return threshold;
}

/** Long enough for a machine that is busy, short enough for somebody who has locked himself out. */
const DEFAULT_LEASE = micros(30e6);

export function addUpCommand(program: Command): void {
  addLabOptions(program.command('up <file>'))
    .description('run an experiment in the local lab until Ctrl-C, or on its own with --detach')
    .option('--detach', 'return when the experiment is up; end it with `netfold down`')
    .addOption(new Option('--duration <time>', 'end it after this time, e.g. 1m30s').argParser(parseDuration))
    .action((file: string, options: UpOptions) => (options.detach ? upDetached() : up(file, options)));
  addLabOptions(program.command('controller <file>'))
    .description("the daemon behind `up --detach`: serves an experiment's agents until it is signalled")
    .addOption(new Option('--duration <time>', 'end it after this time, e.g. 1m30s').argParser(parseDuration))
    .action(up);
}

function wholeNumber(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) === 0)
    throw new InvalidArgumentError('write a whole number from 1 on');
  return Number(text);
}

async function up(file: string, options: UpOptions): Promise<void> {
  await withExperiment(file, options, async (experiment, interruption) => {
    warnOfImages(file, experiment);
    if (interruption.requested) return;
    const startAt = await experiment.run();
    announce(experiment);
    const ended = [
      interruption.promise,
      after(options.duration),
      quit(experiment, startAt),
      lostAgent(experiment),
    ];
    stderr.write(`${(await Promise.race(ended)) ?? ''}\n`);
  });
}

/** Files for containers name images; the lab has none, and its endpoints wait for what the user runs in them. */
function warnOfImages(file: string, { topology }: Experiment): void {
  const idle = topology.services.filter(({ image, run }) => image !== undefined && run === undefined);
  if (idle.length === 0) return;
  const names = idle.map(({ name }) => name).join(', ');
  warn(
    `${file}: the local lab starts no images, so ${names} will be idle; run something with \`netfold exec\``,
  );
}

function announce(experiment: Experiment): void {
  const { plan, name } = experiment;
  const first = plan.endpoints[0]!.name;
  const up = styled('green', `${name} is up`);
  const place = plan.existing ? 'interfaces of this machine' : count(plan.hosts.length, 'host');
  print(`${up}: ${count(plan.endpoints.length, 'endpoint')} on ${place}`);
  print(
    `  run something in it:   netfold exec ${first} --name ${name} -- ping -c 3 ${plan.endpoints.at(-1)!.name}`,
  );
  print(`  see its flows:         netfold status ${name}`);
  print(`  end it:                ${process.send ? `netfold down ${name}` : 'Ctrl-C'}`);
  const report: Report = { up: name };
  process.send?.(report);
}

async function after(duration: number | undefined): Promise<string> {
  if (duration === undefined) return new Promise(() => {});
  await waitUntil(Date.now() + duration / 1000);
  return `${formatMicros(duration)} are over`;
}

/** Longer waits don't fit a timer. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

async function waitUntil(wallMs: number): Promise<void> {
  for (let left = wallMs - Date.now(); left > 0; left = wallMs - Date.now())
    await sleep(Math.min(left, LONGEST_WAIT_MS));
}

/** The end that the timeline itself has. */
async function quit({ topology }: Experiment, startAt: number): Promise<string> {
  const ends = topology.events.flatMap(({ action, at }) => (action.verb === 'quit' ? [at] : []));
  if (ends.length === 0) return new Promise(() => {});
  const at = Math.min(...ends);
  await waitUntil(startAt + at / 1000);
  return `quit at ${formatMicros(at)}`;
}

/** An agent that ends by itself has failed. */
async function lostAgent(experiment: Experiment): Promise<string> {
  const { host } = await experiment.anyAgentExit();
  if (isEnding(experiment.name)) return 'ended from elsewhere';
  throw new ControllerError('AGENT_FAILED', `the agent of ${host.name} has ended, so the experiment ends`);
}

/**
 * Starts the daemon with the same options, in a session of its own, and waits until the experiment is up. The daemon gets
 * no Ctrl-C of this terminal, so it is handed on.
 */
async function upDetached(): Promise<void> {
  const options = process.argv.slice(3).filter((argument) => argument !== '--detach');
  const args = ['controller', ...options];
  const child = fork(process.argv[1]!, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const passOn = (stream: NodeJS.WriteStream) => (text: Buffer) => {
    passOnProgress({ progress: '' });
    stream.write(text);
  };
  child.stdout!.on('data', passOn(process.stdout));
  child.stderr!.on('data', passOn(process.stderr));
  const handOn = (signal: NodeJS.Signals): boolean => child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, handOn);
  const up = await new Promise<boolean>((resolve) => {
    child.on('message', (message: Report | ProgressMessage) => {
      if ('progress' in message) passOnProgress(message);
      else resolve(true);
    });
    child.on('exit', (code, signal) => {
      process.exitCode = code ?? 128 + constants.signals[signal!];
      resolve(false);
    });
  });
  if (!up) return;
  for (const signal of SIGNALS) process.off(signal, handOn);
  child.disconnect();
  child.stdout!.destroy();
  child.stderr!.destroy();
  child.unref();
}
