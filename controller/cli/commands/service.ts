/** `netfold service`: agents that the machine keeps running. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import type { Bootstrap } from '../../../proto/bootstrap.ts';
import { exitCodeOf, type NetfoldError } from '../../../proto/errors.ts';
import { callJson } from '../../../proto/http-json.ts';
import { ControllerError } from '../../errors.ts';
import { agentStatus } from '../../experiment/agents.ts';
import { readState } from '../../experiment/state.ts';
import { agentsOf, signalAll } from '../../machine/processes.ts';
import { agentSocket } from '../../names.ts';
import type { ServiceManager } from '../../service/manager.ts';
import { hasOpenRc, isUnderOpenRc, openRc, stopIfOver } from '../../service/openrc.ts';
import {
  endedAt,
  identityOf,
  keepEnd,
  keepPeers,
  keepService,
  readPeers,
  readService,
  requireServiceName,
  serviceFolder,
  serviceNames,
} from '../../service/service-files.ts';
import { LOOK_MS, runChild, shorten, superviseService } from '../../service/supervise.ts';
import { hasSystemd, systemd } from '../../service/units.ts';
import { print, printJson, step, table } from '../terminal/output.ts';
import { type AgentFlags, joinAs, readAgentWords } from './agent.ts';

const EXAMPLE = `
Example: netfold service install wan --boot -- --join 192.0.2.7 --mesh-key wan.key --at server=eth0
docs/services.md has the whole story.`;

/** An agent that is gone within this time after it has come is not remembered. */
const PEERS_MS = 5000;

export function addServiceCommand(program: Command): void {
  const service = program
    .command('service')
    .description("a host's agent as a service of this machine, started again when it fails, and after a boot")
    .addHelpText('after', EXAMPLE);
  service
    .command('install <name> <words...>')
    .usage('<name> [options] -- <options of `netfold agent`>')
    .description('make the service, and start it')
    .option('--boot', 'start it again when the machine has started')
    .option('--no-start', 'only make it')
    .action(install);
  service.command('uninstall <name>').description('end it, and remove everything of it').action(uninstall);
  service
    .command('restart <name>')
    .description('replace its agent by one of the installed version; what it enforces stays in force')
    .action(restart);
  service
    .command('status')
    .description('the services of this machine')
    .option('--json', 'print JSON')
    .action(status);
  service
    .command('run <name>')
    .description('what a service manager starts: the agent in the foreground')
    .addOption(
      new Option('--supervise', 'start it again when it fails: for machines without systemd and OpenRC'),
    )
    .action(run);
  for (const command of service.commands) command.exitOverride();
}

/** The options of the agent of a service. Its experiment is called as the service, on this machine and, unless it is told, everywhere. */
function flagsOf(name: string, words: readonly string[]): AgentFlags & { readonly experiment: string } {
  const flags = readAgentWords(words);
  if (flags.name !== undefined && flags.name !== name)
    throw new ControllerError(
      'JOIN_USAGE',
      `--name ${flags.name}: the experiment of the service ${name} is called ${name} on this machine`,
      `leave out --name; if all others call it otherwise, write --experiment`,
    );
  if (flags.join.length === 0)
    throw new ControllerError('JOIN_USAGE', '--join ADDRESS is missing', 'see `netfold agent --help`');
  const folder = serviceFolder(name);
  return {
    ...flags,
    name,
    experiment: flags.experiment ?? name,
    identity: flags.identity ?? identityOf(folder),
  };
}

function managerHere(): ServiceManager | undefined {
  if (hasSystemd()) return systemd;
  return hasOpenRc() ? openRc : undefined;
}

async function install(
  name: string,
  words: readonly string[],
  { boot = false, start }: { boot?: boolean; start: boolean },
): Promise<void> {
  requireServiceName(name);
  flagsOf(name, words);
  const folder = serviceFolder(name);
  keepService(folder, words);
  rmSync(join(folder, 'ended'), { force: true });
  const manager = managerHere();
  if (!manager) {
    step(
      `this machine has neither systemd nor OpenRC: let what it has instead run \`netfold service run ${name} --supervise\``,
    );
    return;
  }
  const installed = await manager.install(name);
  if (boot) await manager.startAtBoot(name);
  if (start) await manager.restart(name);
  step(`${installed} ${start ? 'runs' : 'is installed'}${boot ? ', also after a boot' : ''}`);
}

async function uninstall(name: string): Promise<void> {
  requireServiceName(name);
  const folder = serviceFolder(name);
  if (!existsSync(folder)) readService(folder);
  const manager = managerHere();
  if (manager) await manager.remove(name);
  else signalAll(agentsOf(name), 'SIGTERM');
  rmSync(folder, { recursive: true, force: true });
  step(`${name} is no service any more`);
}

