/** Words for ssh, and for shells on hosts. Pure. */
import type { SshHost } from './refusals.ts';

/** One word of a POSIX shell. */
export const quoted = (word: string): string =>
  /^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** Seconds for a TCP connection and the first bytes of the server. */
const CONNECT_SECONDS = 10;

/**
 * What every call has, beside the user's own configuration: nothing is asked, nothing is forwarded to other programs, and a host
 * that has gone is noticed within 30 s.
 */
export function sshOptions({ user, port, jump }: SshHost, configFile?: string): string[] {
  return [
    ...(configFile === undefined ? [] : ['-F', configFile]),
    ...['-o', 'BatchMode=yes'],
    ...['-o', `ConnectTimeout=${CONNECT_SECONDS}`],
    ...['-o', 'ServerAliveInterval=10', '-o', 'ServerAliveCountMax=3'],
    ...['-o', 'RemoteCommand=none', '-o', 'ControlPersist=no'],
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(jump === undefined ? [] : ['-J', jump]),
  ];
}

/** Stands before everything that a script prints, after what the host's own start-up files may print. */
export const BEGIN = 'netfold-begin';
/** Before the code and the words of a script's failure. */
export const FAILED = 'netfold-fail';

const PRELUDE = `echo ${BEGIN}
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export PATH
umask 022
fail() { printf '${FAILED} %s %s\\n' "$1" "$2"; exit 64; }
`;

/** A script as it is sent. Of one that is cut off on its way nothing is executed: a function needs its end. */
export const withPrelude = (script: string): string => `${PRELUDE}run_all() {\n:\n${script}\n}\nrun_all\n`;

/**
 * The command that receives a script of so many bytes from its input, and runs it; what follows there is the script's input.
 * So nothing of it stands on a command line, where all users of the host could read it. `dd` with blocks of one byte takes
 * no byte more, which `sh -s` may do. Works in every login shell.
 */
export function receiver(bytes: number, asRoot: boolean): string {
  const root = asRoot ? 'test "$(id -u)" = 0 || s="sudo -n"; ' : '';
  return `sh -c 's=; ${root}exec $s sh -c "eval \\"\\$(dd bs=1 count=${bytes} 2>/dev/null)\\""'`;
}

/** A command with the user's input and output, as the user who logs in, or as root. */
export function shellCommand(words: readonly string[], asRoot: boolean): string {
  const root = asRoot ? 's=; test "$(id -u)" = 0 || s="sudo -n"; exec $s' : 'exec';
  return `sh -c ${quoted(`${root} ${words.map(quoted).join(' ')}`)}`;
}
