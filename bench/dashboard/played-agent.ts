/** An agent that has nothing to do: it answers as one of an experiment that runs, on a socket like that of a real one. */
import { createServer, type Server } from 'node:http';
import { systemTimers } from '../../agent/clock/clock.ts';
import { LogPages } from '../../agent/daemon/log-pages.ts';
import { RunLog } from '../../agent/runlog/run-log.ts';
import type { Bootstrap } from '../../proto/bootstrap.ts';
import type { ControlAnswer } from '../../proto/control.ts';
import { runLogQuerySchema } from '../../proto/run-log.ts';
import type { AgentFlows, AgentStatus, AgentVerdict } from '../../proto/status.ts';
import { fromMillis, micros, toSeconds } from '../../proto/units.ts';
import type { AgentProofs, AgentView, LiveGraph } from '../../proto/view.ts';
import { flowStatus, isAnnounced, type PlayedFlow, type PlayedNetwork, roundTripOf } from './network.ts';

/** As real agents. */
export const TICK_MS = 50;

/** As the server of a real one (fastify's default): connections stay open between requests. */
const KEEP_OPEN_MS = 72_000;

/** Of a machine on which nothing is wrong. */
const FAITHFUL: AgentVerdict = {
  ...{ verdict: 'faithful', now: 'faithful', causes: [], forgotten: 0 },
  since: new Date(0).toISOString(),
};

export class PlayedAgent {
  readonly host: string;
  readonly #network: PlayedNetwork;
  readonly #flows: readonly PlayedFlow[];
  readonly #names: readonly string[];
  readonly #runLog = new RunLog({ now: () => this.#nowMicros });
  readonly #pages: LogPages;
  readonly #begun = performance.now();
  #tick = 0;
  #server: Server | undefined;

  constructor(network: PlayedNetwork, host: string) {
    this.host = host;
    this.#network = network;
    this.#flows = network.flows.filter((flow) => flow.host === host);
    this.#names = network.endpoints.flatMap((one) => (one.host === host ? one.name : []));
    this.#pages = new LogPages({ host, incarnation: 1, runLog: this.#runLog, timers: systemTimers });
  }

