/** Which faults happen, drawn from a seed. Pure. */
import { SeededRandom } from '../../topology/model/random.ts';
import { COMMANDS } from './topology.ts';

/** From one host to another: faults may affect one direction only. */
export interface Direction {
  readonly from: number;
  readonly to: number;
}

/** Milliseconds since the start of the fault. */
interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What an agent lacks: descriptors beyond those that it has, files that may grow (RLIMIT_FSIZE), memory (a control group). */
export const SHORTAGES = ['descriptors', 'files', 'memory'] as const;
export type Shortage = (typeof SHORTAGES)[number];

/** Which threads of an agent stand still: the one that runs the tick, or all others, the delay line's among them. */
export type Threads = 'main' | 'others';

/** What somebody takes away in an endpoint: all rules of nftables, the qdisc of the programs, the root of the classes. */
export const TAKEN = ['rules', 'programs', 'root'] as const;
export type Taken = (typeof TAKEN)[number];

/**
 * `kill`: SIGKILL, and a new agent at the end. `leave`: the same with SIGTERM, upon which the agent says good-bye.
 * `bad`: 100 ms and 20 % loss. `date`: the host's date is set, and corrected at the end. `controller`: nothing
 * bootstraps agents. `take`: once, or again and again until the end. `disk`: the file system of all that agents write is full.
 */
export type Part = Window &
  (
    | { readonly what: 'kill' | 'leave' | 'pause'; readonly host: number }
    | { readonly what: 'hang'; readonly host: number; readonly threads: Threads }
    | { readonly what: 'short'; readonly host: number; readonly of: Shortage }
    | { readonly what: 'cut' | 'bad'; readonly directions: readonly Direction[] }
    | { readonly what: 'date'; readonly host: number; readonly byMs: number }
    | {
        readonly what: 'take';
        readonly object: Taken;
        readonly endpoints: readonly number[];
        readonly everyMs?: number;
      }
    | { readonly what: 'controller' | 'disk' }
  );

export const KINDS = [
  'kill',
  'pause',
  'cut',
  'one-way',
  'bad',
  'date',
  'controller',
  'several',
  'crowd',
  'hang',
  'descriptors',
  'files',
  'memory',
  'disk',
  'taken',
  'taken-again',
  'mixed',
] as const;
export type Kind = (typeof KINDS)[number];

export interface Fault {
  readonly kind: Kind;
  /** They may overlap. The fault ends with the last one. */
  readonly parts: readonly Part[];
  /** Given to an agent during the fault. */
  readonly command?: { readonly host: number; readonly atMs: number; readonly text: string };
}

/** Several times as long as it takes to be noticed, and shorter than a blink. */
const LEAST_MS = 100;
const MOST_MS = 8000;
/** From here on, the others may drop a silent host, or soon will. */
const LONG_MS = 2500;
const LONG_ONES = 1 / 3;
/** From here on, TCP retries so rarely that agents that wait for it are late. */
const LASTING_MS = 12_000;
const MOST_LASTING_MS = 20_000;
const LASTING_ONES = 1 / 6;
/**
 * Steps of a date as made by a clock without a battery or by wrong daylight saving time: from what NTP corrects to a
 * day.
 */
const LEAST_STEP_MS = 100;
const MOST_STEP_MS = 86_400_000;
/** Pauses of somebody who takes things away again and again: from a busy loop in a shell to what is put back in between. */
const LEAST_EVERY_MS = 20;
const MOST_EVERY_MS = 400;
/** Longer than it takes to fill the disk, and shorter than the shortest fault. */
const FILLED_MS = 50;
/** A new agent reads the date within this. */
const STARTED_MS = 2500;

/** What faults can happen to. */
export interface Sizes {
  readonly hosts: number;
  readonly endpoints: number;
}

/** `count` faults; all kinds are equally frequent. */
export function planFaults(
  count: number,
  seed: number,
  sizes: Sizes,
  kinds: readonly Kind[] = KINDS,
): Fault[] {
  const draw = new Draw(seed, sizes);
  return Array.from({ length: count }, (_, index) => draw.fault(kinds[index % kinds.length]!));
}

