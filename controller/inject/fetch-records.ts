/** Parts of records, from hosts over SSH. */
import { spawn } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { InventoryHost } from '../inventory/model.ts';
import { type OnOutcome, type Outcome, onEachHost } from './each-host.ts';
import type { Connection } from './ssh/connection.ts';
import type { Connections } from './ssh/connections.ts';
import { InjectError } from './ssh/errors.ts';
import { quoted } from './ssh/words.ts';

/** The latest of an experiment: which of them is of the same start, is seen here. */
const MOST_OF_HOST = 3;
/** A record of weeks has some hundred megabytes. */
const FETCH_MS = 1_800_000;

/** Prints an archive, or nothing if there is none. `experiment` has no characters of a shell (`requireName`). */
const fetchScript = (experiment: string): string => `cd /var/lib/netfold/records 2>/dev/null || exit 0
set -- $(ls -d ${experiment}@*/record.json 2>/dev/null | sed "s|/record.json||" | sort | tail -n ${MOST_OF_HOST})
test $# -gt 0 || exit 0
exec tar -czf - "$@"`;

/**
 * Fetches them from all hosts at once, each into a folder of its name below `to`. Gives the folders of the records, of each host, in
 * the order of the hosts.
 */
export function fetchRecords(
  connections: Connections,
  hosts: readonly InventoryHost[],
  { experiment, to }: { readonly experiment: string; readonly to: string },
  onOutcome?: OnOutcome<string[]>,
): Promise<Outcome<string[]>[]> {
  return onEachHost(
    hosts,
    async (host) => {
      const folder = join(to, host.name);
      mkdirSync(folder, { mode: 0o700 });
      await unpack(await connections.to(host), fetchScript(experiment), folder);
      removeOthers(folder);
      return readdirSync(folder).map((name) => join(folder, name));
    },
    onOutcome,
  );
}

async function unpack(connection: Connection, script: string, folder: string): Promise<void> {
  const words = connection.words(['sh', '-c', script], { terminal: false, asRoot: true });
  const ssh = spawn(words[0]!, words.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const tar = spawn('tar', ['-xzf', '-', '--no-same-owner', '--no-same-permissions', '-C', folder], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const said: Buffer[] = [];
  for (const { stderr } of [ssh, tar]) stderr.on('data', (piece: Buffer) => said.push(piece));
  const timer = setTimeout(() => ssh.kill('SIGKILL'), FETCH_MS);
  const codeOf = (child: typeof ssh | typeof tar): Promise<number> =>
    new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code: number | null) => resolve(code ?? 1));
    });
  const codes = Promise.all([codeOf(ssh), codeOf(tar)]);
  codes.catch(() => {});
  let bytes = 0;
  ssh.stdout.on('data', (piece: Buffer) => {
    bytes += piece.length;
  });
  try {
    await pipeline(ssh.stdout, tar.stdin).catch(() => {});
    const [sshCode, tarCode] = await codes;
    // An archive of nothing is none for tar.
    if (sshCode === 0 && (tarCode === 0 || bytes === 0)) return;
    const last = Buffer.concat(said).toString().trim().split('\n').at(-1) ?? '';
    throw new InjectError(
      'HOST_CANNOT',
      `${connection.host.name}: its records can't be fetched: ${last || `exit codes ${sshCode} and ${tarCode}`}`,
      'log in and look into /var/lib/netfold/records',
    );
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Fetches the one record of each host whose folder there is given, into a folder of its name below `to`. Gives these folders, of the hosts
 * that have one, in the order of the hosts.
 */
export function fetchParts(
  connections: Connections,
  hosts: readonly InventoryHost[],
  { folders, to }: { readonly folders: ReadonlyMap<string, string>; readonly to: string },
): Promise<Outcome<string>[]> {
  return onEachHost(
    hosts.filter(({ name }) => folders.has(name)),
    async (host) => {
      const there = folders.get(host.name)!;
      const here = join(to, host.name);
      mkdirSync(here, { mode: 0o700 });
      const script = `exec tar -czf - -C ${quoted(dirname(there))} ${quoted(`./${basename(there)}`)}\n`;
      await unpack(await connections.to(host), script, here);
      removeOthers(here);
      return join(here, basename(there));
    },
  );
}

/** Links and devices of an archive: whoever reads a record must not be led elsewhere. */
function removeOthers(folder: string): void {
  for (const { parentPath, name } of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(parentPath, name);
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found && !found.isFile() && !found.isDirectory()) rmSync(path, { force: true });
  }
}