  /** At a unix socket. */
  async listen(socket: string): Promise<void> {
    const server = createServer(async ({ url = '' }, response) => {
      const answer = await this.answer(url).catch(() => undefined);
      response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer ?? { code: 'PATH_UNKNOWN', blame: 'input', message: url }));
    });
    server.keepAliveTimeout = KEEP_OPEN_MS;
    this.#server = server;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject).listen(socket, resolve);
    await promise;
  }

  stop(): void {
    this.#pages.stop();
    this.#server?.close();
    this.#server?.closeAllConnections();
  }

  /** All rates change, and some of them so much that other agents would be told. */
  tick(): void {
    this.#tick++;
    for (const flow of this.#flows) {
      if (!isAnnounced(flow, this.#tick)) continue;
      const { from, to, rateBps, shareBps, greedy } = flowStatus(flow, this.#tick);
      this.#runLog.append({ kind: 'share', from, to, shareBps, epoch: 0 });
      this.#runLog.append({ kind: 'flow', from, to, rateBps, greedy });
    }
  }

  /** `undefined`: what the server of the API does not ask for. */
  async answer(url: string): Promise<unknown> {
    const { pathname, searchParams } = new URL(url, 'http://agent');
    switch (pathname) {
      case '/status':
        return this.#status();
      case '/flows':
        return this.#flowsNow();
      case '/view':
        return this.#view();
      case '/graph':
        return { now: this.#nowMicros, epoch: 0, graph: this.#network.graph } satisfies LiveGraph;
      case '/bootstrap':
        return { topology: this.#network.topology } satisfies Pick<Bootstrap, 'topology'>;
      case '/verdict':
        return this.#verdict();
      case '/control':
        return this.#control();
      case '/log':
        return this.#pages.read(runLogQuerySchema.parse(Object.fromEntries(searchParams)));
      default:
        return undefined;
    }
  }

  get #nowMicros(): number {
    return Math.round(fromMillis(performance.now() - this.#begun));
  }

  #status(): AgentStatus {
    const { hosts, endpoints } = this.#network;
    const count = endpoints.length;
    const { user, system } = process.cpuUsage();
    return {
      ...{ host: this.host, state: 'running', shaped: true, known: count, expected: count },
      endpoints: this.#names,
      hosts: hosts.map((name) => ({
        ...{ name, self: name === this.host },
        endpoints: endpoints.filter(({ host }) => host === name).length,
      })),
      ...{ conflicts: [], degraded: [], faults: [], verdict: FAITHFUL, corrected: 0, epoch: 0 },
      ...this.#flowsNow(),
      mesh: {
        ...{ messagesSent: this.#tick, bytesSent: 100 * this.#tick, messagesReceived: this.#tick },
        ...{ flowAnnouncements: this.#tick, rejected: {}, unreachable: [] },
      },
      metadata: {
        ...{ bytesPerSecond: 2000, budgetBytesPerSecond: null, threshold: 0.05, intervalMs: 0, level: 0 },
      },
      underlay: { hosts: [], tooSlow: { count: 0, worst: [] } },
      delay: { backend: 'netem', packets: 1000 * this.#tick, lost: 0, held: 0, latestMs: 0 },
      ticks: { count: this.#tick, meanMs: 1, latestMs: 1 },
      cpuSeconds: toSeconds(micros(user + system)),
      memoryBytes: 1e8,
      processes: Object.fromEntries(this.#names.map((name, number) => [name, `${10_000 + number}`])),
      nextEventMs: null,
      events: { count: 0, latestMs: 0, meanMs: 0, p99Ms: 0, mostMs: 0 },
      clock: { state: 'running', reference: hosts[0]!, offsetMs: 0, errorMs: 0, peers: [] },
    };
  }

  #flowsNow(): AgentFlows {
    return {
      flows: this.#flows.map((flow) => flowStatus(flow, this.#tick)),
      nowMs: performance.now() - this.#begun,
    };
  }

  #view(): AgentView {
    const { hosts, endpoints, flows } = this.#network;
    return {
      ...{ host: this.host, state: 'running', shaped: true, degraded: [], now: this.#nowMicros, epoch: 0 },
      members: hosts.map((name) => ({ name, peer: name, incarnation: 1 })),
      endpoints: endpoints.map(({ name, host, address }) => ({ name, host, addresses: [address] })),
      flows: flows.map((flow) => {
        const { from, to, rateBps, greedy } = flowStatus(flow, this.#tick);
        return { from, to, rateBps, greedy };
      }),
      shares: this.#flows.map((flow) => {
        const { from, to, shareBps } = flowStatus(flow, this.#tick);
        return { from, to, rateBps: shareBps, ceilingBps: shareBps };
      }),
      commands: { count: 0, digest: '0 0' },
    };
  }

  #verdict(): AgentVerdict & AgentProofs {
    const since = new Date(0).toISOString();
    const readBackAt = new Date().toISOString();
    return {
      ...FAITHFUL,
      endpoints: this.#names.map((endpoint) => {
        return { endpoint, host: this.host, inForceSince: since, readBackAt };
      }),
      paths: this.#flows.map((flow) => {
        const { asked, measured } = roundTripOf(flow, this.#tick);
        return {
          ...{ from: flow.from, to: flow.to, setSince: since, retransmitted: 0, measuredAt: readBackAt },
          ...{ worksSince: since, workedAt: readBackAt },
          ...{ roundTripMs: asked, measuredMs: measured },
        };
      }),
    };
  }

  #control(): ControlAnswer {
    const { hosts } = this.#network;
    return {
      ...{ host: this.host, now: this.#nowMicros, history: [], folded: 0, behind: [] },
      inStep: hosts.filter((name) => name !== this.host),
    };
  }
}