class Draw {
  readonly #random: SeededRandom;
  readonly #hosts: readonly number[];
  readonly #endpoints: readonly number[];

  constructor(seed: number, { hosts, endpoints }: Sizes) {
    this.#random = new SeededRandom(seed);
    this.#hosts = Array.from({ length: hosts }, (_, index) => index);
    this.#endpoints = Array.from({ length: endpoints }, (_, index) => index);
  }

  fault(kind: Kind): Fault {
    const parts = this.#parts(kind);
    // Without a command, nothing has to be written.
    if (kind !== 'disk' && this.#chance(0.4)) return { kind, parts };
    const text = COMMANDS[this.#random.below(COMMANDS.length)]!;
    const fromMs = kind === 'disk' ? parts[0]!.fromMs + FILLED_MS : 0;
    const atMs = fromMs + this.#random.below(Math.max(...parts.map(({ toMs }) => toMs)) - fromMs);
    const command = { host: this.#random.below(this.#hosts.length), atMs, text };
    return { kind, parts, command };
  }

  #parts(kind: Kind): Part[] {
    switch (kind) {
      case 'kill':
        return this.#some(this.#hosts).map((host) => ({ what: 'kill', host, ...this.#window() }));
      case 'pause':
        return this.#some(this.#hosts).map((host) => ({ what: 'pause', host, ...this.#window() }));
      case 'cut':
        return [{ ...this.#cut(), ...(this.#chance(LASTING_ONES) && this.#lasting()) }];
      case 'one-way':
        return [{ what: 'cut', directions: this.#some(this.#directions()), ...this.#window() }];
      case 'bad':
        return [this.#bad()];
      case 'date':
        return this.#dates();
      case 'controller':
        return this.#withoutController();
      case 'several':
        return [this.#cut(), ...this.#random.sample([this.#one('kill'), this.#one('pause'), this.#bad()], 2)];
      case 'crowd':
        return this.#crowd();
      case 'hang':
        return [this.#hang()];
      case 'descriptors':
      case 'files':
      case 'memory':
        return this.#some(this.#hosts).map((host) => ({ what: 'short', host, of: kind, ...this.#window() }));
      case 'disk':
        return [{ what: 'disk', ...this.#window() }];
      case 'taken':
        return [this.#take(false)];
      case 'taken-again':
        return [this.#take(true)];
      case 'mixed':
        return this.#random.sample(
          [this.#hang(), this.#short(), this.#take(this.#chance(0.5)), this.#cut()],
          2,
        );
    }
  }

  /** All end at once, and all new ones come at once. */
  #crowd(): Part[] {
    const what = this.#chance(0.5) ? 'kill' : 'leave';
    const window = this.#window();
    return this.#hosts.map((host) => ({ what, host, ...window }));
  }

  #hang(): Part {
    const threads = this.#chance(0.5) ? 'main' : 'others';
    return { what: 'hang', host: this.#random.below(this.#hosts.length), threads, ...this.#window() };
  }

  #short(): Part {
    const of = SHORTAGES[this.#random.below(SHORTAGES.length)]!;
    return { what: 'short', host: this.#random.below(this.#hosts.length), of, ...this.#window() };
  }

  #take(again: boolean): Part {
    const object = TAKEN[this.#random.below(TAKEN.length)]!;
    const endpoints = this.#some(this.#endpoints);
    const everyMs = LEAST_EVERY_MS + this.#random.below(MOST_EVERY_MS - LEAST_EVERY_MS);
    return { what: 'take', object, endpoints, ...(again && { everyMs }), ...this.#window() };
  }

  /** Starting agents need the controller, so killed agents restart when it is back. */
  #withoutController(): Part[] {
    const others: Part[] = [this.#cut(), this.#one('pause'), this.#one('kill')];
    const [other] = this.#random.sample(others, 1) as [Part];
    return [{ what: 'controller', fromMs: 0, toMs: Math.max(1, other.toMs - 1) }, other];
  }

  /** On any hosts; or on one host whose agent is killed, so that the new one starts with a wrong date. */
  #dates(): Part[] {
    const date = (host: number, window: Window): Part => ({
      what: 'date',
      host,
      byMs: this.#step(),
      ...window,
    });
    if (this.#chance(0.5)) return this.#some(this.#hosts).map((host) => date(host, this.#window()));
    const kill = this.#one('kill');
    return [kill, date(kill.host, { fromMs: kill.fromMs, toMs: kill.toMs + STARTED_MS })];
  }

  /** Forwards or back; all orders of magnitude are equally frequent. */
  #step(): number {
    const size = LEAST_STEP_MS * (MOST_STEP_MS / LEAST_STEP_MS) ** (this.#random.below(1001) / 1000);
    return Math.round(this.#chance(0.5) ? size : -size);
  }

  #one(what: 'kill' | 'pause'): Part & { readonly host: number } {
    return { what, host: this.#random.below(this.#hosts.length), ...this.#window() };
  }

  /** Links in both directions. */
  #cut(): Part {
    const pairs = this.#directions().filter(({ from, to }) => from < to);
    const back = ({ from, to }: Direction): Direction => ({ from: to, to: from });
    const directions = this.#some(pairs).flatMap((pair) => [pair, back(pair)]);
    return { what: 'cut', directions, ...this.#window() };
  }

  #bad(): Part {
    return { what: 'bad', directions: this.#some(this.#directions()), ...this.#window() };
  }

  #directions(): Direction[] {
    return this.#hosts.flatMap((from) => this.#hosts.filter((to) => to !== from).map((to) => ({ from, to })));
  }

  /** At least one, rarely all. */
  #some<T>(items: readonly T[]): T[] {
    return this.#random.sample(items, 1 + this.#random.below(items.length));
  }

  /** Many long ones; of the others, half between 0.1 and 0.5 s and half between 0.5 and 2.5 s. */
  #window(): Window {
    const fromMs = this.#random.below(300);
    const part = this.#random.below(1001) / 1000;
    const isLong = this.#chance(LONG_ONES);
    const length = isLong ? LONG_MS + (MOST_MS - LONG_MS) * part : LEAST_MS * (LONG_MS / LEAST_MS) ** part;
    return { fromMs, toMs: Math.round(fromMs + length) };
  }

  #lasting(): Window {
    const fromMs = this.#random.below(300);
    return { fromMs, toMs: fromMs + LASTING_MS + this.#random.below(MOST_LASTING_MS - LASTING_MS) };
  }

  #chance(ratio: number): boolean {
    return this.#random.below(1000) < ratio * 1000;
  }
}

/** A description for logs: `cut 0>1 1>0 for 1.2 s`. */
export function describeFault({ kind, parts, command }: Fault): string {
  const described = parts.map((part) => {
    return `${part.what}${detailsOf(part)} ${part.fromMs}–${part.toMs} ms`;
  });
  const commanded = command ? [`"${command.text}" to ${command.host} at ${command.atMs} ms`] : [];
  return `${kind}: ${[...described, ...commanded].join(', ')}`;
}

function detailsOf(part: Part): string {
  switch (part.what) {
    case 'cut':
    case 'bad':
      return part.directions.map(({ from, to }) => ` ${from}>${to}`).join('');
    case 'take': {
      const again = part.everyMs === undefined ? '' : ` every ${part.everyMs} ms`;
      return ` ${part.object} of endpoints ${part.endpoints.join(' ')}${again}`;
    }
    case 'hang':
      return ` ${part.host} ${part.threads}`;
    case 'short':
      return ` ${part.host} of ${part.of}`;
    case 'date':
      return ` ${part.host} by ${part.byMs} ms`;
    case 'controller':
    case 'disk':
      return '';
    default:
      return ` ${part.host}`;
  }
}
