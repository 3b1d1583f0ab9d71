/** `netfold agent`: the daemon of one host. */
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import type { Stopped } from '../../../agent/daemon/main.ts';
import type { Exemption } from '../../../proto/bootstrap.ts';
import type { Micros } from '../../../proto/units.ts';
import { ControllerError } from '../../errors.ts';
import { type MeshAddress, parsePeer } from '../../mesh-address.ts';
import { openPlatform } from '../../platform/registry.ts';
import type { Placement } from '../../platform/site/site-plan.ts';
import {
  hostOption,
  joiningPlacement,
  listenOption,
  meetingOptions,
  placementOptions,
} from '../options/placement-options.ts';
import { addRecordOptions } from '../options/record-options.ts';
import { METRICS_PORT, parseMetricsAddress } from '../options/serve-options.ts';
import { step } from '../terminal/output.ts';

export interface AgentFlags {
  readonly controller?: string;
  readonly join: readonly string[];
  readonly experiment?: string;
  readonly name?: string;
  readonly host: string;
  readonly socket?: string;
  readonly at: readonly Placement[];
  readonly listen?: MeshAddress;
  readonly takeOver?: boolean;
  readonly lease?: Micros;
  readonly never?: readonly Exemption[];
  readonly meshKey?: string;
  readonly identity?: string;
  readonly allow?: string;
  readonly commanders?: string;
  readonly announce?: readonly string[];
  readonly logLevel: string;
  /** Folder of this host's part of the record; false: none; absent: one among the others. */
  readonly record?: string | false;
  readonly metrics?: MeshAddress;
}

const EXAMPLE = `
Example: netfold agent --join 192.0.2.7 --experiment wan --mesh-key wan.key --at server=eth0
docs/several-machines.md has the whole story.`;

export function addAgentCommand(program: Command): void {
  const command = program
    .command('agent')
    .description(
      "run one host's agent in the foreground: join a running experiment (--join), or start with what a controller sends",
    )
    .option('--controller <address>', 'where to get the experiment: unix:PATH or http://HOST:PORT')
    .addOption(
      new Option('--join <address>', 'an agent of a running experiment, e.g. 192.0.2.7; several may be named')
        .default([], 'none')
        .argParser((text: string, before: readonly string[]) => [...before, parsePeer(text)]),
    )
    .option('--experiment <name>', 'with --join: the name of the experiment')
    .option(
      '--name <name>',
      "with --join: what it is called on this machine (default: the experiment's name)",
    )
    .addOption(hostOption("this host's name in the experiment").default(hostname()))
    .option('--socket <path>', "with --controller: the agent's own unix socket")
    .option('--mesh-key <file>', "the mesh's key (`netfold mesh key`); only its owner may read the file")
    .addOption(listenOption('with --join'));
  for (const option of [...meetingOptions(), ...placementOptions('with --join')]) command.addOption(option);
  addRecordOptions(command)
    .addOption(
      new Option(
        '--metrics <address[:port]>',
        `serve metrics for Prometheus there, to everybody who reaches it (default port: ${METRICS_PORT})`,
      ).argParser(parseMetricsAddress),
    )
    .addOption(new Option('--log-level <level>').choices(['debug', 'info', 'warn', 'error']).default('info'))
    .addHelpText('after', EXAMPLE)
    .action(async (flags: AgentFlags) => {
      await (flags.join.length > 0 ? join(flags) : obey(flags));
      // Everything is removed by now, but libp2p has timers that would keep the process for one to three seconds
      // more.
      process.exit();
    });
  addMessengerCommand(program);
}

/** What an agent starts that has ended before all hosts knew of the end. */
function addMessengerCommand(program: Command): void {
  program.command('messenger <folder>', { hidden: true }).action(async (folder: string) => {
    const { runMessenger } = await import('../../messenger/messenger.ts');
    await runMessenger(folder);
    process.exit();
  });
}

/** The options that these words are, as after `netfold agent`. Throws `CommanderError`. */
export function readAgentWords(words: readonly string[]): AgentFlags {
  const trial = new Command().exitOverride();
  addAgentCommand(trial);
  let read: AgentFlags | undefined;
  trial.commands[0]!.exitOverride().action((flags: AgentFlags) => {
    read = flags;
  });
  trial.parse(['agent', ...words], { from: 'user' });
  return read!;
}

async function obey({ controller, socket, ...options }: AgentFlags): Promise<void> {
  if (controller === undefined) throw missing('--controller ADDRESS or --join ADDRESS');
  if (socket === undefined) throw missing('--socket PATH');
  // libp2p takes longer to load than most commands take to run.
  const { runAgent } = await import('../../../agent/daemon/main.ts');
  await runAgent({ ...options, controller, socket });
}

async function join(flags: AgentFlags): Promise<void> {
  await joinAs(flags);
  step(`${flags.host} has left ${flags.experiment}; nothing of it is left here`);
}

/** Takes part until it is asked to end, or the experiment has quit. Throws `JOIN_USAGE`, and what `joinExperiment` throws. */
export async function joinAs({ join: peers, experiment, record, ...options }: AgentFlags): Promise<Stopped> {
  if (options.controller !== undefined)
    throw new ControllerError('JOIN_USAGE', '--join and --controller exclude each other', 'leave out one');
  if (experiment === undefined) throw missing('--experiment NAME');
  if (options.at.length === 0) throw missing('--at NODE=INTERFACE');
  const { joinExperiment } = await import('../../experiment/join.ts');
  const { platform, placement } = joiningPlacement(options);
  return joinExperiment({
    ...options,
    ...{ peers, experiment, placement, onStep: step },
    ...(record !== false && { record: typeof record === 'string' ? { folder: resolve(record) } : {} }),
    platform: await openPlatform(platform),
    name: options.name ?? experiment,
  });
}

const missing = (what: string): ControllerError =>
  new ControllerError('JOIN_USAGE', `${what} is missing`, 'see `netfold agent --help`');
