/** Runs an agent: reads its bootstrap, starts, serves its socket, and stops on request or on a signal. */
import { stat } from 'node:fs/promises';
import { pino } from 'pino';
import type { Bootstrap } from '../../proto/bootstrap.ts';
import { bootstrapFromController } from '../bootstrap/from-controller.ts';
import { systemClock, systemTimers } from '../clock/clock.ts';
import { keepPriority, ownPriority, spareFromWantOfMemory } from '../endpoints/priority.ts';
import { keepPrivate } from '../files/umask.ts';
import { LogWriter } from '../health/log-writer.ts';
import { pinnedPath } from '../kernel/netns/namespaces.ts';
import { endWithin } from '../kernel/sys/alarm.ts';
import { openApi } from './api.ts';
import { composeAgent } from './compose.ts';
import { openDoor } from './door.ts';
import { systemPorts } from './system-ports.ts';
import { beginThreadPool, poolThreads } from './thread-pool.ts';
import { Unexpected } from './unexpected.ts';

/** Standard output, which the platform has directed to a file. */
const LOG_DESCRIPTOR = 1;

/** At its end a process is gone within this time, whatever its threads do. */
const END_SECONDS = 1;

export interface AgentOptions {
  /** The source of the bootstrap: `unix:PATH` or `http://HOST:PORT`. */
  readonly controller: string;
  readonly host: string;
  /** Path of the unix socket to serve. */
  readonly socket: string;
  readonly logLevel: string;
  /** Files and folder that replace the bootstrap's settings of the mesh's security. */
  readonly meshKey?: string;
  readonly identity?: string;
  readonly allow?: string;
  readonly commanders?: string;
  /** Multiaddrs that replace those of the bootstrap. */
  readonly announce?: readonly string[];
}

/** The agent of a controller. Resolves when it has stopped and removed everything. */
export async function runAgent(options: AgentOptions): Promise<void> {
  await runAgentWith(await bootstrapFromController(options), options);
}

/** The same with a given bootstrap. `onStarted` is called when it serves its socket. */
export async function runAgentWith(
  bootstrap: Bootstrap,
  options: Pick<AgentOptions, 'host' | 'socket' | 'logLevel'>,
  onStarted: () => void = () => {},
): Promise<void> {
  keepPrivate();
  spareFromWantOfMemory();
  await beginThreadPool(poolThreads(bootstrap.endpoints.length));
  // Before the log, whose own end may not come where the disk is full.
  process.once('exit', () => endWithin(END_SECONDS));
  const lines = new LogWriter(LOG_DESCRIPTOR);
  const log = pino({ level: options.logLevel, base: { host: options.host } }, lines);
  const pinned = withPinnedNamespaces(bootstrap);
  // libuv starts its threads at the first use; they must not start inside an endpoint's namespace.
  await stat('/');
  const agent = await composeAgent(pinned, systemPorts(pinned, log));
  const unexpected = new Unexpected(systemClock, log);
  agent.parts.keeper.watch(() => (unexpected.problem === undefined ? [] : [unexpected.problem]));
  lines.onFailure = () => agent.parts.keeper.attempt('writing its log', () => lines.flush());
  if (lines.isBehind) lines.onFailure();
  const letThrow = unexpected.watchProcess();
  const stopping = Promise.withResolvers<void>();
  const letGo = keepPriority({
    ...{ clock: systemClock, timers: systemTimers, mayRaise: () => agent.parts.keeper.isQuick },
    ...ownPriority,
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stopping.resolve);
  try {
    await agent.lifecycle.start();
    const api = await openApi(openDoor(agent, stopping.resolve), options.socket);
    log.info({ endpoints: bootstrap.endpoints.length }, 'agent started');
    onStarted();
    await stopping.promise;
    await api.close();
  } finally {
    letGo();
    await agent.lifecycle.stop().finally(letThrow);
  }
}

function withPinnedNamespaces(bootstrap: Bootstrap): Bootstrap {
  const endpoints = bootstrap.endpoints.map((one) => ({ ...one, namespace: pinnedPath(one.namespace) }));
  return { ...bootstrap, endpoints };
}
