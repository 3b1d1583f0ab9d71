/** Services as units of systemd: one instance of a template for each. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OPEN_FILE, replaceFile } from '../../agent/files/own-files.ts';
import { callManager, type ServiceManager } from './manager.ts';

/** Where sd_booted(3) looks. */
const RUNS_HERE = '/run/systemd/system';
const UNIT_FOLDER = '/etc/systemd/system';
/** The template of the Debian package, which is upgraded with it. */
const PACKAGED = ['/lib/systemd/system', '/usr/lib/systemd/system'].map((folder) =>
  join(folder, 'netfold@.service'),
);

/** Of a checkout, or beside what it was compiled to. */
const HERE = import.meta.dirname;
const TEMPLATE = join(HERE, '../../deploy/service/netfold@.service');

/** The command line that a unit starts: of this installation. */
export const ownProgram = (): string =>
  ['../../bin/netfold', '../../../bin/netfold'].map((path) => join(HERE, path)).find(existsSync)!;

export const hasSystemd = (): boolean => existsSync(RUNS_HERE);

const unitOf = (name: string): string => `netfold@${name}.service`;
const unitFile = (name: string): string => join(UNIT_FOLDER, unitOf(name));

/** A unit for a program at this path, which systemd would divide at blanks. */
export function unitText(program: string): string {
  const quoted = /[\s"'\\%$]/.test(program)
    ? JSON.stringify(program).replaceAll('%', '%%').replaceAll('$', '$$$$')
    : program;
  return readFileSync(TEMPLATE, 'utf8').replace('@PROGRAM@', () => quoted);
}

const systemctl = (...words: string[]): Promise<string> =>
  callManager(['systemctl', '--no-pager', ...words], 'journalctl -u netfold@NAME tells more');

export const systemd: ServiceManager = {
  /** Where the unit of the Debian package serves, nothing is written. */
  install: async (name) => {
    const isPackaged = ownProgram().startsWith('/usr/lib/netfold/') && PACKAGED.some(existsSync);
    if (!isPackaged) {
      mkdirSync(dirname(unitFile(name)), { recursive: true });
      replaceFile(unitFile(name), unitText(ownProgram()), { mode: OPEN_FILE });
    }
    await systemctl('daemon-reload');
    return unitOf(name);
  },
  startAtBoot: async (name) => {
    await systemctl('enable', unitOf(name));
  },
  restart: async (name) => {
    await systemctl('restart', unitOf(name));
  },
  remove: async (name) => {
    await systemctl('disable', '--now', unitOf(name));
    rmSync(unitFile(name), { force: true });
    await systemctl('daemon-reload');
  },
  state: async (name) => {
    const text = await systemctl('show', unitOf(name), '--property=ActiveState,UnitFileState');
    const of = (property: string): string => new RegExp(`^${property}=(.*)$`, 'm').exec(text)?.[1] ?? '';
    return { state: of('ActiveState') || 'inactive', startsAtBoot: of('UnitFileState') === 'enabled' };
  },
};
