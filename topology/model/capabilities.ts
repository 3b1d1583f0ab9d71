/** Capabilities of Linux (capabilities(7)), by their names without CAP_. */

/** include/uapi/linux/capability.h, in its order. */
export const CAPABILITIES: readonly string[] = `
  CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST
  NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE
  SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM
  BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`
  .trim()
  .split(/\s+/);

/** Stands for all of them, as in Docker Compose. */
export const ALL_CAPABILITIES = 'ALL';

/**
 * What applications have unless the file says otherwise: Docker's (daemon/pkg/oci/caps/defaults.go) without MKNOD. There,
 * a device cgroup decides which devices can be opened; in an endpoint nothing does.
 */
export const DEFAULT_CAPABILITIES: readonly string[] = `
  CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT AUDIT_WRITE SETFCAP`
  .trim()
  .split(/\s+/);

/** `cap_net_admin` → `NET_ADMIN`; `undefined` if there is none of that name. */
export function capabilityNamed(text: string): string | undefined {
  const name = text.toUpperCase().replace(/^CAP_/, '');
  const isKnown = name === ALL_CAPABILITIES || CAPABILITIES.includes(name);
  return isKnown ? name : undefined;
}

/**
 * Those that an application keeps, sorted; what is dropped is dropped, also where it is added. `undefined`: all that
 * there are, also on a kernel that knows more.
 */
export function keptCapabilities(
  add: readonly string[] = [],
  drop: readonly string[] = [],
): string[] | undefined {
  const addsAll = add.includes(ALL_CAPABILITIES);
  if (addsAll && drop.length === 0) return undefined;
  const dropped = new Set(drop);
  const first = addsAll ? CAPABILITIES : dropped.has(ALL_CAPABILITIES) ? [] : DEFAULT_CAPABILITIES;
  const kept = new Set([...first, ...add].filter((name) => name !== ALL_CAPABILITIES && !dropped.has(name)));
  return [...kept].sort();
}
