/** `netfold inject … logs` and `exec`: what hosts write, and commands on them. */
import { spawn } from 'node:child_process';
import { suggest } from '../../../topology/model/names.ts';
import { type AssignedHost, assignHosts } from '../../inject/assigned-hosts.ts';
import { onEachHost, requireAll } from '../../inject/each-host.ts';
import { folderOf, logsScript, thereScript } from '../../inject/host-scripts.ts';
import { InjectError } from '../../inject/ssh/errors.ts';
import { LinePrefix } from '../../logs/line-prefix.ts';
import { attended } from '../terminal/attended.ts';
import { printBytes } from '../terminal/output.ts';
import type { Injection } from './injection.ts';

/** A host by its name, or by that of its endpoint, or of its service. Throws `HOST_UNKNOWN`. */
function findHost(assigned: readonly AssignedHost[], name: string): AssignedHost {
  const isIt = ({ host, endpoint }: AssignedHost): boolean =>
    host.name === name || endpoint === name || endpoint === `${name}.0`;
  const found = assigned.find(isIt);
  if (found) return found;
  const names = assigned.flatMap(({ host, endpoint }) => [
    host.name,
    ...(endpoint === undefined ? [] : [endpoint]),
  ]);
  const remedy = suggest(name, names, `there are: ${names.slice(0, 12).join(' ')}`);
  throw new InjectError('HOST_UNKNOWN', `there is no host and no endpoint "${name}"`, remedy);
}

const assignedOf = ({ inventory, opened, graph }: Injection): AssignedHost[] =>
  assignHosts(inventory, opened.topology, graph);

/** On a host as the user that logs in; in an endpoint as `netfold exec` does. The exit code is the command's. */
export async function execOn(injection: Injection, name: string, command: readonly string[]): Promise<void> {
  const { host, endpoint } = findHost(assignedOf(injection), name);
  const connection = await injection.connections.to(host);
  const terminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  const inEndpoint = name !== host.name && endpoint !== undefined;
  const { experiment } = injection;
  const words = inEndpoint
    ? [`${folderOf(experiment)}/home/bin/netfold`, 'exec', endpoint, '--name', experiment, '--', ...command]
    : command;
  const [program, ...args] = connection.words(words, { terminal, asRoot: inEndpoint });
  process.exitCode = await attended(() => spawn(program!, args, { stdio: 'inherit' }));
}

/** Of all hosts, or of those that are named; each line with the name of its host, if there are several. */
export async function printLogsOf(injection: Injection, names: readonly string[]): Promise<void> {
  const { experiment, connections, inventory, flags } = injection;
  const { follow = false, tail } = flags;
  const hosts =
    names.length === 0 ? inventory.hosts : names.map((name) => findHost(assignedOf(injection), name).host);
  const width = Math.max(...hosts.map(({ name }) => name.length));
  const script = logsScript(experiment, { follow, tail });
  const outcomes = await onEachHost(hosts, async (host) => {
    const connection = await connections.to(host);
    const prefix = new LinePrefix(`${host.name.padEnd(width)} | `);
    if (!follow) {
      const text = await connection.run(script, { doing: 'reading its logs' });
      await printBytes(Buffer.concat([prefix.push(Buffer.from(text)), prefix.end()]));
      return;
    }
    await connection.run(thereScript(experiment), { doing: 'looking for its logs' });
    const child = connection.follow(script);
    child.stderr!.resume();
    let hasBegun = false;
    for await (const bytes of child.stdout! as AsyncIterable<Buffer>) {
      // The first line is that of the script's beginning.
      const from = hasBegun ? 0 : bytes.indexOf('\n') + 1;
      hasBegun = true;
      if (!(await printBytes(prefix.push(bytes.subarray(from))))) child.stdin!.end();
    }
  });
  requireAll(outcomes, 'logs', 'the same command can be repeated');
}
