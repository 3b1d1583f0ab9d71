/** `netfold up`: runs an experiment, in the foreground or on its own. */
import { stderr } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { appendTo, PRIVATE_FILE } from '../../../agent/files/own-files.ts';
import { DELAY_BACKENDS } from '../../../proto/bootstrap.ts';
import {
  formatMicros,
  micros,
  parseBandwidth,
  parseDuration,
  parsePercentage,
  type Ratio,
  toMillis,
} from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import { serviceOf } from '../../../topology/model/names.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { findExperiment } from '../../experiment/state.ts';
import { isEnding } from '../../experiment/teardown.ts';
import { ANY_ADDRESS, type MeshAddress, reachableAt } from '../../mesh-address.ts';
import { logFile, MESH_PORT, meshKeyFile } from '../../names.ts';
import { judgeRun, strictAlone } from '../insight/judge-run.ts';
import { addFileOptions } from '../options/files.ts';
import { namedBy, nameOption, sameNameOption } from '../options/name-option.ts';
import {
  engineOptions,
  hostOption,
  ipOption,
  joinCommand,
  listenOption,
  meetingOptions,
  placementOptions,
  spreadOption,
} from '../options/placement-options.ts';
import { addRecordOptions, tellRecord } from '../options/record-options.ts';
import { addTlsOptions, serveOption, type TlsFlags } from '../options/serve-options.ts';
import { waitUntil } from '../options/wait-until.ts';
import { wholeNumber } from '../options/whole-number.ts';
import {
  type Interruption,
  type LabOptions,
  withExperiment,
  withResumed,
} from '../options/with-experiment.ts';
import { print, progress, step, styled, warn } from '../terminal/output.ts';
import { hasParent, tellParent } from '../terminal/parent.ts';
import { detached, type Report } from './detached.ts';
import { examplePair } from './example-pair.ts';
import { checkBeside, serveBeside } from './serve.ts';

export interface UpOptions extends LabOptions, TlsFlags {
  readonly detach?: boolean;
  readonly duration?: number;
  /** Where its API listens. */
  readonly serve?: MeshAddress | true;
  readonly strict?: boolean;
  /** What goes on beside it; returns how that ends. */
  readonly beside?: (experiment: Experiment) => () => void;
}

/** Options of `up`, `controller` and `verify` about the lab. */
export function addLabOptions(command: Command): Command {
  command
    .addOption(
      new Option('--hosts <number>', 'emulated hosts, each with an agent and its part of the endpoints')
        .default(1)
        .argParser(wholeNumber),
    )
    .addOption(
      new Option('--hosts-if-any <number>', 'as many hosts as there are endpoints, up to this')
        .argParser(wholeNumber)
        .hideHelp(),
    )
    .addOption(spreadOption())
    .addOption(ipOption());
  addEmulationOptions(command);
  for (const option of placementOptions('instead of a lab')) command.addOption(option);
  return command;
}

/** Options that say nothing of the place. */
export function addEmulationOptions(command: Command): Command {
  return addFileOptions(command)
    .addOption(nameOption("the experiment's name (default: the topology's)"))
    .addOption(
      new Option('--delay-backend <name>', 'what delays packets; auto: netem where the kernel has it')
        .choices(DELAY_BACKENDS)
        .default('auto')
        .env('NETFOLD_DELAY_BACKEND'),
    )
    .addOption(
      new Option(
        '--metadata-budget <rate>',
        'what each agent may send to the others, e.g. 80Kbps: beyond it, changes are announced more coarsely',
      ).argParser(parseBandwidth),
    )
    .addOption(
      new Option(
        '--change-threshold <percentage>',
        'changes of a rate up to this are not announced (default: 5%)',
      ).argParser(parseThreshold),
    );
}

export function addUpCommand(program: Command): void {
  addRunOptions(addLabOptions(program.command('up <file>')))
    .description(
      'run an experiment in the local lab, or in containers, until Ctrl-C, or on its own with --detach',
    )
    .option('--detach', 'return when the experiment is up; end it with `netfold down`')
    .option('--strict', 'at the end, print the verdict, and exit with 4 if the run was not faithful')
    .action((file: string, options: UpOptions) => {
      if (options.detach && options.strict) throw strictAlone();
      return options.detach ? detached('controller') : up(file, options);
    });
  addRunOptions(addLabOptions(program.command('controller <file>')))
    .description("the daemon behind `up --detach`: serves an experiment's agents until it is signalled")
    .action((file: string, options: UpOptions) => up(file, options));
  program
    .command('resume [experiment]')
    .description('take over a running experiment whose `netfold up` was killed')
    .option('--detach', 'return when that is done')
    .addOption(durationOption())
    .addOption(sameNameOption())
    .action((given: string | undefined, options: Pick<UpOptions, 'detach' | 'duration' | 'name'>) =>
      options.detach ? detached('resume') : resume(namedBy(given, options.name), options),
    );
}

