/** Services as scripts of OpenRC: one for each, which supervise-daemon starts again when it fails. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../agent/files/own-files.ts';
import { EXIT_CODE } from '../../proto/errors.ts';
import { ControllerError } from '../errors.ts';
import { callManager, type ServiceManager } from './manager.ts';
import { ownProgram } from './units.ts';

/** What OpenRC writes when it has booted a machine. */
const RUNS_HERE = '/run/openrc/softlevel';
const SCRIPT_FOLDER = '/etc/init.d';
const RUNLEVEL = 'default';
const SCRIPT = 0o755;
const TEMPLATE = join(import.meta.dirname, '../../deploy/service/netfold.openrc');

export const hasOpenRc = (): boolean => existsSync(RUNS_HERE);

const serviceOf = (name: string): string => `netfold.${name}`;
const scriptFile = (name: string): string => join(SCRIPT_FOLDER, serviceOf(name));

/** Throws `SERVICE_FAILED` for a path that the shell of OpenRC would divide. */
export function scriptText(name: string, program: string): string {
  if (!/^[\w./+@-]+$/.test(program))
    throw new ControllerError(
      'SERVICE_FAILED',
      `OpenRC can't start ${JSON.stringify(program)}`,
      'install netfold in a folder whose path has no blanks or quotes',
    );
  const text = readFileSync(TEMPLATE, 'utf8');
  return text.replaceAll('@NAME@', () => name).replaceAll('@PROGRAM@', () => program);
}

const call = (program: string, ...words: string[]): Promise<string> =>
  callManager([program, ...words], '/var/log/netfold/NAME.service.log tells more');

export const openRc: ServiceManager = {
  install: async (name) => {
    replaceFile(scriptFile(name), scriptText(name, ownProgram()), { mode: SCRIPT });
    return serviceOf(name);
  },
  startAtBoot: async (name) => {
    await call('rc-update', '--quiet', 'add', serviceOf(name), RUNLEVEL);
  },
  restart: async (name) => {
    await call('rc-service', '--quiet', serviceOf(name), 'restart');
  },
  remove: async (name) => {
    if (!existsSync(scriptFile(name))) return;
    await call('rc-service', '--quiet', '--ifstarted', serviceOf(name), 'stop');
    // One that starts at no boot is in no list.
    await call('rc-update', '--quiet', '--all', 'delete', serviceOf(name)).catch(() => undefined);
    rmSync(scriptFile(name), { force: true });
  },
  state: async (name) => {
    // It says with its exit code, too, what it prints.
    const said = await call('rc-service', serviceOf(name), 'status').catch((error: Error) => error.message);
    return {
      state: /status: (\w+)/.exec(said)?.[1] ?? 'stopped',
      startsAtBoot: existsSync(join('/etc/runlevels', RUNLEVEL, serviceOf(name))),
    };
  },
};

/** Whether OpenRC has started this process as this service. */
export const isUnderOpenRc = (name: string): boolean => process.env.RC_SVCNAME === serviceOf(name);

/**
 * Its supervisor starts again whatever ends, however it ends. So a service that is over, or whose input is wrong, has itself stopped;
 * that takes longer than this process lives. It is no error that somebody stops it already.
 */
export function stopIfOver(name: string, code: number): void {
  const isOver = code === 0 || code === EXIT_CODE.input || code === EXIT_CODE.usage;
  if (!isOver || !isUnderOpenRc(name)) return;
  spawn('rc-service', ['--quiet', serviceOf(name), 'stop'], { detached: true, stdio: 'ignore' })
    .on('error', () => {})
    .unref();
}
