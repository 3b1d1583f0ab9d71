/** Hosts over SSH: `netfold inject` with the texts of a request, by the OpenSSH, keys and configuration of whoever runs the server. */
import { z } from 'zod';
import type { AnswerOf, BodyOf, ParamsOf } from '../../../proto/api/v1/routes.ts';
import { NetfoldError } from '../../../proto/errors.ts';
import { ControllerError } from '../../errors.ts';
import { commandEnd, commandOutcome, type Tell } from './child.ts';
import { fileIn, inFolder, scriptWords, settingWords } from './scratch.ts';

/** A thousand hosts answer within half of it, or do not. */
const LOGS_MS = 120_000;

type Request = BodyOf<'startExperiment'>;
type Inject = NonNullable<Request['inject']>;
type Answer = AnswerOf<'askHosts'>;
export type InjectedHost = Answer['hosts'][number];

/** A start that hosts have refused, with what each of them says. */
export class HostsRefused extends NetfoldError {
  readonly injected: readonly InjectedHost[];

  constructor({ code, blame, message, remedy }: NetfoldError, injected: readonly InjectedHost[]) {
    super({ code, blame, message, ...(remedy !== undefined && { remedy }) });
    this.injected = injected;
  }
}

export interface StartOptions {
  readonly tell: Tell;
  readonly sshConfig: string | undefined;
}

/** Resolves when it runs on all hosts. Throws `HostsRefused`: nothing of it is left on any host then. */
export function startInjected(
  request: Request,
  inject: Inject,
  { tell, sshConfig }: StartOptions,
): Promise<{ readonly name: string; readonly injected: readonly InjectedHost[] }> {
  return inFolder(async (folder) => {
    const { topology, file, script, set, name } = request;
    const words = ['inject', fileIn(folder, file, topology), ...(inject.install ? [] : ['start'])];
    words.push('--inventory', fileIn(folder, 'inventory.yaml', inject.inventory), '--json');
    words.push(...sshWords(sshConfig), ...nameWords(name));
    if (inject.takeOver) words.push('--take-over');
    if (inject.names) words.push('--names');
    if (inject.record) words.push('--record');
    if (inject.lease !== undefined) words.push('--lease', inject.lease);
    if (inject.never && inject.never.length > 0) words.push('--never', inject.never.join(','));
    words.push(...settingWords(set), ...scriptWords(script, folder));
    const { out, error } = await commandEnd(words, tell);
    const { experiment, hosts } = hostsOf(out);
    if (error) throw new HostsRefused(error, hosts);
    return { name: experiment ?? '', injected: hosts };
  });
}

/** Throws what is wrong with the request, or with all hosts; what is wrong with some of them is in the answer. */
export function askHosts(
  action: ParamsOf<'askHosts'>['action'],
  { inventory: text, name, topology }: BodyOf<'askHosts'>,
  sshConfig?: string,
): Promise<Answer> {
  return inFolder(async (folder) => {
    const file = topology === undefined ? [] : [fileIn(folder, 'topology.yaml', topology)];
    const words = ['inject', ...file, action, '--inventory', fileIn(folder, 'inventory.yaml', text)];
    words.push('--json', ...sshWords(sshConfig), ...nameWords(name));
    const { out, error } = await commandEnd(words, () => {});
    const { experiment, hosts } = hostsOf(out);
    if (error && hosts.every(({ ok }) => ok)) throw error;
    return { experiment, hosts, ok: error === undefined };
  });
}

const toJson = ({ code, message, remedy }: NetfoldError) => ({ code, message, remedy: remedy ?? null });

/** A command about hosts over SSH. What may look like an option of netfold's stands behind `--`. */
function wordsFor(
  folder: string,
  { inventory, name }: { readonly inventory: string; readonly name?: string | undefined },
  sshConfig: string | undefined,
): string[] {
  const words = ['inject', '--inventory', fileIn(folder, 'inventory.yaml', inventory)];
  return [...words, ...sshWords(sshConfig), ...nameWords(name)];
}

