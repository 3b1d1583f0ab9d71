/** `netfold attach`: shapes containers that run already, and leaves them running. */
import type { Command } from 'commander';
import { containerOptions } from '../options/placement-options.ts';
import { addRecordOptions } from '../options/record-options.ts';
import { detached } from './detached.ts';
import { addEmulationOptions, durationOption, fileNameOption, type UpOptions, up } from './up.ts';

export function addAttachCommand(program: Command): void {
  const command = program
    .command('attach <file>')
    .description('shape containers that run already until Ctrl-C, or on its own with --detach; they stay')
    .option('--detach', 'return when they are shaped; end it with `netfold down`')
    .option('--names', 'with --engine docker: the names of the topology resolve inside, by their /etc/hosts')
    .addOption(durationOption())
    .addOption(fileNameOption());
  for (const option of containerOptions()) command.addOption(option);
  addRecordOptions(addEmulationOptions(command))
    .addHelpText(
      'after',
      '\nExamples:\n  netfold attach net.yaml --engine docker --select client=label:app=web --select "server=name:db*"\n' +
        '  netfold attach net.yaml --engine docker --select web=compose:shop/web --select db=compose:shop/db --detach\n' +
        '  netfold attach net.yaml --engine cri --select web=label:app=web,namespace:shop --select "db=name:shop/db-*"',
    )
    .action((file: string, options: Omit<UpOptions, 'at' | 'hosts'>) =>
      options.detach ? detached('attach') : up(file, { ...options, at: [], hosts: 1 }),
    );
}
