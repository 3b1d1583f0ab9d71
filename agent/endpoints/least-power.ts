/**
 * What an application does not need, it does not get: it sees the machine without netfold's keys, bootstraps and sockets,
 * and has the capabilities of its service only. docs/security.md says what that holds against, and what not.
 *
 * No system calls, so `netfold exec` starts at once.
 */
import { keptCapabilities } from '../../topology/model/capabilities.ts';
import type { CommandSettings } from './service-settings.ts';

/**
 * Folders of netfold's own on a machine: running experiments, journals of interfaces, identities. A test holds this to
 * the names that the controller and the agents use.
 */
export const HIDDEN_FOLDERS = ['/run/netfold', '/run/netfold-journal', '/var/lib/netfold'] as const;

/**
 * Runs in a mount namespace of its own (mount_namespaces(7)), so it changes nothing for others and nothing has to be
 * removed. `$1`: the folder that holds the endpoints' folders of this experiment, or nothing; it stays where it is.
 *
 * - The folder is bound from the working directory, since its path is hidden by then: `--no-canonicalize`, or mount(8)
 *   would make a path of it again.
 * - A working directory from before, or one above it, would lead around what hides: its path is entered again.
 * - Mode 0711, as /run/netfold has where services have users: to be passed, not to be listed.
 */
const HIDE = `
netfold_data=$1
shift
(
  umask 066
  if [ -n "$netfold_data" ]; then cd "$netfold_data" || exit; fi
  for netfold_folder in ${HIDDEN_FOLDERS.join(' ')}; do
    [ ! -d "$netfold_folder" ] || mount -t tmpfs -o mode=711,size=64k,nodev,nosuid netfold "$netfold_folder" || exit
  done
  [ -z "$netfold_data" ] || { mkdir -p "$netfold_data" && mount --no-canonicalize --bind . "$netfold_data"; }
) || { echo "netfold: its own folders could not be hidden, so nothing is started" >&2; exit 126; }
cd "$PWD" 2>/dev/null || cd /
exec "$@"
`;

/**
 * The words that run a command where netfold's own folders are hidden. `dataFolder`: as in the bootstrap.
 * `hasOwnMounts`: whether it is run in a mount namespace of its own already, as by `ip netns exec`.
 */
export function inView(
  dataFolder: string | undefined,
  hasOwnMounts: boolean,
  command: readonly string[],
): string[] {
  const words = ['sh', '-c', HIDE, 'sh', dataFolder ?? '', ...command];
  return hasOwnMounts ? words : ['unshare', '--mount', '--propagation', 'slave', ...words];
}

/**
 * Options of setpriv(1). The bounding set holds for root and for programs that become root (sudo), and nothing gives back
 * what is not in it; what is inheritable would pass it by.
 */
export function privilegesOf({ capAdd, capDrop }: CommandSettings): string[] {
  const kept = keptCapabilities(capAdd, capDrop);
  if (!kept) return [];
  const bound = ['-all', ...kept.map((name) => `+${name.toLowerCase()}`)];
  return ['--inh-caps', '-all', '--bounding-set', bound.join(',')];
}
