/** Why the user's ssh has ended, from what it has written. Pure. */
import { InjectError, type InjectErrorCode } from './errors.ts';

/** The exit code of ssh itself; every other one is the command's (ssh(1)). */
export const SSH_ERROR = 255;

/** As the user would type it. */
export function sshLine({ address, user, port, jump }: SshHost): string {
  const options = [port === undefined ? '' : `-p ${port} `, jump === undefined ? '' : `-J ${jump} `].join('');
  return `ssh ${options}${user === undefined ? '' : `${user}@`}${address}`;
}

/** The last jump host, as the user would reach it: by those before it. */
function jumpLine(jump: string): string {
  const before = jump.split(',');
  const last = before.pop()!;
  const way = before.length === 0 ? '' : `-J ${before.join(',')} `;
  const hasPort = /:\d+$/.test(last) && !last.includes('://');
  return `ssh ${way}${hasPort ? `ssh://${last}` : last}`;
}

export interface SshHost {
  /** In the inventory. */
  readonly name: string;
  readonly address: string;
  readonly user?: string;
  readonly port?: number;
  /** As `ssh -J` takes it. */
  readonly jump?: string;
}

interface Refusal {
  readonly pattern: RegExp;
  readonly code: InjectErrorCode;
  readonly what: string;
  readonly remedy: (line: string) => string;
}

/** The first that fits counts: a changed key is followed by a failed verification. */
const REFUSALS: readonly Refusal[] = [
  {
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED|host key for .* has changed/i,
    code: 'SSH_HOST_KEY',
    what: 'it has another host key than the one that is known',
    remedy: (line) => `if the host was set up anew, take the old key out (ssh-keygen -R), and try: ${line}`,
  },
  {
    pattern: /Host key verification failed|No \S+ host key is known/i,
    code: 'SSH_HOST_KEY',
    what: 'its host key is not known here',
    remedy: (line) => `compare and accept it once: ${line}`,
  },
  {
    pattern: /Permission denied|Too many authentication failures|no mutual signature/i,
    code: 'SSH_DENIED',
    what: 'it accepts none of your keys; it may ask for a password, which nobody is there to type',
    remedy: (line) => `give it your public key (ssh-copy-id), or start ssh-agent; this has to work: ${line}`,
  },
  {
    pattern: /administratively prohibited/i,
    code: 'SSH_UNREACHABLE',
    what: 'its jump host lets no connections through',
    remedy: (line) =>
      `allow them in the jump host's sshd_config (AllowTcpForwarding yes); this has to work: ${line}`,
  },
  {
    pattern: /Could not resolve hostname|Name or service not known|Temporary failure in name resolution/i,
    code: 'SSH_NAME',
    what: 'its name has no address',
    remedy: () => 'correct `address` or `jump` in the inventory, or the Host of ~/.ssh/config',
  },
  {
    pattern: /Connection refused/i,
    code: 'SSH_REFUSED',
    what: 'it refuses the connection: no SSH server listens there',
    remedy: (line) => `start sshd there, or correct \`port\` in the inventory; this has to work: ${line}`,
  },
  {
    pattern: /timed out|Timeout, server/i,
    code: 'SSH_TIMEOUT',
    what: 'it does not answer',
    remedy: (line) => `is it on, and does a firewall let SSH through? this has to work: ${line}`,
  },
  {
    pattern: /No route to host|Network is unreachable|Host is down/i,
    code: 'SSH_UNREACHABLE',
    what: 'there is no way to it',
    remedy: (line) => `correct \`address\` or \`jump\` in the inventory; this has to work: ${line}`,
  },
];

/** `said`: what ssh wrote to stderr. */
export function refusalOf(host: SshHost, said: string): InjectError {
  const known = REFUSALS.find(({ pattern }) => pattern.test(said));
  const { who, line } = hasEndedOnTheWay(said) ? onTheWay(host) : { who: '', line: sshLine(host) };
  if (known) return new InjectError(known.code, `${host.name}: ${who}${known.what}`, known.remedy(line));
  return new InjectError(
    'SSH_FAILED',
    `${host.name}: ${who}ssh has ended: ${lastLine(said) || 'it says nothing'}`,
    `this has to work: ${line}`,
  );
}

/**
 * Whether a jump host has refused, and not the host behind it. The host's own connection has no address then (ssh_remote_ipaddr in
 * packet.c of OpenSSH); the ssh that stands for the way says so where it was let in, and did not get further.
 */
const hasEndedOnTheWay = (said: string): boolean =>
  /UNKNOWN port 65535/.test(said) && !/stdio forwarding failed|open failed:/.test(said);

/** Without a jump host in the inventory, it is one of the user's own configuration. */
function onTheWay(host: SshHost): { who: string; line: string } {
  if (host.jump === undefined)
    return {
      who: 'on the way to it (ProxyJump or ProxyCommand of your configuration): ',
      line: sshLine(host),
    };
  return { who: `its jump host ${host.jump}: `, line: jumpLine(host.jump) };
}

/** Why a command with root's rights did not begin; `undefined`: something else. */
export function rootRefusalOf(host: SshHost, said: string): InjectError | undefined {
  if (!/sudo/.test(said)) return undefined;
  return noRoot(host, host.user, lastLine(said));
}

/** `user`: who logs in there, if it is known. `said`: sudo's own words, or the shell's. */
export function noRoot({ name }: SshHost, user: string | undefined, said: string): InjectError {
  const known = SUDO_REFUSALS.find(({ pattern }) => pattern.test(said));
  const { what, line } = known ?? {
    what: `sudo refuses: ${said || 'it says nothing'}`,
    line: withoutPassword,
  };
  return new InjectError(
    'HOST_NO_ROOT',
    `${name}: ${user ?? 'the user'} is not root there, and ${what}`,
    `log in as root (\`user: root\` in the inventory), or, as root there: ${line(user ?? 'USER')}`,
  );
}

const SUDOERS_FILE = '/etc/sudoers.d/netfold';
const sudoers = (text: string): string => `echo '${text}' > ${SUDOERS_FILE} && chmod 440 ${SUDOERS_FILE}`;
const withoutPassword = (user: string): string => sudoers(`${user} ALL=(root) NOPASSWD: ALL`);

interface SudoRefusal {
  readonly pattern: RegExp;
  readonly what: string;
  readonly line: (user: string) => string;
}

const SUDO_REFUSALS: readonly SudoRefusal[] = [
  {
    pattern: /password is required|terminal is required/i,
    what: 'sudo asks for a password',
    line: withoutPassword,
  },
  {
    pattern: /must have a tty/i,
    what: 'sudo works on a terminal only (requiretty)',
    line: (user) => sudoers(`Defaults:${user} !requiretty`),
  },
  {
    pattern: /sudo: (?:command )?not found|sudo: No such file/i,
    what: 'there is no sudo',
    line: (user) => `apt-get install -y sudo; ${withoutPassword(user)}`,
  },
];

export function silenceOf(host: SshHost, doing: string, afterSeconds: number): InjectError {
  return new InjectError(
    'HOST_SILENT',
    `${host.name}: it has not answered for ${afterSeconds} s (${doing})`,
    `look at the host: ${sshLine(host)}`,
  );
}

/** What matters stands at the end. */
export function lastLine(text: string): string {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return (lines.at(-1) ?? '').trim().slice(0, 300);
}