/** A killed agent leaves its shaping, and the next one adopts it. */
async function restart(name: string): Promise<void> {
  requireServiceName(name);
  readService(serviceFolder(name));
  const agents = agentsOf(name);
  if (agents.length > 0) signalAll(agents, 'SIGKILL');
  else await managerHere()?.restart(name);
  step(agents.length > 0 ? `the agent of ${name} is replaced` : `${name} is started`);
}

async function run(name: string, { supervise = false }: { supervise?: boolean }): Promise<void> {
  requireServiceName(name);
  const folder = serviceFolder(name);
  const end = endedAt(folder);
  if (end !== undefined) {
    step(`${name} has ended on all hosts at ${end}; \`netfold service install\` makes it anew`);
    stopIfOver(name, 0);
    return;
  }
  if (supervise) process.exitCode = await superviseHere(name);
  else await takePartUnder(name, folder);
  process.exit();
}

const logOf = (name: string): string => `/var/log/netfold/${name}.service.log`;

/** With OpenRC, which keeps no log short, and starts it again however it ends. */
async function takePartUnder(name: string, folder: string): Promise<void> {
  const shortening = isUnderOpenRc(name) ? setInterval(() => shorten(logOf(name)), LOOK_MS) : undefined;
  try {
    await takePart(name, folder);
    stopIfOver(name, 0);
  } catch (error) {
    stopIfOver(name, exitCodeOf(error));
    throw error;
  } finally {
    clearInterval(shortening);
  }
}

function superviseHere(name: string): Promise<number> {
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort());
  const { signal } = ending;
  const words = ['service', 'run', name];
  const log = logOf(name);
  return superviseService({ run: (output) => runChild(words, output, signal), log, signal });
}

async function takePart(name: string, folder: string): Promise<void> {
  const flags = flagsOf(name, readService(folder).words);
  const { isAddress } = await import('../../../agent/mesh/libp2p/peer-addresses.ts');
  // What others have announced may be no address.
  const peers = [...new Set([...flags.join, ...readPeers(folder).filter(isAddress)])];
  const remembering = setInterval(() => void rememberPeers(name, flags.host, folder), PEERS_MS);
  try {
    const stopped = await joinAs({ ...flags, join: peers });
    if (stopped === 'quit') keepEnd(folder, new Date());
    step(
      stopped === 'quit'
        ? `${flags.experiment} has ended on all hosts`
        : `${flags.host} has left ${flags.experiment}`,
    );
  } catch (error) {
    if ((error as Partial<NetfoldError>).code !== 'EXPERIMENT_ENDED') throw error;
    // It was away at the end.
    keepEnd(folder, new Date());
    step((error as Error).message);
  } finally {
    clearInterval(remembering);
  }
}

/** Never rejects: an agent that starts or ends does not answer, and a full disk has room later. */
async function rememberPeers(name: string, host: string, folder: string): Promise<void> {
  try {
    const { mesh } = (await callJson(`unix:${agentSocket(name, host)}`, '/bootstrap')) as Bootstrap;
    keepPeers(folder, mesh.peers.toReversed());
  } catch {
    // Next time.
  }
}

async function status({ json = false }: { json?: boolean }): Promise<void> {
  const services = await Promise.all(serviceNames().map(statusOf));
  if (json) printJson(services);
  else if (services.length === 0) print('this machine has no service of netfold');
  else {
    const rows = services.map((one) => [
      one.name,
      one.unit ?? 'no manager',
      one.startsAtBoot ? 'yes' : 'no',
      one.agent ?? (one.endedAt === null ? 'does not answer' : `ended at ${one.endedAt}`),
      String(one.peers),
    ]);
    print(table(['service', 'unit', 'at boot', 'agent', 'known addresses'], rows, [4]));
  }
}

async function statusOf(name: string) {
  const folder = serviceFolder(name);
  const unit = await managerHere()
    ?.state(name)
    .catch(() => undefined);
  return {
    name,
    unit: unit?.state ?? null,
    startsAtBoot: unit?.startsAtBoot ?? false,
    agent: await agentState(name),
    endedAt: endedAt(folder) ?? null,
    peers: readPeers(folder).length,
  };
}

async function agentState(name: string): Promise<string | null> {
  try {
    const [host] = readState(name)?.hosts ?? [];
    return host === undefined ? null : (await agentStatus(name, host.name)).state;
  } catch {
    return null;
  }
}
