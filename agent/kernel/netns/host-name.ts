/** A hostname for a command. No system calls, so `netfold exec` starts at once. */

/** After `unshare` the file is the new namespace's, whoever writes it; it takes the name as it is, up to 64 bytes. */
const SET_AND_RUN = 'printf %s "$0" >/proc/sys/kernel/hostname && export HOSTNAME="$0" && exec "$@"';

/**
 * The words that run a command under a hostname of its own: in a UTS namespace (uts_namespaces(7)) that ends with the
 * last process in it, so nothing has to be removed. $HOSTNAME says the same: shells keep an inherited one.
 */
export function underHostName(name: string, command: readonly string[]): string[] {
  return ['unshare', '--uts', 'sh', '-c', SET_AND_RUN, name, ...command];
}
