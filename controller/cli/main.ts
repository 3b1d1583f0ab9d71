/** The command line. */
import { Command, CommanderError } from 'commander';
import { netfoldVersion } from '../../agent/files/version.ts';
import { EXIT_CODE, NetfoldError } from '../../proto/errors.ts';
import { commandExitCode } from '../errors.ts';
import { print, printError } from './terminal/output.ts';
import { tellParent } from './terminal/parent.ts';
import { surviveOutput } from './terminal/survive-output.ts';

const HELP = `
Start with:
  netfold check FILE           is my topology right?
  netfold paths FILE           what will each pair of endpoints get?
  netfold up FILE              run it (needs root)
  netfold exec NODE -- CMD     run a command inside an endpoint
  netfold verdict              is it faithful so far, and why not?
  netfold set A--B latency=9ms change it while it runs
  netfold verify FILE          run it, measure it, and say whether it is faithful

Exit codes: 0 done, 1 the input is wrong, 2 wrong usage, 3 this machine can't, 4 netfold broke.`;

interface Group {
  readonly heading: string;
  readonly commands: readonly string[];
  /**
   * Adds these commands. Loading a module costs more than most commands take, so only the modules of the called
   * command are loaded.
   */
  readonly load: () => Promise<(program: Command) => unknown>;
}

const TOPOLOGIES = 'Topologies:';
const EXPERIMENTS = 'Experiments:';
const RECORDS = 'Records of runs:';
const MACHINE = 'This machine, and its daemons:';
const CONTROL =
  'set join leave crash disconnect reconnect flap churn partition heal run signal start stop notify reset history'.split(
    ' ',
  );
const GROUPS: readonly Group[] = [
  {
    heading: TOPOLOGIES,
    commands: ['check'],
    load: async () => (await import('./insight/check.ts')).addCheckCommand,
  },
  {
    heading: TOPOLOGIES,
    commands: ['paths', 'share', 'timeline'],
    load: async () => (await import('./commands/topology.ts')).addTopologyCommands,
  },
  {
    heading: TOPOLOGIES,
    commands: ['generate'],
    load: async () => (await import('./commands/generate.ts')).addGenerateCommand,
  },
  {
    heading: TOPOLOGIES,
    commands: ['convert', 'fmt'],
    load: async () => (await import('./commands/convert.ts')).addConvertCommand,
  },
  {
    heading: TOPOLOGIES,
    commands: ['template'],
    load: async () => (await import('./commands/template.ts')).addTemplateCommand,
  },
  {
    heading: TOPOLOGIES,
    commands: ['place'],
    load: async () => (await import('./commands/place.ts')).addPlaceCommand,
  },
  {
    heading: TOPOLOGIES,
    commands: ['explain'],
    load: async () => (await import('./insight/explain.ts')).addExplainCommand,
  },
  {
    heading: TOPOLOGIES,
    commands: ['graph'],
    load: async () => (await import('./insight/graph.ts')).addGraphCommand,
  },
  {
    heading: TOPOLOGIES,
    commands: ['verify'],
    load: async () => (await import('./commands/verify.ts')).addVerifyCommand,
  },
  {
    heading: EXPERIMENTS,
    commands: ['up', 'controller', 'resume'],
    load: async () => (await import('./commands/up.ts')).addUpCommand,
  },
  {
    heading: EXPERIMENTS,
    commands: ['attach'],
    load: async () => (await import('./commands/attach.ts')).addAttachCommand,
  },
  {
    heading: EXPERIMENTS,
    commands: ['deploy'],
    load: async () => (await import('./cluster/deploy.ts')).addDeployCommand,
  },
  {
    heading: EXPERIMENTS,
    commands: ['inject'],
    load: async () => (await import('./inject/inject.ts')).addInjectCommand,
  },
  {
    heading: EXPERIMENTS,
    commands: ['ls', 'status', 'down', 'cleanup'],
    load: async () => (await import('./commands/running.ts')).addRunningCommands,
  },
  {
    heading: EXPERIMENTS,
    commands: ['verdict'],
    load: async () => (await import('./insight/verdict.ts')).addVerdictCommand,
  },
  {
    heading: EXPERIMENTS,
    commands: ['top'],
    load: async () => (await import('./insight/top.ts')).addTopCommand,
  },
  {
    heading: EXPERIMENTS,
    commands: ['exec'],
    load: async () => (await import('./commands/exec.ts')).addExecCommand,
  },
  {
    heading: EXPERIMENTS,
    commands: ['logs'],
    load: async () => (await import('./commands/logs.ts')).addLogsCommand,
  },
  {
    heading: EXPERIMENTS,
    commands: ['capture'],
    load: async () => (await import('./capture/capture.ts')).addCaptureCommand,
  },
  {
    heading: EXPERIMENTS,
    commands: CONTROL,
    load: async () => (await import('./commands/control.ts')).addControlCommands,
  },
  {
    heading: EXPERIMENTS,
    commands: ['test'],
    load: async () => (await import('./records/test.ts')).addTestCommand,
  },
  {
    heading: EXPERIMENTS,
    commands: ['study'],
    load: async () => (await import('./workbench/study.ts')).addStudyCommand,
  },
  {
    heading: EXPERIMENTS,
    commands: ['queue'],
    load: async () => (await import('./workbench/queue.ts')).addQueueCommand,
  },
  {
    heading: EXPERIMENTS,
    commands: ['swap'],
    load: async () => (await import('./workbench/swap.ts')).addSwapCommand,
  },
  {
    heading: EXPERIMENTS,
    commands: ['traffic'],
    load: async () => (await import('./workbench/traffic.ts')).addTrafficCommand,
  },
  {
    heading: RECORDS,
    commands: ['records', 'events'],
    load: async () => (await import('./records/records.ts')).addRecordCommands,
  },
  {
    heading: RECORDS,
    commands: ['report', 'export'],
    load: async () => (await import('./records/export.ts')).addExportCommands,
  },
  {
    heading: RECORDS,
    commands: ['compare'],
    load: async () => (await import('./records/compare.ts')).addCompareCommand,
  },
  {
    heading: RECORDS,
    commands: ['replay'],
    load: async () => (await import('./records/replay.ts')).addReplayCommand,
  },
  {
    heading: MACHINE,
    commands: ['serve'],
    load: async () => (await import('./commands/serve.ts')).addServeCommand,
  },
  {
    heading: MACHINE,
    commands: ['doctor'],
    load: async () => (await import('./commands/machine.ts')).addMachineCommands,
  },
  {
    heading: MACHINE,
    commands: ['agent', 'messenger'],
    load: async () => (await import('./commands/agent.ts')).addAgentCommand,
  },
  {
    heading: MACHINE,
    commands: ['node'],
    load: async () => (await import('./cluster/node.ts')).addNodeCommand,
  },
  {
    heading: MACHINE,
    commands: ['service'],
    load: async () => (await import('./commands/service.ts')).addServiceCommand,
  },
  {
    heading: MACHINE,
    commands: ['mesh'],
    load: async () => (await import('./commands/mesh.ts')).addMeshCommand,
  },
  {
    heading: MACHINE,
    commands: ['completion'],
    load: async () => (await import('./insight/complete.ts')).addCompletionCommand,
  },
];

