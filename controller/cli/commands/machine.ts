/** `netfold doctor`: what this machine can do. */
import type { Command } from 'commander';
import { probeMachine, readMachine } from '../../../agent/linux/probe/probe.ts';
import { EXIT_CODE } from '../../../proto/errors.ts';
import { probeEnvironment } from '../../machine/environment.ts';
import { reportLines, reportOf, type Tone } from '../../machine/report.ts';
import { print, printJson, styled } from '../terminal/output.ts';

const COLOURS = { good: 'green', bad: 'red', warning: 'yellow', quiet: 'dim' } as const satisfies Record<
  Tone,
  string
>;

interface DoctorOptions {
  readonly json?: boolean;
  readonly allPlatforms?: boolean;
}

export function addMachineCommands(program: Command): void {
  program
    .command('doctor')
    .description('what this machine can do, what is missing, and the exact remedy')
    .option('--json', 'print JSON, with the remedies for all platforms')
    .option('--all-platforms', 'print the remedies for all platforms')
    .action(doctor);
}

async function doctor({ json = false, allPlatforms = false }: DoctorOptions): Promise<void> {
  const machine = readMachine();
  // Checks that wait for other programs run while the kernel is probed.
  const environment = probeEnvironment(machine);
  const report = reportOf(machine, [...probeMachine(machine), ...(await environment)]);
  if (!report.able) process.exitCode = EXIT_CODE.machine;
  if (json) {
    printJson(report);
    return;
  }
  const style = (tone: Tone, text: string): string => styled(COLOURS[tone], text);
  print(reportLines(report, { allPlatforms, style }).join('\n'));
}
