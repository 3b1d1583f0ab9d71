/**
 * Traffic that netfold itself sends, from and to the endpoints of this host. All of it is in one thread, which shares its counters with
 * the main one. What does not work is told, and ends nothing.
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { sumOfTraffic, type TrafficStatus, trafficKey } from '../../proto/status.ts';
import type { Traffic, TrafficSource } from '../../topology/model/traffic.ts';
import { close } from '../kernel/sys/descriptors.ts';
import { createEvent, raiseEvent } from '../kernel/sys/events.ts';
import { Counters } from './counters.ts';
import type { FromTraffic, Known, Place, RealSource, ToTraffic, TrafficStart, Windows } from './messages.ts';
import { monotonicMs } from './monotonic.ts';
import type { TimedTraffic } from './packet-times.ts';

/** Datagrams are not garbage; by default a thread lets much more of it gather. */
const YOUNG_MB = 4;

/** The sources that send packets, of all that there are. */
export function realSources(sources: readonly TrafficSource[]): RealSource[] {
  // One for all sources of an entry, so that a long trace is copied to the thread once.
  const known = new Map<Traffic, TimedTraffic>();
  return sources.flatMap(({ index, entry, from, to, traffic }) => {
    if (traffic.simulated) return [];
    const timed = known.get(traffic) ?? timedOf(traffic);
    known.set(traffic, timed);
    return [{ index, entry, from, to, traffic: timed }];
  });
}

function timedOf(traffic: Traffic): TimedTraffic {
  const { kind, protocol, size, on, off, shape, interval, trace, flows, seed, rate = 0 } = traffic;
  const optional = {
    ...(interval !== undefined && { interval }),
    ...(trace !== undefined && { trace }),
    ...(flows !== undefined && { flows }),
  };
  return { kind, protocol, size, on, off, shape, seed, rate, ...optional };
}

export class Generators {
  readonly #worker: Worker;
  readonly #sources: readonly RealSource[];
  readonly #counters: Counters;
  readonly #exited: Promise<void>;
  readonly #local = new Set<number>();
  readonly #wakeFd: number;
  #hasEnded = false;

  constructor(sources: readonly RealSource[], onProblem: (problem: string) => void) {
    this.#sources = sources;
    this.#counters = new Counters(sources.length);
    this.#wakeFd = createEvent();
    const start: TrafficStart = { sources, counters: this.#counters.memory, wakeFd: this.#wakeFd };
    this.#worker = new Worker(new URL(`./worker${extname(import.meta.filename)}`, import.meta.url), {
      workerData: start,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    this.#worker.on('error', ({ message }: Error) =>
      onProblem(`netfold's own traffic has ended: ${message}`),
    );
    this.#worker.on('message', ({ text }: FromTraffic) => onProblem(text));
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#hasEnded = true;
        resolve();
      });
    });
  }

  /** Sends and receives in these endpoints. One with the same number is replaced. */
  attach(places: readonly Place[]): void {
    for (const { number } of places) this.#local.add(number);
    const told = places.map(({ number, name, namespace, addresses }) => ({
      number,
      name,
      namespace,
      addresses,
    }));
    this.#tell({ kind: 'attach', places: told });
  }

  detach(number: number): void {
    this.#local.delete(number);
    this.#tell({ kind: 'detach', number });
  }

  /** All endpoints whose addresses are known. */
  setKnown(known: readonly Known[]): void {
    this.#tell({ kind: 'known', endpoints: known.map(({ number, addresses }) => ({ number, addresses })) });
  }

  setWindows(windows: Windows): void {
    this.#tell({ kind: 'windows', windows });
  }

  /** `micros`: of the experiment, now. Sources begin to send with the first one. */
  setTime(micros: number): void {
    this.#tell({ kind: 'time', monotonicMs: monotonicMs(), micros });
  }

  /** A row for each entry of the file and pair of endpoints of which one is here: what this host has sent, and received. */
  status(sources: readonly TrafficSource[], names: readonly string[]): TrafficStatus[] {
    const rows = new Map<string, TrafficStatus>();
    for (const [row, { index, from, to }] of this.#sources.entries()) {
      if (!this.#local.has(from) && !this.#local.has(to)) continue;
      const { name, kind, protocol } = sources[index]!.traffic;
      const one = { name, kind, protocol, from: names[from]!, to: names[to]!, ...this.#row(row) };
      const key = trafficKey(one);
      const others = rows.get(key);
      rows.set(key, others ? sumOfTraffic(others, one) : one);
    }
    return [...rows.values()];
  }

  #row(row: number) {
    const get = (field: Parameters<Counters['get']>[1]): number => this.#counters.get(row, field);
    return {
      sources: 1,
      sent: get('sent'),
      sentBytes: get('sentBytes'),
      refused: get('refused'),
      late: get('late'),
      received: get('received'),
      receivedBytes: get('receivedBytes'),
      delaySumMs: get('delaySumMs'),
      mostDelayMs: get('delayMostMs'),
    };
  }

  /** Closes its sockets, and ends the thread. */
  async stop(): Promise<void> {
    this.#tell({ kind: 'stop' });
    await this.#exited;
    close(this.#wakeFd);
  }

  #tell(message: ToTraffic): void {
    if (this.#hasEnded) return;
    this.#worker.postMessage(message);
    raiseEvent(this.#wakeFd);
  }
}