/** With all commands; if `called` is the name of one, with those of its group only. */
async function createProgram(called: string | undefined): Promise<Command> {
  const program = new Command('netfold')
    .description('Gives a cluster, or one machine, any network you describe.')
    .version(netfoldVersion())
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .addHelpText('after', HELP)
    .exitOverride();
  const wanted = GROUPS.filter(({ commands }) => called !== undefined && commands.includes(called));
  for (const { heading, load } of wanted.length > 0 ? wanted : GROUPS) {
    program.commandsGroup(heading);
    (await load())(program);
  }
  for (const command of program.commands) command.exitOverride();
  return program;
}

/** What a shell asks while the user writes: one answer a line, and no error whatever happens. */
async function complete(words: readonly string[]): Promise<void> {
  const { candidates, machinePorts } = await import('./insight/complete.ts');
  const load = async (name: string): Promise<Command | undefined> => {
    if (!GROUPS.some(({ commands }) => commands.includes(name))) return undefined;
    return (await createProgram(name)).commands.find((command) => command.name() === name);
  };
  const commands = GROUPS.flatMap((group) => group.commands);
  for (const answer of await candidates(words, { commands, load, ...machinePorts })) print(answer);
}

surviveOutput();

try {
  if (process.argv[2] === '__complete') await complete(process.argv.slice(3));
  else await (await createProgram(process.argv[2])).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT_CODE.usage;
  else {
    // Most errors have a code; this is for the others.
    const known =
      error instanceof NetfoldError ? error : (await import('../system-errors.ts')).withCode(error);
    printError(known);
    if (known instanceof NetfoldError) {
      const { code, blame, message, remedy } = known;
      tellParent({ failed: { code, blame, message, ...(remedy !== undefined && { remedy }) } });
    }
    process.exitCode = commandExitCode(known);
  }
}