/** For a file that was sent, and is kept elsewhere meanwhile. */
export const fileNameOption = (): Option =>
  new Option('--file-name <name>', 'what the file is called').hideHelp();

/** Options that `verify` does not have. */
function addRunOptions(command: Command): Command {
  addRecordOptions(command);
  addTlsOptions(command, 'with --serve: ');
  command
    .addOption(durationOption())
    .addOption(serveOption())
    .addOption(fileNameOption())
    .addOption(new Option('--origin <file>', 'what the file was made from').hideHelp())
    .option(
      '--elsewhere',
      'with --at: endpoints without a place come from other machines, by `netfold agent --join`',
    )
    .option('--wait', 'with --elsewhere: start applications and timeline when all endpoints are there')
    .addOption(listenOption('with --elsewhere'))
    .option('--mesh-key <file>', 'with --elsewhere: a key of `netfold mesh key`, instead of a new one')
    .addOption(hostOption("with --elsewhere: this machine's name in the experiment (default: host0)"));
  for (const option of meetingOptions('with --elsewhere')) command.addOption(option);
  for (const option of engineOptions()) command.addOption(option);
  return command;
}

export const durationOption = (): Option =>
  new Option('--duration <time>', 'end it after this time, e.g. 1m30s').argParser(parseDuration);

function parseThreshold(text: string): Ratio {
  const threshold = parsePercentage(text);
  if (threshold === 0) throw new InvalidArgumentError('write a percentage above 0%, e.g. 5%');
  return threshold;
}

/** `onRun` is called when the timeline has its beginning. */
export async function up(
  file: string,
  options: UpOptions,
  onRun?: (experiment: Experiment) => Promise<void>,
): Promise<void> {
  await checkBeside(options);
  let record: string | undefined;
  await withExperiment(file, options, async (experiment, interruption) => {
    record = experiment.record;
    warnOfImages(file, experiment);
    if (interruption.requested) return;
    const serving = await serveBeside(options);
    const endBeside = options.beside?.(experiment);
    try {
      // Of machines that start alike nobody joins, and the containers of this one are found later.
      if (options.userKey === undefined) {
        announce(experiment);
        announceJoining(experiment, options);
        if (options.select && record !== undefined)
          print('  containers that ran before have no $NETFOLD_OUT: their files are not in the record');
      }
      if (serving) print(`  open its dashboard:    ${serving.link(experiment.name)}`);
      await attend(experiment, interruption, options, onRun);
    } finally {
      endBeside?.();
      await serving?.close();
    }
  });
  tellRecord(record);
}

/** From the start of the timeline to its end. */
async function attend(
  experiment: Experiment,
  interruption: Interruption,
  options: UpOptions,
  onRun?: (experiment: Experiment) => Promise<void>,
): Promise<void> {
  const supervision = supervise(experiment);
  if (options.elsewhere && options.wait)
    await Promise.race([allThere(experiment, interruption), interruption.promise, supervision]);
  if (interruption.requested || isEnding(experiment.name)) return;
  const startAt = await experiment.run();
  await onRun?.(experiment);
  reportUp(experiment);
  await untilEnd(experiment, startAt, { ...options, interruption, supervision });
  if (options.strict) await judgeRun(experiment);
}

/** `onRun` is called when its agents have taken over. */
export async function resume(
  name: string | undefined,
  options: Pick<UpOptions, 'duration'>,
  onRun: () => void = () => {},
): Promise<void> {
  let record: string | undefined;
  await withResumed(await findExperiment(name), async (experiment, interruption) => {
    record = experiment.record;
    const supervision = supervise(experiment);
    const startAt = experiment.startAt ?? (await experiment.run());
    onRun();
    step(`${experiment.name} is attended again; it runs since ${new Date(startAt).toISOString()}`);
    announce(experiment);
    reportUp(experiment);
    await untilEnd(experiment, startAt, { ...options, interruption, supervision });
  });
  tellRecord(record);
}

interface Ending {
  readonly interruption: Interruption;
  readonly supervision: Promise<string>;
  readonly duration?: number;
}

async function untilEnd(
  experiment: Experiment,
  startAt: number,
  { interruption, supervision, duration }: Ending,
): Promise<void> {
  const ended = [interruption.promise, after(duration), quit(experiment, startAt), supervision];
  stderr.write(`${(await Promise.race(ended)) ?? ''}\n`);
}

