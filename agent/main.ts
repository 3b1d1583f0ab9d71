/** Runs an agent: gets its bootstrap, starts, serves its socket, and stops when asked or signalled. */
import { pino } from 'pino';
import { type Bootstrap, bootstrapSchema, topologyHash } from '../proto/bootstrap.ts';
import { callJson } from '../proto/http-json.ts';
import { Agent } from './agent.ts';
import { openApi } from './api.ts';
import { AgentError } from './errors.ts';
import { open } from './kernel/libc.ts';
import { OWN_NAMESPACE_FILE } from './kernel/namespaces.ts';
import { withLocalSecurity } from './mesh/security.ts';
import { agentRecord } from './record.ts';
import { agentStatus } from './status.ts';
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

/** Resolves when the agent has stopped and taken everything away. */
export async function runAgent(options: AgentOptions): Promise<void> {
  const log = pino({ level: options.logLevel, base: { host: options.host } });
  const told = await fetchBootstrap(options);
  const { announce } = options;
  const mesh = { ...withLocalSecurity(told.mesh, options), ...(announce && { announce: [...announce] }) };
  const bootstrap = { ...told, mesh };
  const agent = new Agent(pinOwnNamespace(bootstrap), log);
  const stopping = Promise.withResolvers<void>();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, stopping.resolve);
  try {
    await agent.start();
    const api = await openApi(
      {
        status: () => agentStatus(agent),
        view: () => agentView(agent),
        record: () => agentRecord(agent),
        run: (startAt) => agent.run(startAt),
        control: (request) => agent.control.accept(request),
        commands: () => agent.control.answer(),
        stop: stopping.resolve,
      },
      options.socket,
    );
    log.info({ endpoints: agent.bootstrap.endpoints.length }, 'agent started');
    await stopping.promise;
    await api.close();
  } finally {
    await agent.stop();
  }
}

/**
 * A thread that is inside of an endpoint for a moment would find itself there under /proc/self/ns/net: the descriptor
 * stays what it was. It is open until the process ends.
 */
function pinOwnNamespace(bootstrap: Bootstrap): Bootstrap {
  const isOwn = ({ namespace }: Bootstrap['endpoints'][number]): boolean => namespace === OWN_NAMESPACE_FILE;
  if (!bootstrap.endpoints.some(isOwn)) return bootstrap;
  const namespace = `/proc/self/fd/${open(OWN_NAMESPACE_FILE)}`;
  const endpoints = bootstrap.endpoints.map((one) => (isOwn(one) ? { ...one, namespace } : one));
  return { ...bootstrap, endpoints };
}

async function fetchBootstrap({ controller, host }: AgentOptions): Promise<Bootstrap> {
  const answer = await callJson(controller, `/bootstrap/${encodeURIComponent(host)}`);
  const parsed = bootstrapSchema.safeParse(answer);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new AgentError(
      'BOOTSTRAP_INVALID',
      `${controller} sent a bootstrap whose ${issue.path.join('.')} is wrong: ${issue.message}`,
    );
  }
  const { hash } = parsed.data.topology;
  const actual = topologyHash(parsed.data.topology);
  if (hash !== actual) {
    throw new AgentError(
      'TOPOLOGY_MISMATCH',
      `the topology's hash is ${actual}, but the controller says ${hash}`,
      'start the experiment again',
    );
  }
  return parsed.data;
}
