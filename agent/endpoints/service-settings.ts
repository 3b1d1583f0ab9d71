/**
 * A command with the variables, the folder and the user of its service. No system calls, so `netfold exec` starts at
 * once. The order matters: only root may enter namespaces, and the variables, of which PATH is one, are the
 * command's alone.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ServiceSettings } from '../../topology/model/model.ts';

/** As in the topology, without positions. */
export interface CommandSettings {
  readonly env?: Readonly<Record<string, string>>;
  /** Absolute, or below the endpoint's folder. */
  readonly cwd?: string;
  /** Name or number of a user of this machine. */
  readonly user?: string;
  /** The most tasks of the endpoint, and the most descriptors of each of its processes. */
  readonly processes?: number;
  readonly descriptors?: number;
  readonly capAdd?: readonly string[];
  readonly capDrop?: readonly string[];
}

/** Where the file says nothing. Few applications have as many threads, or as many connections in one process. */
export const MOST_PROCESSES = 4096;
export const MOST_DESCRIPTORS = 16_384;

/** `$1`: the control group, or nothing; `$2`: descriptors; `$3`: readiness to be killed for want of memory. */
const WITHIN_BOUNDS = `
if [ -n "$1" ]; then echo 0 >"$1/cgroup.procs" || exit 126; fi
ulimit -n "$2" || exit 126
echo "$3" 2>/dev/null >/proc/self/oom_score_adj
shift 3
exec "$@"
`;

/** Of this process when it began: an agent changes its own. */
const ORDINARY_OOM = textOf('/proc/self/oom_score_adj').trim() || '0';

/** As shells: a command that can't be executed. `$1`: the folder. */
const ENTER_FOLDER = 'cd "$1" || exit 126; shift; exec "$@"';

/**
 * `$1`: the user. Looked up where the command runs, in whatever directory of users the machine has, as `login` does;
 * with the groups that the machine gives to the user.
 */
const BECOME_USER = `
netfold_entry=$(getent passwd "$1") || { echo "netfold: this machine has no user $1" >&2; exit 126; }
shift
IFS=: read -r USER netfold_password netfold_uid netfold_gid netfold_name HOME SHELL <<END
$netfold_entry
END
LOGNAME=$USER
export USER LOGNAME HOME SHELL
exec setpriv --reuid "$netfold_uid" --regid "$netfold_gid" --init-groups "$@"
`;

export function settingsOf(settings: ServiceSettings): CommandSettings {
  const { env, cwd, user, processes, descriptors, capAdd, capDrop } = settings;
  return {
    ...(env && { env }),
    ...(cwd && { cwd: cwd.path }),
    ...(user && { user: user.name }),
    ...(processes !== undefined && { processes }),
    ...(descriptors !== undefined && { descriptors }),
    ...(capAdd && { capAdd }),
    ...(capDrop && { capDrop }),
  };
}

/** The words that run a command with its service's bounds. `group`: the folder of the endpoint's control group, if it has one. */
export function withinBounds(
  { descriptors = defaultDescriptors() }: CommandSettings,
  group: string | undefined,
  command: readonly string[],
): string[] {
  return ['/bin/sh', '-c', WITHIN_BOUNDS, 'sh', group ?? '', `${descriptors}`, ORDINARY_OOM, ...command];
}

/** Where this process may have fewer, that many: not every container's root may raise it. */
function defaultDescriptors(): number {
  const hard = /^Max open files +\S+ +(\d+)/m.exec(textOf('/proc/self/limits'))?.[1];
  return Math.min(MOST_DESCRIPTORS, hard === undefined ? MOST_DESCRIPTORS : Number(hard));
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/**
 * `data`: the endpoint's folder, if it has one. `privileges`: options of setpriv(1), for root without all that root may
 * (`privilegesOf`).
 */
export function withSettings(
  { env = {}, cwd, user }: CommandSettings,
  data: string | undefined,
  command: readonly string[],
  privileges: readonly string[] = [],
): string[] {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const words = variables.length === 0 ? [...command] : ['env', ...variables, ...protectedWords(command)];
  const limited = privileges.length === 0 ? words : ['setpriv', ...privileges, ...words];
  // One setpriv for both: without its capabilities it could not become another user, and as that user not drop them.
  const asUser =
    user === undefined ? limited : ['sh', '-c', BECOME_USER, 'sh', user, ...privileges, ...words];
  return cwd === undefined ? asUser : ['sh', '-c', ENTER_FOLDER, 'sh', resolve(data ?? '/', cwd), ...asUser];
}

/** `env` would take a command with an equals sign for a variable. */
function protectedWords(command: readonly string[]): string[] {
  return command[0]!.includes('=') ? ['/bin/sh', '-c', 'exec "$@"', 'sh', ...command] : [...command];
}
