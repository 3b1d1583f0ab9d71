/** What starts the services of a machine, and again after a boot. */
import { execFile } from 'node:child_process';
import { ControllerError } from '../errors.ts';

export interface UnitState {
  /** In the manager's words: active, started, failed, crashed … */
  readonly state: string;
  readonly startsAtBoot: boolean;
}

export interface ServiceManager {
  /** Writes what it starts, and returns its name there. Changes nothing that runs. */
  install(name: string): Promise<string>;
  startAtBoot(name: string): Promise<void>;
  restart(name: string): Promise<void>;
  /** Ends it first. */
  remove(name: string): Promise<void>;
  state(name: string): Promise<UnitState>;
}

/** What the program prints. Throws `SERVICE_FAILED` with its words. */
export function callManager([program, ...words]: readonly string[], remedy: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program!, words, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const said = `${stderr}${stdout}`.trim() || error.message;
      const message = `${program} ${words.join(' ')} failed: ${said}`;
      reject(new ControllerError('SERVICE_FAILED', message, remedy, error));
    });
  });
}
