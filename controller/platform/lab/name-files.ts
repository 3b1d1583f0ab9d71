/** Files that endpoints of a lab have in place of the machine's in /etc, so that names are the topology's. */
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, OPEN_FILE, OPEN_FOLDER, replaceFile } from '../../../agent/files/own-files.ts';
import { hostsFile, NETNS_ETC_FOLDER, resolverFile, switchFile } from './lab-names.ts';
import { hostsFileText, type LabPlan } from './lab-plan.ts';

const ETC = '/etc';

/** By their names in /etc. */
export type NameFiles = ReadonlyMap<string, string>;

/**
 * Writes the files of an experiment. A file can only be put over one that the machine has: without resolv.conf a resolver asks
 * 127.0.0.1, where nobody answers.
 */
export function writeNameFiles(plan: LabPlan): NameFiles {
  const { experiment, settings } = plan;
  const files = new Map([['hosts', write(hostsFile(experiment), hostsFileText(plan))]]);
  if (settings.names && existsSync(join(ETC, 'resolv.conf')))
    files.set('resolv.conf', write(resolverFile(experiment), resolverText(settings.names.listen)));
  const machineSwitch = readIfThere(join(ETC, 'nsswitch.conf'));
  const text = machineSwitch === undefined ? undefined : switchText(machineSwitch);
  if (text !== machineSwitch && text !== undefined)
    files.set('nsswitch.conf', write(switchFile(experiment), text));
  return files;
}

/** `ip netns exec` mounts them over those in /etc; all endpoints have the same. */
export function linkNameFiles(files: NameFiles, namespace: string): void {
  const folder = join(NETNS_ETC_FOLDER, namespace);
  makeFolder(folder, OPEN_FOLDER);
  for (const [name, file] of files) symlinkSync(file, join(folder, name));
}

/**
 * resolv.conf(5). `search .`: without a line `search` glibc takes what follows the first dot of the hostname, so that `server`
 * would be looked up as `server.0` in an endpoint called `client.0`.
 */
export function resolverText(listen: readonly string[]): string {
  const servers = listen.map((address) => `nameserver ${address}`);
  return `# The names of netfold's topology; nothing else is known here.\n${servers.join('\n')}\nsearch .\n`;
}

/**
 * nsswitch.conf(5) with hosts from the file and from DNS alone: other modules, such as those of systemd-resolved and Avahi, ask
 * services of the machine through its file system, past the endpoint's network. The same text if there are none.
 */
export function switchText(machine: string): string {
  return machine.replace(/^([ \t]*hosts:).*$/m, (line, start: string) =>
    /:\s*files\s+dns\s*(#.*)?$/.test(line) ? line : `${start} files dns`,
  );
}

/** Readable for every user, whatever the umask is. */
function write(file: string, text: string): string {
  replaceFile(file, text, { mode: OPEN_FILE });
  return file;
}

function readIfThere(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}
