/** A server of the API as users start it, with a lab of its own, asked by HTTP: `npm run fuzz -- --requests N --real`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { keepLogsApart } from '../../bench/logs-apart.ts';
import { processMemory, processSeconds } from '../../bench/measure/cpu/cpu-times.ts';
import { type Sample, sampleOf } from '../../bench/soak/watched.ts';
import { agentsOf } from '../../controller/machine/processes.ts';
import { API_ROOT } from '../../proto/api/v1/routes.ts';
import { fromSeconds, toMillis } from '../../proto/units.ts';
import { type Connection, connect, type NetfoldError } from '../../sdk/index.ts';
import type { ApiAnswer, AskedApi } from './api-fuzz.ts';
import type { MadeRequest, MakerOptions } from './api-requests.ts';

const PROGRAM = join(import.meta.dirname, '../../bin/netfold');
const TOPOLOGY = `
services: { client: { replicas: 2 }, server: { run: "echo begins; sleep 100000" } }
bridges: [s1]
links:
  - { from: client, to: s1, latency: 5ms, up: 20Mbps, down: 10Mbps }
  - { from: s1, to: server, latency: 10ms, jitter: 1ms }
events:
  - at 1h set s1--server latency=20ms
`;
/** Each starts processes, which takes a hundred times as long as any other request: with as many of all, they took 264 s of 290. */
const RARE: ReadonlySet<string> = new Set([
  ...['startExperiment', 'beginStart', 'exec', 'runTool'],
  ...['askHosts', 'hostNetwork', 'hostLogs', 'hostExec'],
]);
/** A server allows each address so many requests a second, as many as one that asks in turn can send: they come from several. */
const ADDRESSES = 16;
/** Of wall-clock time; `exec` with its default ends after a minute. */
const ANSWER_MS = 120_000;
const START_MS = 60_000;
const POLL_MS = 50;
/** More emulated hosts than that are agents that nobody needs. */
const MOST_HOSTS = 2;

export interface RealApi extends AskedApi {
  readonly options: MakerOptions;
  /** The server, and the lab's agents by their process ids. */
  samples(): { readonly server: Sample; readonly agents: readonly Sample[] };
  /** How many experiments it has started, and ended again. */
  readonly started: number;
  /** Ends the lab and the server. */
  close(): Promise<void>;
}

/** Needs root. */
export async function openRealApi(experiment: string): Promise<RealApi> {
  const removeLogs = keepLogsApart();
  const { child, url, token } = await serve();
  const end = async (): Promise<void> => {
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
    child.kill('SIGTERM');
    await ended;
    removeLogs();
  };
  const connection = connect(url, { token });
  try {
    await connection.start(TOPOLOGY, { name: experiment, hosts: 2, file: 'fuzz.yaml' });
    return new Real({ child, url: new URL(url), token, connection, experiment, end });
  } catch (error) {
    await end();
    throw error;
  }
}

async function serve(): Promise<{ child: ChildProcess; url: string; token: string }> {
  // It ends with this process, however that ends: its stdin does.
  const words = ['serve', '--listen', '127.0.0.1:0', '--json', '--with-stdin'];
  const child = spawn(PROGRAM, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  let out = '';
  const { url, tokenFile } = await new Promise<{ url: string; tokenFile: string }>((resolve, reject) => {
    child.stdout!.on('data', (bytes: Buffer) => {
      out += bytes;
      // The object is all that it prints.
      if (out.trimEnd().endsWith('}')) resolve(JSON.parse(out));
    });
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`netfold serve has ended with ${code}`)));
  });
  return { child, url, token: readFileSync(tokenFile, 'utf8').trim() };
}

interface Parts {
  readonly child: ChildProcess;
  readonly url: URL;
  readonly token: string;
  readonly connection: Connection;
  readonly experiment: string;
  readonly end: () => Promise<void>;
}

class Real implements RealApi {
  readonly options: MakerOptions;
  started = 0;
  readonly #parts: Parts;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #sent = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.options = { experiment: parts.experiment, rare: RARE };
  }

  get #pid(): number {
    return this.#parts.child.pid!;
  }

  cpuMs(): number {
    return toMillis(fromSeconds(processSeconds(this.#pid) ?? 0));
  }

  memoryBytes(): number {
    return processMemory(this.#pid).mostBytes;
  }

  samples(): { server: Sample; agents: Sample[] } {
    const agents = agentsOf(this.#parts.experiment).map((pid) => sampleOf(pid, 0));
    return { server: sampleOf(this.#pid, 0), agents };
  }

  send({ method, url: path, headers, payload }: Omit<MadeRequest, 'operation'>): Promise<ApiAnswer> {
    const { url, token } = this.#parts;
    const body = payload === undefined ? undefined : Buffer.from(tamed(path, payload));
    return new Promise((resolve, reject) => {
      const request = httpRequest({
        ...{ host: url.hostname, port: url.port, method, path, agent: this.#agent },
        localAddress: `127.0.0.${1 + (this.#sent++ % ADDRESSES)}`,
        headers: {
          ...{ authorization: `Bearer ${token}`, ...headers },
          ...(body && { 'content-length': body.length }),
        },
        timeout: ANSWER_MS,
      });
      request.on('timeout', () => request.destroy(new Error(`none within ${ANSWER_MS} ms`)));
      request.on('error', reject);
      request.on('response', (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({ status: answer.statusCode!, body: Buffer.concat(parts).toString('utf8') }),
        );
      });
      request.end(body);
    });
  }

  /** What it has started, it ends, so that the machine stays as it is. */
  async settle({ operation }: MadeRequest, { status, body }: ApiAnswer): Promise<void> {
    if (operation.operationId === 'startExperiment' && status === 201)
      await this.#end((JSON.parse(body) as { name: string }).name);
    if (operation.operationId === 'beginStart' && status === 202)
      await this.#awaitStart((JSON.parse(body) as { id: string }).id);
  }

  async #awaitStart(id: string): Promise<void> {
    const { client } = this.#parts.connection;
    const deadline = performance.now() + START_MS;
    while (performance.now() < deadline) {
      const { state, name } = await client.call('getStart', { params: { id } });
      if (state === 'up') return this.#end(name!);
      if (state === 'failed') return;
      await sleep(POLL_MS);
    }
    throw new Error(`the start ${id} takes more than ${START_MS} ms`);
  }

  async #end(experiment: string): Promise<void> {
    this.started++;
    try {
      await this.#parts.connection.client.call('removeExperiment', { params: { experiment } });
    } catch (error) {
      // Its duration is over.
      if ((error as NetfoldError).code !== 'EXPERIMENT_UNKNOWN') throw error;
    }
  }

  async close(): Promise<void> {
    const { connection, experiment, end } = this.#parts;
    try {
      await connection.client.call('removeExperiment', { params: { experiment } });
    } finally {
      this.#agent.destroy();
      await end();
    }
  }
}

/** A thousand hosts for two endpoints are valid, and nothing that this machine could bear again and again. */
function tamed(path: string, payload: string): string {
  if (path !== `${API_ROOT}/experiments` && path !== `${API_ROOT}/starts`) return payload;
  return payload.replace(/("hosts":)(\d+)\b(?![.e])/, (whole, key: string, hosts: string) =>
    Number(hosts) > MOST_HOSTS && Number(hosts) <= 1000 ? `${key}${MOST_HOSTS}` : whole,
  );
}
