/** Starts an injection: on all hosts or on none. */
import { randomBytes } from 'node:crypto';
import { extname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateMeshKey } from '../../agent/mesh/trust/mesh-key.ts';
import { ControllerError } from '../errors.ts';
import type { TopologyText } from '../experiment/bootstraps.ts';
import type { InventoryHost } from '../inventory/model.ts';
import { type OnOutcome, type Outcome, onEachHost, requireAll } from './each-host.ts';
import {
  EVENTS_FILE,
  folderOf,
  KEY_FILE,
  keepScript,
  prepareScript,
  startScript,
  stopScript,
  topologyFile,
} from './host-scripts.ts';
import { hostsLines } from './hosts-file.ts';
import { placeText } from './report.ts';
import { statusOf } from './running.ts';
import type { Connections } from './ssh/connections.ts';
import { InjectError } from './ssh/errors.ts';
import { inventoryText } from './standing.ts';

/** A host that takes part. */
export interface Part {
  readonly host: InventoryHost;
  readonly endpoints: readonly PartEndpoint[];
  /** Of its first interface: where its agent listens, and others reach it. */
  readonly address: string;
}

export interface PartEndpoint {
  readonly endpoint: string;
  readonly ifname: string;
  /** Of the interface. */
  readonly address: string;
}

export interface StartOptions {
  readonly experiment: string;
  readonly source: TopologyText;
  /** Of the installed version. */
  readonly home: string;
  /** The first one's process also waits for all and starts the timeline; afterwards nothing depends on it. */
  readonly parts: readonly [Part, ...Part[]];
  /** Words for `--never`; none: an empty list. */
  readonly never: readonly string[];
  /** As `--lease` takes it. */
  readonly lease?: string;
  readonly takeOver: boolean;
  /** The topology's names go into the hosts' files of names. */
  readonly names: boolean;
  /** Each host keeps its part of the record. */
  readonly record: boolean;
  readonly signal: AbortSignal;
  readonly onStarted?: OnOutcome<string>;
  readonly onStep: (step: string) => void;
}

/** Loading, probing the kernel, joining: 4 s on a quiet machine of two cores. */
const START_SECONDS = 90;
const COMPLETE_MS = 60_000;
const LOOK_MS = 500;
const STOP_SECONDS = 60;

/**
 * Resolves when all agents know each other and the experiment runs. Whatever fails, on whichever host, or if `signal` comes: what
 * was begun is taken back on all. Throws `InjectError`, `ControllerError` (`INTERRUPTED`).
 */
export async function startInjection(connections: Connections, options: StartOptions): Promise<void> {
  const { parts, signal } = options;
  const id = randomBytes(8).toString('hex');
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => {});
  signal.addEventListener('abort', () => aborted.reject(signal.reason as Error), { once: true });
  const hosts = parts.map(({ host }) => host);
  // What an abort leaves behind must have ended before it is taken back.
  let work: Promise<unknown> = Promise.resolve();
  const orAbort = <T>(promise: Promise<T>): Promise<T> => {
    work = promise.catch(() => {});
    return Promise.race([promise, aborted.promise]);
  };
  try {
    signal.throwIfAborted();
    requireAll(await orAbort(prepare(connections, options, id)), 'preparing', NOTHING_LEFT);
    const [first, ...others] = parts;
    requireAll(await orAbort(startFirst(connections, options, first)), 'starting', NOTHING_LEFT);
    requireAll(await orAbort(startOthers(connections, options, others)), 'starting', NOTHING_LEFT);
    await orAbort(untilComplete(connections, options));
    const kept = onEachHost(hosts, async (host) =>
      (await connections.to(host)).run(keepScript(options.experiment), { doing: 'keeping it' }),
    );
    requireAll(await orAbort(kept), 'keeping it', NOTHING_LEFT);
  } catch (error) {
    await work;
    const problems = await takeBack(connections, hosts, options.experiment, id);
    for (const problem of problems) options.onStep(problem);
    if (error !== signal.reason || !signal.aborted) throw error;
    throw new ControllerError(
      'INTERRUPTED',
      `a signal came while ${options.experiment} started; nothing of it is left`,
    );
  }
}

const NOTHING_LEFT = 'what was begun on the others was taken back; when that is mended, start it again';

