/** Runs bin/netfold as a user does: a process, its output and its exit code. */
import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');
const PROGRAM = join(ROOT, 'bin/netfold');
const NOBODY = 65534;
/** The longest log, and more. */
const MOST_BYTES = 64 * 2 ** 20;

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[]): Promise<Ran> {
  const { FORCE_COLOR: _, ...rest } = process.env;
  const options = { cwd: ROOT, env: { ...rest, NO_COLOR: '1' }, maxBuffer: MOST_BYTES };
  return new Promise((resolve) => {
    const child = execFile(command, [...args], options, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr });
    });
    child.stdin?.end();
  });
}

export function netfold(...args: readonly string[]): Promise<Ran> {
  return run(PROGRAM, args);
}

/** As a user without rights, even if root runs the tests. */
export function netfoldWithoutRoot(...args: readonly string[]): Promise<Ran> {
  if (process.getuid?.() !== 0) return run(PROGRAM, args);
  const [command, ...before] = asNobody() as [string, ...string[]];
  return run(command, [...before, PROGRAM, ...args]);
}

/** If only root can read the checkout, this needs a user namespace, in which root has another number. */
function asNobody(): string[] {
  const setpriv = ['setpriv', '--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups'];
  try {
    execFileSync(setpriv[0]!, [...setpriv.slice(1), 'test', '-x', PROGRAM], { stdio: 'ignore' });
    return setpriv;
  } catch {
    return ['unshare', '--user', `--map-user=${NOBODY}`];
  }
}
