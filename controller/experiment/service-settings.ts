/** What the services of this machine need here, and what `netfold exec` has to know of them. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { type CommandSettings, settingsOf } from '../../agent/endpoints/service-settings.ts';
import { PRIVATE_FILE, replaceFile } from '../../agent/files/own-files.ts';
import { Findings } from '../../topology/model/diagnostics.ts';
import type { Service, Topology } from '../../topology/model/model.ts';
import { serviceOf } from '../../topology/model/names.ts';
import { ControllerError } from '../errors.ts';
import { servicesFile } from '../names.ts';
import type { Plan } from '../platform/port/plan.ts';

const keptSchema = z.record(
  z.string(),
  z.strictObject({
    env: z.record(z.string(), z.string()).optional(),
    cwd: z.string().optional(),
    user: z.string().optional(),
    processes: z.int().optional(),
    descriptors: z.int().optional(),
    capAdd: z.array(z.string()).optional(),
    capDrop: z.array(z.string()).optional(),
  }),
);

/** A user of this machine. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Service → its user, of the services with one that have endpoints here. Throws `TopologyError` (`USER_UNKNOWN`,
 * `FOLDER_MISSING`) with the place in the file of each user and folder that this machine does not have.
 */
export function requireAccounts({ services }: Topology, { endpoints }: Plan): ReadonlyMap<string, Account> {
  const here = new Set(endpoints.map(({ name }) => serviceOf(name)));
  const findings = new Findings('');
  const accounts = new Map<string, Account>();
  for (const service of services.filter((one) => here.has(one.name) && !isOfImage(one))) {
    requireFolder(service, findings);
    const account = service.user && findAccount(service.user.name);
    if (account) accounts.set(service.name, account);
    else if (service.user)
      findings.error(
        'USER_UNKNOWN',
        service.user.position,
        `services.${service.name}.user`,
        `this machine has no user "${service.user.name}"`,
        `name one that \`getent passwd\` lists, or make it: useradd --system ${service.user.name}`,
      );
  }
  findings.settle();
  return accounts;
}

/** Nothing starts on this machine, and the user is one of the image. */
const isOfImage = ({ image, run }: Service): boolean => image !== undefined && run === undefined;

function requireFolder({ name, cwd }: Service, findings: Findings): void {
  if (!cwd || !isAbsolute(cwd.path) || statSync(cwd.path, { throwIfNoEntry: false })?.isDirectory()) return;
  findings.error(
    'FOLDER_MISSING',
    cwd.position,
    `services.${name}.cwd`,
    `this machine has no folder ${cwd.path}`,
    `make it: mkdir -p ${cwd.path}; or write a path below the endpoint's own folder, e.g. cwd: .`,
  );
}

/** `getent` asks all that the machine knows users from, not only /etc/passwd; a number is a user's as well. */
function findAccount(user: string): Account | undefined {
  const { stdout, status, error } = spawnSync('getent', ['passwd', user], { encoding: 'utf8' });
  if (error) throw error;
  const [, , uid, gid] = stdout.split('\n')[0]!.split(':');
  return status === 0 ? { uid: Number(uid), gid: Number(gid) } : undefined;
}

/** For `netfold exec`. Variables may be secrets, so the file is root's alone; there is none without settings. */
export function keepSettings(experiment: string, { services }: Topology): void {
  const settings = services.flatMap((service) => {
    const { user, ...others } = settingsOf(service);
    const found = { ...others, ...(user !== undefined && !isOfImage(service) && { user }) };
    return Object.keys(found).length > 0 ? [[service.name, found] as const] : [];
  });
  const file = servicesFile(experiment);
  if (settings.length === 0) rmSync(file, { force: true });
  else replaceFile(file, JSON.stringify(Object.fromEntries(settings)), { mode: PRIVATE_FILE });
}

/** Of one service; none if the experiment has kept none. Throws `ControllerError` (`FILE_UNREADABLE`). */
export function readSettings(experiment: string, service: string): CommandSettings {
  try {
    return keptSchema.parse(JSON.parse(readFileSync(servicesFile(experiment), 'utf8')))[service] ?? {};
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    const file = servicesFile(experiment);
    const message = `${file}, which has the settings of services, can't be read: ${(error as Error).message}`;
    throw new ControllerError(
      'FILE_UNREADABLE',
      message,
      'use the rights with which `netfold up` ran: sudo',
      error,
    );
  }
}
