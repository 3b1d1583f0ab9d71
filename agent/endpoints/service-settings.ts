/**
 * A command with the variables, the folder and the user of its service. No system calls, so `netfold exec` starts at
 * once. The order matters: only root may enter namespaces, and the variables, of which PATH is one, are the
 * command's alone.
 */
import { resolve } from 'node:path';
import type { ServiceSettings } from '../../topology/model/model.ts';

/** As in the topology, without positions. */
export interface CommandSettings {
  readonly env?: Readonly<Record<string, string>>;
  /** Absolute, or below the endpoint's folder. */
  readonly cwd?: string;
  /** Name or number of a user of this machine. */
  readonly user?: string;
}

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

export function settingsOf({ env, cwd, user }: ServiceSettings): CommandSettings {
  return { ...(env && { env }), ...(cwd && { cwd: cwd.path }), ...(user && { user: user.name }) };
}

/** `data`: the endpoint's folder, if it has one. */
export function withSettings(
  { env = {}, cwd, user }: CommandSettings,
  data: string | undefined,
  command: readonly string[],
): string[] {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const words = variables.length === 0 ? [...command] : ['env', ...variables, ...protectedWords(command)];
  const asUser = user === undefined ? words : ['sh', '-c', BECOME_USER, 'sh', user, ...words];
  return cwd === undefined ? asUser : ['sh', '-c', ENTER_FOLDER, 'sh', resolve(data ?? '/', cwd), ...asUser];
}

/** `env` would take a command with an equals sign for a variable. */
function protectedWords(command: readonly string[]): string[] {
  return command[0]!.includes('=') ? ['/bin/sh', '-c', 'exec "$@"', 'sh', ...command] : [...command];
}
