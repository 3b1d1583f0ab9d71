/** Starts an experiment as `netfold up --detach` does: a daemon of its own, which goes on when the server ends. */
import type { AnswerOf, BodyOf } from '../../../proto/api/v1/routes.ts';
import { type LoadedTopology, loadTopology } from '../../../topology/load.ts';
import { isPath } from '../../../topology/model/container-settings.ts';
import { Findings, formatDiagnostic } from '../../../topology/model/diagnostics.ts';
import type { Topology } from '../../../topology/model/model.ts';
import { daemonUp, type Tell } from './child.ts';
import { startInjected } from './injections.ts';
import { fileIn, inFolder, scriptWords, settingWords } from './scratch.ts';

type Request = BodyOf<'startExperiment'>;
type Started = AnswerOf<'startExperiment'>;

/** More warnings than that nobody reads. */
const MOST_WARNINGS = 100;

/** `tell`: what it is doing. `sshConfig`: instead of ~/.ssh/config. Throws `TopologyError` before anything is started; afterwards what the command says. */
export async function start(request: Request, tell: Tell = () => {}, sshConfig?: string): Promise<Started> {
  const loaded = load(request);
  const warnings = loaded.warnings.slice(0, MOST_WARNINGS).map(formatDiagnostic);
  if (request.inject)
    return { ...(await startInjected(request, request.inject, { tell, sshConfig })), warnings };
  if (request.engine !== undefined) refuseBeside(loaded.topology, request.file);
  return inFolder(async (folder) => ({ name: await daemonUp(argumentsOf(request, folder), tell), warnings }));
}

function load({ topology, file, script, set }: Request): LoadedTopology {
  const events = script === undefined ? undefined : { file: 'script', text: script };
  // Nothing is read for a file that names others: they would be this machine's.
  return loadTopology(topology, file, events, undefined, set ? { set: new Map(Object.entries(set)) } : {});
}

/** A text that was sent lies in no folder. Throws `TopologyError`, for all places of it. */
function refuseBeside({ services }: Topology, file: string): void {
  const findings = new Findings(file);
  for (const { name, container, position } of services)
    for (const { source, target } of container?.volumes ?? []) {
      if (source === undefined || source.startsWith('/') || !isPath(source)) continue;
      findings.error(
        'VOLUME_BESIDE',
        position,
        `services.${name}.volumes`,
        `${source} would be beside the file, and a topology that was sent is in no folder`,
        `write a path of the server's machine, e.g. /srv/data:${target}, or the name of a volume, e.g. data:${target}`,
      );
    }
  findings.settle();
}

function argumentsOf(request: Request, folder: string): string[] {
  const { topology, file, script, set, name, delayBackend, duration, attach } = request;
  const words = [attach ? 'attach' : 'controller', fileIn(folder, file, topology), '--file-name', file];
  words.push(...placeWords(request));
  // Unless it is chosen, the server's own environment decides.
  if (delayBackend !== 'auto') words.push('--delay-backend', delayBackend);
  if (name !== undefined) words.push('--name', name);
  if (duration !== undefined) words.push('--duration', duration);
  return [...words, ...settingWords(set), ...scriptWords(script, folder)];
}

/** Where the endpoints are. */
function placeWords({ hosts, engine, pull, attach, at }: Request): string[] {
  if (engine !== undefined) return ['--engine', engine, ...(pull ? ['--pull'] : [])];
  if (attach) {
    const { engine: whose, select, network, names } = attach;
    const words = ['--engine', whose, ...select.map((one) => `--select=${one}`)];
    if (network !== undefined) words.push(`--network=${network}`);
    return [...words, ...(names ? ['--names'] : []), ...borrowingWords(attach)];
  }
  if (!at) return ['--hosts', `${hosts}`];
  const never = at.never && at.never.length > 0 ? [`--never=${at.never.join(',')}`] : [];
  return [...at.interfaces.map((one) => `--at=${one}`), ...never, ...borrowingWords(at)];
}

const borrowingWords = ({ takeOver, lease }: { takeOver: boolean; lease?: string | undefined }): string[] => [
  ...(takeOver ? ['--take-over'] : []),
  ...(lease === undefined ? [] : ['--lease', lease]),
];
