/** What agents in containers may do, on any orchestrator, and why. docs/security.md has the table for users. */

export const AGENT_CAPABILITIES: readonly { readonly name: string; readonly why: string }[] = [
  {
    name: 'NET_ADMIN',
    why: 'queues, filters and rules in the networks of endpoints; the packet queue of the delay line',
  },
  { name: 'NET_RAW', why: 'the socket at each endpoint that counts what it sends' },
  { name: 'NET_BROADCAST', why: 'hearing at once of what others change in the networks of endpoints' },
  {
    name: 'SYS_ADMIN',
    why: 'entering the networks of endpoints, giving them names, and loading programs into the kernel',
  },
  { name: 'SYS_PTRACE', why: 'finding the network of a process of another container' },
  { name: 'IPC_LOCK', why: 'tables of these programs, on kernels before 5.11' },
  { name: 'SYS_NICE', why: 'being on time beside busy applications' },
];

/** Files in the containers of agents. */
export const FILES = {
  topology: '/etc/netfold/topology',
  meshKey: '/etc/netfold/mesh.key',
  userKey: '/etc/netfold/user.key',
  proc: '/host/proc',
} as const;

/** What agents write: all of it is gone with them. */
export const WRITABLE: readonly string[] = [
  '/run/netfold',
  '/run/netns',
  '/run/netfold-journal',
  '/var/lib/netfold',
  '/tmp',
];
