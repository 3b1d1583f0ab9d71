/** `netfold doctor`: what this machine can do. */
import type { Command } from 'commander';
import { osInfo } from 'systeminformation';
import { probeMachine } from '../../../agent/kernel/probe.ts';
import { print, printJson, styled } from '../output.ts';

export function addMachineCommands(program: Command): void {
  program
    .command('doctor')
    .description('what this machine can do, what is missing, and the exact remedy')
    .option('--json', 'print JSON')
    .action(doctor);
}

async function doctor({ json = false }: { json?: boolean }): Promise<void> {
  const abilities = probeMachine();
  const able = abilities.every(({ ok }) => ok);
  if (!able) process.exitCode = 3;
  if (json) {
    printJson({ able, abilities });
    return;
  }
  const { distro, release, kernel, arch } = await osInfo();
  print(`${distro} ${release}, Linux ${kernel}, ${arch}`);
  for (const { name, neededFor, ok, reason, remedy } of abilities) {
    if (ok) print(`${styled('green', '✓')} ${name}`);
    else print(`${styled('red', '✗')} ${name} (needed for ${neededFor}): ${reason}\n  → ${remedy}`);
  }
  print(able ? 'this machine can run a local lab' : "this machine can't run a local lab yet");
}
