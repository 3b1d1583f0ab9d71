/** Runs an agent: gets its bootstrap, starts, serves its socket, and stops when asked or signalled. */
import { pino } from 'pino';
import type { Bootstrap } from '../../proto/bootstrap.ts';
import { bootstrapFromController } from '../bootstrap/from-controller.ts';
import { systemClock, systemTimers } from '../clock/clock.ts';
import { keepPriority, ownPriority } from '../endpoints/priority.ts';
import { pinnedPath } from '../kernel/netns/namespaces.ts';
import { Agent } from './agent.ts';
import { openApi } from './api.ts';
import { agentRecord } from './record.ts';
import { agentStatus } from './status.ts';
import { beginThreadPool, poolThreads } from './thread-pool.ts';
import { agentView } from './view.ts';

export interface AgentOptions {
  /** Where the bootstrap comes from: `unix:PATH` or `http://HOST:PORT`. */
  readonly controller: string;
  readonly host: string;
  /** Path of the unix socket to serve. */
  readonly socket: string;
  readonly logLevel: string;
  /** Files and folder that take the place of what the bootstrap says of the mesh's security. */
  readonly meshKey?: string;
  readonly identity?: string;
  readonly allow?: string;
  /** Multiaddrs that take the place of what the bootstrap says. */
  readonly announce?: readonly string[];
}

/** The agent of a controller. Resolves when it has stopped and taken everything away. */
export async function runAgent(options: AgentOptions): Promise<void> {
  await runAgentWith(await bootstrapFromController(options), options);
}

/** The same with a bootstrap that is here. `onStarted` is called when it serves its socket. */
export async function runAgentWith(
  bootstrap: Bootstrap,
  options: Pick<AgentOptions, 'host' | 'socket' | 'logLevel'>,
  onStarted: () => void = () => {},
): Promise<void> {
  await beginThreadPool(poolThreads(bootstrap.endpoints.length));
  const log = pino({ level: options.logLevel, base: { host: options.host } });
  const agent = new Agent(withPinnedNamespaces(bootstrap), log);
  const stopping = Promise.withResolvers<void>();
  const letGo = keepPriority({
    ...{ clock: systemClock, timers: systemTimers, mayRaise: () => agent.isQuick },
    ...ownPriority,
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stopping.resolve);
  try {
    await agent.start();
    const api = await openApi(
      {
        status: () => agentStatus(agent),
        view: () => agentView(agent),
        record: () => agentRecord(agent),
        bootstrap: () => ({ ...bootstrap, ...started(agent) }),
        run: (startAt) => agent.run(startAt),
        control: (request) => agent.control.accept(request),
        commands: () => agent.control.answer(),
        stop: stopping.resolve,
      },
      options.socket,
    );
    log.info({ endpoints: agent.bootstrap.endpoints.length }, 'agent started');
    onStarted();
    await stopping.promise;
    await api.close();
  } finally {
    letGo();
    await agent.stop();
  }
}

/** As a date of this machine; nothing before it is known. */
function started({ time }: Agent): Pick<Bootstrap, 'startAt'> {
  const now = time.exact();
  return now === undefined ? {} : { startAt: systemClock.wallNow() - now / 1000 };
}

function withPinnedNamespaces(bootstrap: Bootstrap): Bootstrap {
  const endpoints = bootstrap.endpoints.map((one) => ({ ...one, namespace: pinnedPath(one.namespace) }));
  return { ...bootstrap, endpoints };
}