function prepare(connections: Connections, options: StartOptions, id: string): Promise<Outcome<string>[]> {
  const { experiment, source, home, parts, names } = options;
  const key = generateMeshKey();
  const events = source.script?.text ?? '';
  const inventory = inventoryText(
    parts.map(({ host, endpoints }) => ({ host, endpoints: endpoints.map(({ endpoint }) => endpoint) })),
  );
  const common = {
    ...{ experiment, id, home },
    extension: extensionOf(source.file),
    keyBytes: Buffer.byteLength(key),
    eventsBytes: Buffer.byteLength(events),
    hostsBytes: Buffer.byteLength(inventory),
    names: names ? hostsLines(parts.flatMap(({ endpoints }) => endpoints)) : [],
  };
  const input = key + events + inventory + source.text;
  const hosts = parts.map(({ host }) => host);
  return onEachHost(
    hosts,
    async (host) => {
      const connection = await connections.to(host);
      await connection.run(prepareScript({ ...common, host: host.name }), { input, doing: 'preparing' });
      return '';
    },
    // Those that are prepared are told when they have started.
    (outcome) => outcome.error && options.onStarted?.(outcome),
  );
}

const extensionOf = (file: string): string => /^\.[A-Za-z0-9]{1,10}$/.exec(extname(file))?.[0] ?? '';

/** Words that all agents have. */
function commonWords({ experiment, never, lease, takeOver, record }: StartOptions, part: Part): string[] {
  return [
    ...['--name', experiment, '--host', part.host.name],
    ...['--mesh-key', `${folderOf(experiment)}/${KEY_FILE}`],
    ...part.endpoints.flatMap(({ endpoint, ifname }) => ['--at', `${endpoint}=${ifname}`]),
    ...['--listen', part.address],
    ...(lease === undefined ? [] : ['--lease', lease]),
    ...(takeOver ? ['--take-over'] : []),
    ...(never.length === 0 ? [] : ['--never', never.join(',')]),
    // A record stays on the host, and uninstall would have to take it.
    ...(record ? [] : ['--no-record']),
  ];
}

function startFirst(connections: Connections, options: StartOptions, part: Part): Promise<Outcome<string>[]> {
  const { experiment, source } = options;
  const folder = folderOf(experiment);
  const words = [
    ...['controller', `${folder}/${topologyFile(extensionOf(source.file))}`],
    ...['--elsewhere', '--wait', ...commonWords(options, part)],
    ...(source.script ? ['--events', `${folder}/${EVENTS_FILE}`] : []),
  ];
  return startOn(connections, [part], options, () => startScript(experiment, words, `${experiment} is up`));
}

function startOthers(
  connections: Connections,
  options: StartOptions,
  others: readonly Part[],
): Promise<Outcome<string>[]> {
  const { experiment, parts } = options;
  const joining = ['agent', '--join', parts[0].address, '--experiment', experiment];
  return startOn(connections, others, options, (part) =>
    startScript(experiment, [...joining, ...commonWords(options, part)], `joined ${experiment} through`),
  );
}

function startOn(
  connections: Connections,
  parts: readonly Part[],
  { onStarted }: StartOptions,
  scriptOf: (part: Part) => string,
): Promise<Outcome<string>[]> {
  const named = parts.map((part) => ({ ...part, name: part.host.name }));
  return onEachHost(
    named,
    async (part) => {
      const connection = await connections.to(part.host);
      await connection.run(scriptOf(part), { seconds: START_SECONDS, doing: 'starting its agent' });
      return part.endpoints.map((one) => placeText(one.endpoint, one)).join(', ');
    },
    onStarted,
  );
}

/** All agents know all endpoints, and the first has started the timeline. Throws `START_FAILED`. */
async function untilComplete(connections: Connections, { experiment, parts }: StartOptions): Promise<void> {
  const deadline = performance.now() + COMPLETE_MS;
  const [{ host }] = parts;
  const all = parts.flatMap(({ endpoints }) => endpoints).length;
  for (;;) {
    const status = await statusOf(await connections.to(host), experiment);
    if (status.state === 'running' && status.known === status.expected) return;
    if (status.state === 'absent' || status.state === 'ended' || performance.now() > deadline)
      throw new InjectError(
        'START_FAILED',
        `${host.name}: its agent is ${status.state}, and knows ${status.known ?? 0} of ${all} endpoints`,
        'do the hosts reach each other on TCP port 4646? netfold inject FILE --inventory HOSTS check',
      );
    await sleep(LOOK_MS);
  }
}

/** What of this start is on the hosts, as far as they can be reached. Returns what could not be taken back, in words. */
async function takeBack(
  connections: Connections,
  hosts: readonly InventoryHost[],
  experiment: string,
  id: string,
): Promise<string[]> {
  const outcomes = await onEachHost(hosts, async (host) => {
    const connection = await connections.to(host);
    await connection.run(stopScript(experiment, id), { seconds: STOP_SECONDS, doing: 'taking it back' });
  });
  return outcomes.flatMap(({ error }) =>
    error ? [`not taken back yet, the host does it by itself: ${error.message}`] : [],
  );
}
