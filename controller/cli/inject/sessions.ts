/** `netfold inject … logs` and `exec`: what hosts write, and commands on them. */
import { spawn } from 'node:child_process';
import { suggest } from '../../../topology/model/names.ts';
import { assignHosts } from '../../inject/assigned-hosts.ts';
import { onEachHost, requireAll } from '../../inject/each-host.ts';
import { folderOf, logsScript, thereScript } from '../../inject/host-scripts.ts';
import { InjectError } from '../../inject/ssh/errors.ts';
import type { InventoryHost } from '../../inventory/model.ts';
import { LinePrefix } from '../../logs/line-prefix.ts';
import { attended } from '../terminal/attended.ts';
import { printBytes } from '../terminal/output.ts';
import type { Standing } from './injection.ts';

interface Found {
  readonly host: InventoryHost;
  /** Absent: the host itself was named. */
  readonly endpoint?: string;
}

/** A host by its name, or by that of one of its endpoints, or of a service. Throws `HOST_UNKNOWN`. */
function findHost(standing: Standing, name: string): Found {
  const all = namesOf(standing);
  const named = all.find(({ host }) => host.name === name);
  if (named) return { host: named.host };
  for (const { host, endpoints } of all) {
    const endpoint = endpoints.find((one) => one === name || one === `${name}.0` || `${one}.0` === name);
    if (endpoint !== undefined) return { host, endpoint };
  }
  const names = all.flatMap(({ host, endpoints }) => [host.name, ...endpoints]);
  const remedy = suggest(name, names, `there are: ${names.slice(0, 12).join(' ')}`);
  throw new InjectError('HOST_UNKNOWN', `there is no host and no endpoint "${name}"`, remedy);
}

/** Without a topology, endpoints are called as the inventory calls them. */
function namesOf({ inventory, file }: Standing): { host: InventoryHost; endpoints: readonly string[] }[] {
  if (!file) return inventory.hosts.map((host) => ({ host, endpoints: host.is.map(({ text }) => text) }));
  return assignHosts(inventory, file.opened.topology, file.graph).map(({ host, endpoints }) => ({
    host,
    endpoints: endpoints.map((one) => one.name),
  }));
}

/** On a host as the user that logs in; in an endpoint as `netfold exec` does. The exit code is the command's. */
export async function execOn(standing: Standing, name: string, command: readonly string[]): Promise<void> {
  const { host, endpoint } = findHost(standing, name);
  const connection = await standing.connections.to(host);
  const terminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  const { experiment } = standing;
  const words =
    endpoint === undefined
      ? command
      : [
          `${folderOf(experiment)}/home/bin/netfold`,
          'exec',
          endpoint,
          '--name',
          experiment,
          '--',
          ...command,
        ];
  const [program, ...args] = connection.words(words, { terminal, asRoot: endpoint !== undefined });
  process.exitCode = await attended(() => spawn(program!, args, { stdio: 'inherit' }));
}

/** Of all hosts, or of those that are named; each line with the name of its host, if there are several. */
export async function printLogsOf(standing: Standing, names: readonly string[]): Promise<void> {
  const { experiment, connections, inventory, flags } = standing;
  const { follow = false, tail } = flags;
  const hosts =
    names.length === 0 ? inventory.hosts : [...new Set(names.map((name) => findHost(standing, name).host))];
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
