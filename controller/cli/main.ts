/** The command line. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { EXIT_CODE, exitCodeOf } from '../../proto/errors.ts';
import { addAgentCommand } from './commands/agent.ts';
import { addControlCommands } from './commands/control.ts';
import { addExecCommands } from './commands/exec.ts';
import { addGenerateCommand } from './commands/generate.ts';
import { addMachineCommands } from './commands/machine.ts';
import { addMeshCommand } from './commands/mesh.ts';
import { addRunningCommands } from './commands/running.ts';
import { addTopologyCommands } from './commands/topology.ts';
import { addUpCommand } from './commands/up.ts';
import { addVerifyCommand } from './commands/verify.ts';
import { printError } from './output.ts';

const HELP = `
Start with:
  netfold check FILE           is my topology right?
  netfold paths FILE           what will each pair of endpoints get?
  netfold up FILE              run it (needs root)
  netfold exec NODE -- CMD     run a command inside an endpoint
  netfold set A--B latency=9ms change it while it runs
  netfold verify FILE          run it, measure it, and say whether it is faithful

Exit codes: 0 done, 1 the input is wrong, 2 wrong usage, 3 this machine can't, 4 netfold broke.`;

function version(): string {
  const manifest = readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

function createProgram(): Command {
  const program = new Command('netfold')
    .description('Gives a cluster, or one machine, any network you describe.')
    .version(version())
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .addHelpText('after', HELP)
    .exitOverride();
  program.commandsGroup('Topologies:');
  addTopologyCommands(program);
  addGenerateCommand(program);
  addVerifyCommand(program);
  program.commandsGroup('Experiments:');
  addUpCommand(program);
  addRunningCommands(program);
  addExecCommands(program);
  addControlCommands(program);
  program.commandsGroup('This machine, and its daemons:');
  addMachineCommands(program);
  addAgentCommand(program);
  addMeshCommand(program);
  for (const command of program.commands) command.exitOverride();
  return program;
}

// A reader that has seen enough (`netfold paths FILE | head`) is no failure; what runs goes on.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  await createProgram().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT_CODE.usage;
  else {
    printError(error);
    process.exitCode = exitCodeOf(error);
  }
}
