/** `netfold exec`: inside an endpoint. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Command, Option } from 'commander';
import { EndpointGroups } from '../../../agent/endpoints/endpoint-groups.ts';
import { endpointEnvironment, inheritedEnvironment, lifeMark } from '../../../agent/endpoints/environment.ts';
import { inView, privilegesOf } from '../../../agent/endpoints/least-power.ts';
import { MOST_PROCESSES, withinBounds, withSettings } from '../../../agent/endpoints/service-settings.ts';
import { OWN_NAMESPACE } from '../../../agent/kernel/netns/namespace-files.ts';
import { serviceOf } from '../../../topology/model/names.ts';
import { ControllerError } from '../../errors.ts';
import { readSettings } from '../../experiment/service-settings.ts';
import { dataFolder } from '../../names.ts';
import type { Contained, Platform } from '../../platform/port/platform.ts';
import { openPlatform } from '../../platform/registry.ts';
import { type Found, findEndpoint } from '../options/find-endpoint.ts';
import { apiOption, caOption, nameOption } from '../options/name-option.ts';
import { attended } from '../terminal/attended.ts';

export function addExecCommand(program: Command): void {
  program
    .command('exec <node> <command...>')
    .description(
      "run a command inside an endpoint; the topology's names resolve there; exits with the command's code",
    )
    .addOption(nameOption('which experiment, if several are running'))
    .option('--user <user>', "as which user of this machine, instead of the service's `user`")
    .option(
      '--privileged',
      "with all capabilities and netfold's own files, whatever the service has: to look at the endpoint's network or change it",
    )
    .addOption(apiOption())
    .addOption(caOption())
    .addOption(
      new Option('--timeout <time>', 'with --api: ends it after this time, at most 10m').default('1m'),
    )
    .option('--stdin', 'with --api: sends what stdin has, to its end, at most 64 KiB')
    .addHelpText(
      'after',
      "\nExamples:\n  netfold exec client.0 -- ping -c 3 server\n  netfold exec client.0 -- sh -c 'echo $HOME | wc -c'\n" +
        '  netfold exec --privileged client.0 -- nft list ruleset\n' +
        'Write -- before the command, so that its options are its own.',
    )
    .showHelpAfterError('write -- before the command: netfold exec NODE -- COMMAND OPTIONS')
    .action(exec);
}

/**
 * A shell gives the words of a command; one word with spaces or with the characters of a shell is a line for a shell that
 * nobody starts. Throws `ControllerError` (`COMMAND_WORDS`).
 */
function refuseShellText(node: string, command: readonly string[]): void {
  const [text] = command;
  if (command.length !== 1 || !/[\s$|&;<>*?`(){}"']/.test(text!) || existsSync(text!)) return;
  const quoted = `'${text!.replaceAll("'", "'\\''")}'`;
  throw new ControllerError(
    'COMMAND_WORDS',
    `there is no command ${JSON.stringify(text)}: it is one word, and no shell reads it`,
    `write netfold exec ${node} -- sh -c ${quoted}`,
  );
}

/** `env` ends with 127 if there is no such command, and 126 if it can't be executed, as shells do; `ip netns exec` with 1. */
function throughEnv(command: readonly string[]): string[] {
  return command[0]!.includes('=') ? [...command] : ['env', ...command];
}

interface ExecOptions {
  readonly name?: string;
  readonly user?: string;
  readonly privileged?: boolean;
  readonly api?: string;
  readonly timeout: string;
  readonly stdin?: boolean;
}

async function exec(node: string, command: string[], options: ExecOptions): Promise<void> {
  refuseShellText(node, command);
  const { api, stdin: sendsStdin = false } = options;
  if (api !== undefined)
    return (await import('./remote.ts')).execAt({ ...options, api, node, command, sendsStdin });
  const found = await findEndpoint(node, options.name);
  const platform = await openPlatform(found.state.platform);
  const { contained } = platform;
  if (contained) await execContained(contained, found, command, options);
  else await execHere(platform, found, command, options);
}

/** The container's own environment, user, capabilities and bounds hold. */
async function execContained(
  contained: Contained,
  { endpoint }: Found,
  command: readonly string[],
  { user, privileged = false }: ExecOptions,
): Promise<void> {
  const terminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  const how = { privileged, terminal, env: endpointEnvironment(endpoint), ...(user && { user }) };
  const [program, ...args] = await contained.exec(endpoint, command, how);
  process.exitCode = await attended(() => spawn(program!, args, { stdio: 'inherit' }));
}

async function execHere(
  platform: Platform,
  { endpoint, experiment }: Found,
  command: readonly string[],
  { user, privileged }: ExecOptions,
): Promise<void> {
  const data = dataFolder(experiment, endpoint.name);
  const settings = { ...readSettings(experiment, serviceOf(endpoint.name)), ...(user && { user }) };
  const environment = {
    ...endpointEnvironment(endpoint, data),
    ...lifeMark(experiment, endpoint.name),
  };
  const inside = (words: readonly string[]): readonly string[] =>
    privileged ? words : inView(dirname(data), endpoint.namespace !== OWN_NAMESPACE, words);
  const words = withSettings(settings, data, throughEnv(command), privileged ? [] : privilegesOf(settings));
  const most = settings.processes ?? MOST_PROCESSES;
  const group = new EndpointGroups(experiment).make(endpoint.name, most, false);
  const [program, ...args] = withinBounds(settings, group, platform.exec(endpoint, inside(words)));
  const env = { ...inheritedEnvironment(), ...environment };
  process.exitCode = await attended(() => spawn(program!, args, { stdio: 'inherit', env }));
}
