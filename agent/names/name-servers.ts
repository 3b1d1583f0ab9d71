/**
 * A DNS server on the loopback of each endpoint, for resolvers that skip /etc/hosts, and for names that nobody has: these
 * fail at once instead of being asked of the machine's own resolvers, which endpoints do not reach. Beside it the segments
 * (agent/segments). All of a host are in one thread. What does not work is told, and ends nothing.
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Graph } from '../../topology/model/model.ts';
import { endpointEdges } from '../segments/segment-map.ts';
import type { FromNames, Known, NamesStart, Place, ToNames } from './messages.ts';

/** Queries are garbage at once; by default a thread lets much more of it gather. */
const YOUNG_MB = 4;

export class NameServers {
  readonly #worker: Worker;
  readonly #pending = new Map<number, () => void>();
  #requests = 0;
  #ended = false;
  readonly #exited: Promise<void>;
  #edges: Int32Array = new Int32Array();

  /** `onProblem`: what does not work, where, and why. */
  constructor(
    { names, segments }: Pick<NamesStart, 'names' | 'segments'>,
    onProblem: (problem: string) => void,
  ) {
    const start: NamesStart = { names, ...(segments && { segments }) };
    this.#worker = new Worker(new URL(`./worker${extname(import.meta.filename)}`, import.meta.url), {
      workerData: start,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    this.#worker.on('error', ({ message }: Error) =>
      onProblem(`names don't resolve by DNS, and broadcast reaches nobody: ${message}`),
    );
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#ended = true;
        for (const done of this.#pending.values()) done();
        this.#pending.clear();
        resolve();
      });
    });
    this.#worker.on('message', (message: FromNames) => {
      if (message.kind === 'problem') onProblem(message.text);
      else this.#answered(message.request);
    });
  }

  /** Resolves when all of them are served, or have told why they can't. One with the same number is replaced. */
  attach(places: readonly Place[]): Promise<void> {
    const told = places.map(({ number, name, namespace, addresses }) => ({
      number,
      name,
      namespace,
      addresses,
    }));
    return this.#command({ kind: 'attach', places: told, request: ++this.#requests });
  }

  detach(number: number): Promise<void> {
    return this.#command({ kind: 'detach', number, request: ++this.#requests });
  }

  /** All endpoints whose addresses are known. */
  setKnown(known: readonly Known[]): void {
    this.#tell({ kind: 'known', endpoints: known.map(({ number, addresses }) => ({ number, addresses })) });
  }

  /** The topology that is in force. */
  setGraph(graph: Graph): void {
    const edges = endpointEdges(graph);
    if (Buffer.compare(bytesOf(edges), bytesOf(this.#edges)) === 0) return;
    this.#edges = edges;
    this.#tell({ kind: 'edges', endpoints: graph.endpoints.length, edges });
  }

  /** Closes its sockets, and ends the thread. */
  async stop(): Promise<void> {
    this.#tell({ kind: 'stop' });
    await this.#exited;
  }

  #command(message: Extract<ToNames, { request: number }>): Promise<void> {
    if (this.#ended) return Promise.resolve();
    return new Promise((resolve) => {
      this.#pending.set(message.request, resolve);
      this.#tell(message);
    });
  }

  #tell(message: ToNames): void {
    if (this.#ended) return;
    this.#worker.postMessage(message);
  }

  #answered(request: number): void {
    this.#pending.get(request)?.();
    this.#pending.delete(request);
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Int32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
