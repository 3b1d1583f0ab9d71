/** A delay backend that only remembers. Prints its paths in sorted lines. */
import type { LocalEndpoint } from '../../agent/endpoints/model.ts';
import type { DelayBackend, DelayCounters, ImpairedPath } from '../../agent/enforce/ports.ts';

export class FakeDelay implements DelayBackend {
  readonly name: DelayBackend['name'];
  readonly side: DelayBackend['side'];
  readonly failure = undefined;
  readonly #paths = new Map<string, Map<string, string>>();

  constructor(name: DelayBackend['name'] = 'delay-line') {
    this.name = name;
    this.side = name === 'netem' ? 'source' : 'destination';
  }

  async attach(endpoint: LocalEndpoint): Promise<void> {
    this.#paths.set(endpoint.name, new Map());
  }

  async set(endpoint: LocalEndpoint, paths: readonly ImpairedPath[]): Promise<void> {
    if (!this.#paths.has(endpoint.name)) throw new Error(`${endpoint.name} is not attached`);
    const own = new Map<string, string>();
    for (const { source, destination, latencyMicros, jitterMicros, distribution, loss } of paths) {
      const jitter = `${jitterMicros}us${distribution ? ` ${distribution}` : ''}`;
      own.set(`${source} > ${destination}`, `delay ${latencyMicros}us ${jitter} loss ${loss * 100}%`);
    }
    this.#paths.set(endpoint.name, own);
  }

  counters(): DelayCounters {
    return { packets: 0, lost: 0, held: 0, latestMs: 0 };
  }

  async stop(): Promise<void> {
    this.#paths.clear();
  }

  toString(): string {
    const lines = [...this.#paths].flatMap(([endpoint, paths]) => [
      endpoint,
      ...[...paths].map(([pair, what]) => `${endpoint}: ${pair} ${what}`),
    ]);
    return lines.sort().join('\n');
  }
}