const ALL_THERE_POLL_MS = 200;

/** Or it is ended: a timer that goes on would keep the process. */
async function allThere(experiment: Experiment, interruption: Interruption): Promise<void> {
  while (!interruption.requested && !isEnding(experiment.name)) {
    const statuses = await experiment.statuses().catch(() => []);
    if (statuses.some(({ known, expected }) => known === expected)) return;
    const { known = 0, expected = 0 } = statuses[0] ?? {};
    progress({ doing: 'endpoints that are there:', done: known, of: expected });
    await sleep(ALL_THERE_POLL_MS);
  }
}

/**
 * Files for containers name images; on a platform without images, endpoints are idle until the user runs commands in
 * them.
 */
function warnOfImages(file: string, { topology, platform }: Experiment): void {
  if (platform.runsImages) return;
  const idle = topology.services.filter(({ image, run }) => image !== undefined && run === undefined);
  if (idle.length === 0) return;
  const names = idle.map(({ name }) => name).join(', ');
  warn(
    `${file}: the local lab starts no images, so ${names} will be idle; start them with \`netfold up ${file} --engine docker\`, or add run`,
  );
}

function announce(experiment: Experiment): void {
  const { plan, name, graph } = experiment;
  const pair = examplePair(
    graph,
    plan.endpoints.map((endpoint) => endpoint.name),
  );
  const up = styled('green', `${name} is up`);
  print(`${up}: ${count(plan.endpoints.length, 'endpoint')} on ${plan.place}`);
  const example = pair ? `ping -c 3 ${hostIn(experiment, pair.to)}` : 'ip address';
  print(
    `  run something in it:   netfold exec ${pair?.from ?? plan.endpoints[0]!.name} --name ${name} -- ${example}`,
  );
  print(`  see its flows:         netfold status ${name}`);
  print(`  end it:                ${hasParent ? `netfold down ${name}` : 'Ctrl-C'}`);
}

/** How an endpoint reaches another: in containers, the topology's names need not resolve. */
function hostIn({ plan, platform }: Experiment, node: string): string {
  if (!platform.contained) return node;
  return plan.endpoints.find(({ name }) => name === node || serviceOf(name) === node)?.address ?? node;
}

function reportUp({ name }: Experiment): void {
  const report: Report = { up: name };
  tellParent(report);
}

/** Prints the command for other machines. */
function announceJoining({ name, graph, plan }: Experiment, options: UpOptions): void {
  const { elsewhere, listen, meshKey, allow, announce: announced } = options;
  if (!elsewhere) return;
  const here = new Set(plan.endpoints.map((endpoint) => endpoint.name));
  const missing = graph.endpoints.filter((endpoint) => !here.has(endpoint));
  if (missing.length === 0) return;
  const { address, port } = listen ?? ANY_ADDRESS;
  if (port !== MESH_PORT)
    warn(`agents' traffic on port ${port} is shaped like all other; that on ${MESH_PORT} never is`);
  print(
    `\n${count(missing.length, 'endpoint')} to come from other machines. There, with a copy of the mesh's key`,
  );
  print(`(${meshKey ?? meshKeyFile(name)}, for root alone) as KEYFILE:`);
  const listed = allow === undefined ? '' : ' --identity FOLDER';
  print(`  ${joinCommand(name, announced ?? reachableAt({ address, port }), missing)}${listed}`);
}

async function after(duration: number | undefined): Promise<string> {
  if (duration === undefined) return new Promise(() => {});
  await waitUntil(Date.now() + toMillis(micros(duration)));
  return `${formatMicros(duration)} are over`;
}

/** The end that the timeline itself contains. */
async function quit({ topology }: Experiment, startAt: number): Promise<string> {
  const ends = topology.events.flatMap(({ action, at }) => (action.verb === 'quit' ? [at] : []));
  if (ends.length === 0) return new Promise(() => {});
  const at = Math.min(...ends);
  await waitUntil(startAt + toMillis(micros(at)));
  return `quit at ${formatMicros(at)}`;
}

function supervise(experiment: Experiment): Promise<string> {
  const log = logFile(experiment.name, 'controller');
  const tell = (line: string): void => {
    warn(line);
    const stamped = `${new Date().toISOString()} ${line}\n`;
    try {
      appendTo(log, stamped, PRIVATE_FILE);
    } catch {
      // A full disk ends no experiment; the line was printed.
    }
  };
  const supervision = experiment.supervise(tell).then(() => 'ended from elsewhere');
  // The error is handled when the promise is awaited, perhaps later.
  supervision.catch(() => {});
  return supervision;
}
