/** Runs an agent: reads its bootstrap, starts, serves its socket, and stops on request or on a signal. */
import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { pino } from 'pino';
import type { Bootstrap } from '../../proto/bootstrap.ts';
import { bootstrapFromController } from '../bootstrap/from-controller.ts';
import { systemClock, systemTimers } from '../clock/clock.ts';
import { keepPriority, ownPriority, spareFromWantOfMemory } from '../endpoints/priority.ts';
import { isMarkedAsEnding, markAsEnding } from '../files/ending-file.ts';
import { keepPrivate } from '../files/umask.ts';
import { logOptions } from '../health/log-fields.ts';
import { LogWriter } from '../health/log-writer.ts';
import { beginThreadPool, poolThreads } from '../health/thread-pool.ts';
import { pinnedPath } from '../kernel/netns/namespaces.ts';
import { endWithin, limitArenas } from '../kernel/sys/this-process.ts';
import { tellAbsent } from '../messenger/absent.ts';
import { replaceMessengers, takePorts } from '../messenger/leave.ts';
import type { Listening, MetricsAddress } from '../metrics/listen.ts';
import { serviceManager } from '../service/service-manager.ts';
import { openApi } from './api.ts';
import { composeAgent } from './compose.ts';
import { openDoor } from './door.ts';
import type { AgentLog } from './ports.ts';
import { systemPorts } from './system-ports.ts';
import { Unexpected } from './unexpected.ts';

/** Standard output, which the platform has directed to a file. */
const LOG_DESCRIPTOR = 1;

/** At its end a process is gone within this time, whatever its threads do. */
const END_SECONDS = 1;

/** Threads wait for the kernel far more than for memory. */
const ARENAS = 2;

export interface AgentOptions {
  /** The source of the bootstrap: `unix:PATH` or `http://HOST:PORT`. */
  readonly controller: string;
  readonly host: string;
  /** Path of the unix socket to serve. */
  readonly socket: string;
  readonly logLevel: string;
  /** Where its metrics are served over TCP; absent: on its socket alone. */
  readonly metrics?: MetricsAddress;
  /** Files and folder that replace the bootstrap's settings of the mesh's security. */
  readonly meshKey?: string;
  readonly identity?: string;
  readonly allow?: string;
  readonly commanders?: string;
  /** Multiaddrs that replace those of the bootstrap. */
  readonly announce?: readonly string[];
}

export interface Attendance {
  /** Called when it serves its socket. */
  readonly onStarted: () => void;
  /** Called when it is about to stop, and still answers; it stops afterwards. Never rejects. */
  readonly onStopping?: () => Promise<void>;
}

/** Why an agent has stopped: it was asked to, or the experiment has ended on all hosts. */
export type Stopped = 'asked' | 'quit';

/** The agent of a controller. Resolves when it has stopped and removed everything. */
export async function runAgent(options: AgentOptions): Promise<void> {
  const bootstrap = await bootstrapFromController(options);
  const stopped = await runAgentWith(bootstrap, options);
  // What outlives agents, their controller removes. It may have been killed: then this does it, and twice at once does no harm.
  if (stopped === 'quit' && bootstrap.leaseMs !== undefined) removeRest(basename(dirname(options.socket)));
}

/** Removes, in a process of its own, what this machine has of the experiment. */
function removeRest(experiment: string): void {
  const words = [...process.execArgv, process.argv[1]!, 'down', experiment];
  spawn(process.execPath, words, { detached: true, stdio: 'ignore' }).unref();
}

/** The same with a given bootstrap. `onStarted` is called when it serves its socket. */
export async function runAgentWith(
  bootstrap: Bootstrap,
  options: Pick<AgentOptions, 'host' | 'socket' | 'logLevel' | 'metrics'> & Pick<Attendance, 'onStopping'>,
  onStarted: Attendance['onStarted'] = () => {},
): Promise<Stopped> {
  keepPrivate();
  const manager = serviceManager(process.env, process.pid);
  spareFromWantOfMemory();
  limitArenas(ARENAS);
  await beginThreadPool(poolThreads(bootstrap.endpoints.length));
  // Before the log, whose own end may not come where the disk is full.
  process.once('exit', () => endWithin(END_SECONDS));
  const lines = new LogWriter(LOG_DESCRIPTOR);
  const { experiment } = bootstrap;
  const log = pino(logOptions({ experiment, host: options.host, level: options.logLevel }), lines);
  const pinned = withPinnedNamespaces(bootstrap);
  // libuv starts its threads at the first use; they must not start inside an endpoint's namespace.
  await stat('/');
  const agent = await composeAgent(pinned, systemPorts(pinned, log));
  const unexpected = new Unexpected(systemClock, log);
  agent.parts.keeper.watch(() => (unexpected.problem === undefined ? [] : [unexpected.problem]));
  lines.onFailure = () => agent.parts.keeper.attempt('writing its log', () => lines.flush());
  if (lines.isBehind) lines.onFailure();
  const letThrow = unexpected.watchProcess();
  const stopping = Promise.withResolvers<Stopped>();
  /** Whoever removes the experiment has marked it before the signal. */
  let isRemoved = false;
  let stopWatch = (): void => {};
  let metrics: Listening | undefined;
  const letGo = keepPriority({
    ...{ clock: systemClock, timers: systemTimers, mayRaise: () => agent.parts.keeper.isQuick },
    ...ownPriority,
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.resolve('asked'));
  try {
    await replaceMessengers(experiment);
    await takePorts(bootstrap.mesh.listen);
    await agent.lifecycle.start();
    const stop = (): void => stopping.resolve('asked');
    const door = openDoor(agent, stop);
    if (options.metrics) {
      const { listenForMetrics } = await import('../metrics/listen.ts');
      metrics = await listenForMetrics(() => door.metrics(), options.metrics);
    }
    const api = await openApi(door, options.socket);
    log.info({ endpoints: bootstrap.endpoints.length }, 'agent started');
    onStarted();
    manager.ready();
    stopWatch = manager.watch(systemTimers, () => agent.reactions.ticks.count);
    void agent.parts.end.reached.then(() => stopping.resolve('quit'));
    const stopped = await stopping.promise;
    isRemoved = stopped === 'asked' && isMarkedAsEnding(dirname(options.socket));
    if (stopped === 'quit') announceEnd(options.socket, log);
    // Its identity is removed with the experiment.
    if (stopped === 'quit') await tellAbsent(agent.parts);
    await options.onStopping?.();
    await api.close();
    return stopped;
  } finally {
    stopWatch();
    manager.ending();
    letGo();
    await metrics?.close();
    await agent.lifecycle.stop(isRemoved).finally(letThrow);
  }
}

/** The experiment has ended: this agent is not started again. */
function announceEnd(socket: string, log: AgentLog): void {
  log.info({}, 'the experiment has quit');
  try {
    markAsEnding(dirname(socket));
  } catch (error) {
    // It is being removed already, or the disk is full: then the agent is started once more, and ends again.
    log.warn({}, (error as Error).message);
  }
}

function withPinnedNamespaces(bootstrap: Bootstrap): Bootstrap {
  const endpoints = bootstrap.endpoints.map((one) => ({ ...one, namespace: pinnedPath(one.namespace) }));
  return { ...bootstrap, endpoints };
}
