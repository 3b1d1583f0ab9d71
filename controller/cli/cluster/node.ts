/** `netfold node`: one machine's part of an experiment in a cluster, as the files of `netfold deploy` start it. */
import { hostname } from 'node:os';
import { type Command, Option } from 'commander';
import { AgentFinder } from '../../deploy/agent-finder.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { type MeshAddress, parseNamed } from '../../mesh-address.ts';
import { addEmulationOptions, type UpOptions, up } from '../commands/up.ts';
import { containerOptions, hostOption, listenOption } from '../options/placement-options.ts';

type NodeOptions = Omit<UpOptions, 'at' | 'hosts'> & { readonly find: MeshAddress };

export function addNodeCommand(program: Command): void {
  const command = program
    .command('node <file>')
    .description(
      'run the part of an experiment that is on this machine of a cluster, until it is signalled: all machines start alike, and find each other',
    );
  for (const option of containerOptions()) command.addOption(option);
  addEmulationOptions(command)
    .addOption(
      new Option('--find <name[:port]>', 'a name of DNS with the addresses of the agents of all machines')
        .argParser((text): MeshAddress => parseNamed(text))
        .makeOptionMandatory(),
    )
    .requiredOption('--mesh-key <file>', "the mesh's key (`netfold mesh key`), the same on all machines")
    .requiredOption(
      '--user-key <file>',
      'the key of who gives commands (`netfold mesh user`), the same on all machines',
    )
    .addOption(hostOption("this machine's name in the experiment").default(hostname()).env('NETFOLD_HOST'))
    .addOption(listenOption('always'))
    .action((file: string, { find, ...options }: NodeOptions) =>
      up(file, {
        ...options,
        ...{ at: [], hosts: 1, elsewhere: true, wait: true, record: false },
        beside: (experiment) => findAgents(experiment, find),
      }),
    );
}

/** The agent of this machine is told of others, as they come. */
function findAgents({ name, plan }: Experiment, find: MeshAddress): () => void {
  const finder = new AgentFinder(name, plan.hosts[0]!.name, find);
  finder.start();
  return () => finder.stop();
}
