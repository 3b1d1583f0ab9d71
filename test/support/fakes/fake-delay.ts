/** A delay backend that only records. Prints its paths in sorted lines. */
import { UNIMPAIRED } from '../../../agent/enforce/path-class.ts';
import type {
  DelayBackend,
  DelayCounters,
  DelayDemand,
  DemandedPath,
  ImpairedPath,
} from '../../../agent/enforce/ports.ts';
import { tooManyPairs } from '../../../agent/enforce/too-many-pairs.ts';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';
import type { PacketImpairment } from '../../../proto/impairment.ts';

export class FakeDelay implements DelayBackend {
  readonly name: DelayBackend['name'];
  readonly pairs: DelayBackend['pairs'];
  readonly inQueue: DelayBackend['inQueue'];
  /** A test may set it. */
  failure: string | undefined = undefined;
  readonly #paths = new Map<string, Map<string, string>>();
  readonly #attached = new Map<number, LocalEndpoint>();
  /** Pairs (as in `#paths`) between which there is no path any more. */
  readonly #lost = new Set<string>();

  constructor(name: DelayBackend['name'] = 'delay-line') {
    this.name = name;
    const isNetem = name === 'netem';
    this.pairs = isNetem
      ? { fromTheStart: 32_768, atMost: 32_768 }
      : { fromTheStart: 4096, atMost: Number.POSITIVE_INFINITY };
    this.inQueue = isNetem ? (path) => path : () => UNIMPAIRED;
  }

  async attach(endpoint: LocalEndpoint): Promise<void> {
    this.#paths.set(endpoint.name, new Map());
    this.#attached.set(endpoint.number, endpoint);
  }

  async detach({ name, number }: LocalEndpoint): Promise<void> {
    this.#paths.delete(name);
    this.#attached.delete(number);
    this.#lost.clear();
  }

  async set(endpoint: LocalEndpoint, paths: Iterable<ImpairedPath>): Promise<void> {
    if (!this.#paths.has(endpoint.name)) throw new Error(`${endpoint.name} is not attached`);
    if (this.#isInQueues) return;
    const own = new Map<string, string>();
    for (const path of paths)
      own.set(`${path.source}${laneText(path)} > ${path.destination}`, formatImpairments(path));
    this.#paths.set(endpoint.name, own);
    this.#lost.clear();
  }

  counters(): DelayCounters {
    return { packets: 0, lost: 0, held: 0, latestMs: 0 };
  }

  async stop(): Promise<void> {
    this.#paths.clear();
    this.#attached.clear();
  }

  /** If paths come on demand. */
  demand: DelayDemand | undefined;
  /** The calls of `change` since this was last emptied. */
  readonly changes: string[] = [];

  async onDemand(demand: DelayDemand): Promise<void> {
    if (this.#isInQueues) throw tooManyPairs(demand.endpoints.length, this);
    this.demand = demand;
  }

  /** The error with which `change` fails. */
  refusal: Error | undefined;

  get #isInQueues(): boolean {
    return this.name === 'netem';
  }

  async change(paths: Iterable<DemandedPath>): Promise<void> {
    if (this.refusal) throw this.refusal;
    for (const one of this.#isInQueues ? [] : paths) {
      this.changes.push(formatDemanded(one));
      const { destination, addresses, path } = one;
      const endpoint = this.#attached.get(destination);
      if (!endpoint) continue;
      const own = this.#paths.get(endpoint.name)!;
      const key = `${addresses}${laneText(one)} > ${endpoint.addresses}`;
      if (path) own.set(key, formatImpairments(path));
      else own.delete(key);
      if (path) this.#lost.delete(key);
      else this.#lost.add(key);
    }
  }

  /** The answer to an arriving packet. */
  ask(destination: number, source: number): string {
    return formatDemanded(this.demand!.ask(destination, source));
  }

  /** How long a packet is held, in milliseconds; `undefined`: it is lost. */
  async send(source: LocalEndpoint, destination: LocalEndpoint): Promise<number | undefined> {
    if (this.#isInQueues || !this.#attached.has(destination.number)) return 0;
    const key = `${source.addresses} > ${destination.addresses}`;
    const own = this.#paths.get(destination.name)!;
    if (this.demand && !own.has(key) && !this.#lost.has(key))
      await this.change([this.demand.ask(destination.number, source.number)]);
    const [, micros, loss] = /delay (\d+)us .* loss (\d+)%/.exec(own.get(key) ?? '') ?? [];
    return this.#lost.has(key) || loss === '100' ? undefined : Number(micros ?? 0) / 1000;
  }

  toString(): string {
    const lines = [...this.#paths].flatMap(([endpoint, paths]) => [
      endpoint,
      ...[...paths].map(([pair, what]) => `${endpoint}: ${pair} ${what}`),
    ]);
    return lines.sort().join('\n');
  }
}

function formatImpairments({ latency, jitter, distribution, loss }: PacketImpairment): string {
  const shape = distribution ? ` ${distribution}` : '';
  return `delay ${latency}us ${jitter}us${shape} loss ${loss * 100}%`;
}

const laneText = ({ lane }: { readonly lane?: number }): string => (lane === undefined ? '' : `#${lane}`);

function formatDemanded({ source, destination, addresses, path }: DemandedPath): string {
  return `${source} > ${destination} (${addresses}): ${path ? formatImpairments(path) : 'no path'}`;
}
