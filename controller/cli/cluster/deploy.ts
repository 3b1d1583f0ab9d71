/** `netfold deploy`: a topology on a cluster of containers, as files for its orchestrator. */
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { DeployError } from '../../deploy/errors.ts';
import { type ClusterSelector, parseClusterSelector } from '../../deploy/kubernetes-selectors.ts';
import { netfoldVersion } from '../../machine/version.ts';
import { addFileOptions, type FileOptions, warnOfFile } from '../options/files.ts';
import { nameOption } from '../options/name-option.ts';
import { openTopology } from '../options/open-topology.ts';
import { print, progress, step, warn } from '../terminal/output.ts';

interface DeployOptions extends FileOptions {
  readonly swarm?: boolean;
  readonly kubernetes?: boolean;
  readonly out?: string;
  readonly apply?: boolean;
  readonly name?: string;
  readonly image: string;
  readonly select?: readonly ClusterSelector[];
}

const EXAMPLES = `
Examples:
  netfold deploy shop.yaml --swarm -o shop                then: docker stack deploy -c shop/stack.yaml shop
  netfold deploy shop.yaml --swarm --apply                deploys it, and waits until all is in force
  netfold deploy shop.yaml --kubernetes -o shop           then: kubectl apply -k shop
  netfold deploy net.yaml --kubernetes --select client=app=web,namespace=shop -o net`;

export function addDeployCommand(program: Command): void {
  const command = program
    .command('deploy <file>')
    .description('write a topology for a cluster: agents on every node, and the services of the topology');
  addFileOptions(command)
    .addOption(nameOption("the experiment's name (default: the topology's)"))
    .option('--swarm', 'a stack file for Docker Swarm')
    .option('--kubernetes', 'manifests for Kubernetes, as a base of kustomize')
    .option('-o, --out <folder>', "where to (default: a folder with the experiment's name)")
    .option('--apply', 'with --swarm: deploy it, and wait until agents run and know all endpoints')
    .addOption(
      new Option('--image <image>', "netfold's image (npm run build:image)").default(
        `netfold:${netfoldVersion()}`,
      ),
    )
    .addOption(
      new Option(
        '--select <service=labels>',
        'with --kubernetes: pods that are there already, instead of those of the service: KEY=VALUE, and namespace=NAME, with commas',
      ).argParser((text: string, before: readonly ClusterSelector[] = []) => [
        ...before,
        parseClusterSelector(text),
      ]),
    )
    .addHelpText('after', EXAMPLES)
    .action(deploy);
}

async function deploy(file: string, options: DeployOptions): Promise<void> {
  const { swarm = false, kubernetes = false, apply = false, image, select } = options;
  if (swarm === kubernetes)
    throw wrong(swarm ? '--swarm and --kubernetes exclude each other' : '--swarm or --kubernetes is missing');
  if (select && swarm) throw wrong('--select is for --kubernetes');
  if (apply && kubernetes) throw wrong('--apply is for --swarm: write the files, then kubectl apply -k DIR');
  const { topology, warnings, source } = openTopology(file, options);
  warnOfFile(warnings);
  const name = options.name ?? topology.name;
  const deployment = { name, folder: resolve(options.out ?? name), image, topology, source };
  if (kubernetes) {
    const { writeManifests } = await import('../../deploy/kubernetes.ts');
    for (const sentence of writeManifests(deployment, select ?? [])) warn(`${file}: ${sentence}`);
    print(`${deployment.folder} has the manifests; deploy them: kubectl apply -k ${deployment.folder}`);
    return;
  }
  const { STACK_FILE, applyStack, requireSwarm, writeStack } = await import('../../deploy/swarm.ts');
  for (const sentence of writeStack(deployment)) warn(`${file}: ${sentence}`);
  const words = `docker stack deploy -c ${deployment.folder}/${STACK_FILE} ${name}`;
  if (!apply) {
    print(`${deployment.folder} has the stack; deploy it from a manager: ${words}`);
    return;
  }
  for (const sentence of await requireSwarm(deployment)) warn(sentence);
  await applyStack(deployment, { onStep: step, onProgress: progress });
  print(`${name} is in force; end it: docker stack rm ${name}`);
}

const wrong = (message: string): DeployError =>
  new DeployError('DEPLOY_USAGE', message, 'see `netfold deploy --help`');