/** Throws what is wrong with the request, or where no host has said anything. */
export function hostLogs(request: BodyOf<'hostLogs'>, sshConfig?: string): Promise<AnswerOf<'hostLogs'>> {
  return inFolder(async (folder) => {
    const words = [...wordsFor(folder, request, sshConfig), '--tail', String(request.tail)];
    const { ended, error } = await commandOutcome([...words, '--', 'logs', ...request.of], {
      ...{ stdin: undefined, timeoutMs: LOGS_MS, signal: new AbortController().signal },
    });
    const { stdout: text, truncated } = ended;
    if (text !== '') return { text, truncated, errors: error ? [toJson(error)] : [] };
    if (error) throw error;
    if (ended.code === 0) return { text, truncated, errors: [] };
    throw new ControllerError(
      'START_FAILED',
      `netfold inject logs ended: ${ended.timedOut ? 'it took too long' : ended.stderr.trim().slice(-500)}`,
      'see netfold inject check',
    );
  });
}

export interface HostExecBounds {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Throws what keeps it from being run. */
export function hostExec(
  request: BodyOf<'hostExec'>,
  { timeoutMs, signal }: HostExecBounds,
  sshConfig?: string,
): Promise<AnswerOf<'hostExec'>> {
  return inFolder(async (folder) => {
    const { on, command, stdin } = request;
    const words = [...wordsFor(folder, request, sshConfig), '--', 'exec', on, ...command];
    const { ended, error } = await commandOutcome(words, { stdin, timeoutMs, signal });
    if (error) throw error;
    return ended;
  });
}

const waysSchema = z.object({
  ways: z.array(
    z.object({
      between: z.array(z.string()).length(2),
      roundTrip: z.string(),
      loss: z.string().optional(),
    }),
  ),
});

/** Throws what is wrong with the request, or with all hosts. */
export function hostNetwork(
  request: BodyOf<'hostNetwork'>,
  sshConfig?: string,
): Promise<AnswerOf<'hostNetwork'>> {
  return inFolder(async (folder) => {
    const words = [...wordsFor(folder, request, sshConfig), '--json', '--', 'measure'];
    const { out, error } = await commandEnd(words, () => {});
    const { ways } = out.trim() === '' ? { ways: [] } : waysSchema.parse(JSON.parse(out));
    if (error && ways.length === 0) throw error;
    return { ways, errors: error ? [toJson(error)] : [] };
  });
}

const nameWords = (name: string | undefined): string[] => (name === undefined ? [] : ['--name', name]);
const sshWords = (config: string | undefined): string[] =>
  config === undefined ? [] : ['--ssh-config', config];

const printedSchema = z.object({
  experiment: z.string().nullable(),
  hosts: z.array(
    z.object({
      host: z.string(),
      ok: z.boolean(),
      result: z.unknown().optional(),
      errors: z
        .array(z.object({ code: z.string(), message: z.string(), remedy: z.string().nullable() }))
        .default([]),
    }),
  ),
});
const statusSchema = z.object({
  state: z.string(),
  endpoints: z.array(z.string()),
  problems: z.array(z.string()),
});

/** Of what the command prints; nothing, if it has not come so far. */
export function hostsOf(out: string): Pick<Answer, 'experiment' | 'hosts'> {
  if (out.trim() === '') return { experiment: null, hosts: [] };
  const { experiment, hosts } = printedSchema.parse(JSON.parse(out));
  return {
    experiment,
    hosts: hosts.map(({ host, ok, result, errors }): InjectedHost => {
      const { data: status } = statusSchema.safeParse(result);
      return {
        ...{ host, ok, errors },
        result: typeof result === 'string' ? result : null,
        ...{ state: status?.state ?? null, endpoints: status?.endpoints ?? [] },
        problems: status?.problems ?? [],
      };
    }),
  };
}
