/** A running experiment, as a program uses it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { applyMessage, emptyState, type LiveState } from '../proto/api/v1/live-state.ts';
import type { AnswerOf, BodyFor, QueryFor } from '../proto/api/v1/routes.ts';
import type { StreamMessage } from '../proto/api/v1/stream.ts';
import { NetfoldError } from '../proto/errors.ts';
import { parseDuration, toMillis } from '../proto/units.ts';
import type { ApiClient } from './client.ts';
import { pingCommand, type RoundTrips, roundTripsOf } from './round-trips.ts';

/** How often something is asked for again. */
const POLL_MS = 100;

export interface LabFacts {
  readonly warnings?: readonly string[];
  /** Whether it ends with `await using`. */
  readonly isOwn?: boolean;
  readonly onStopped?: () => Promise<void>;
}

export interface CommandOptions extends Omit<BodyFor<'giveCommand'>, 'text'> {
  /** Until when all hosts have to confirm it; default 10s after its instant. '0s': it is not waited for. */
  readonly patience?: string;
}

export type ExecOptions = Omit<BodyFor<'exec'>, 'command'> & {
  /** An exit code other than 0 is an error; default true. */
  readonly check?: boolean;
};

export interface FollowOptions {
  readonly signal?: AbortSignal;
}

export class Lab implements AsyncDisposable {
  readonly name: string;
  readonly client: ApiClient;
  /** Of the topology, one line each. */
  readonly warnings: readonly string[];
  readonly #facts: LabFacts;
  readonly #params: { readonly experiment: string };
  #isStopped = false;

  constructor(client: ApiClient, name: string, facts: LabFacts = {}) {
    this.client = client;
    this.name = name;
    this.warnings = facts.warnings ?? [];
    this.#facts = facts;
    this.#params = { experiment: name };
  }

  status(): Promise<AnswerOf<'getExperiment'>> {
    return this.client.call('getExperiment', { params: this.#params });
  }

  /** Whether the run is what its topology says, so far. */
  verdict(): Promise<AnswerOf<'getVerdict'>> {
    return this.client.call('getVerdict', { params: this.#params });
  }

  topology(): Promise<AnswerOf<'getTopology'>> {
    return this.client.call('getTopology', { params: this.#params });
  }

  /** Those in force now; with `at`, those of the file at that time. */
  paths(query: QueryFor<'getPaths'> = {}): Promise<AnswerOf<'getPaths'>> {
    return this.client.call('getPaths', { params: this.#params, query });
  }

  flows(): Promise<AnswerOf<'getFlows'>> {
    return this.client.call('getFlows', { params: this.#params });
  }

  endpoints(): Promise<AnswerOf<'getEndpoints'>> {
    return this.client.call('getEndpoints', { params: this.#params });
  }

  events(): Promise<AnswerOf<'getEvents'>> {
    return this.client.call('getEvents', { params: this.#params });
  }

  /** Why the path has its latency, its bandwidth and its share. */
  explain(from: string, to: string): Promise<AnswerOf<'getExplanation'>> {
    return this.client.call('getExplanation', { params: this.#params, query: { from, to } });
  }

  /** The topology of now: `mermaid`, `dot` (of Graphviz) or `svg`. */
  async picture(format: AnswerOf<'getPicture'>['format'] = 'mermaid'): Promise<string> {
    return (await this.client.call('getPicture', { params: this.#params, query: { format } })).text;
  }

  /** What netfold's own traffic has sent, and what has arrived. */
  traffic(): Promise<AnswerOf<'getTraffic'>> {
    return this.client.call('getTraffic', { params: this.#params });
  }

  /** What is kept of the run so far. */
  record(): Promise<AnswerOf<'getRecord'>> {
    return this.client.call('getRecord', { params: this.#params });
  }

  commands(): Promise<AnswerOf<'listCommands'>> {
    return this.client.call('listCommands', { params: this.#params });
  }

  /**
   * Gives a command (`set a--b latency=50ms`), and resolves when every host has applied it. Throws what is refused;
   * `COMMAND_FAILED` if it changed nothing; `COMMAND_UNCONFIRMED` if a host does not confirm it in time.
   */
  async command(
    text: string,
    { patience = '10s', ...options }: CommandOptions = {},
  ): Promise<AnswerOf<'getCommand'>> {
    const given = await this.client.call('giveCommand', { params: this.#params, body: { ...options, text } });
    const until = performance.now() + (given.atMs - (given.nowMs ?? 0)) + toMillis(parseDuration(patience));
    for (;;) {
      const state = await this.client.call('getCommand', { params: { ...this.#params, id: given.id } });
      if (state.state === 'failed')
        throw refused('COMMAND_FAILED', `${text}: it changed nothing: ${state.problem}`);
      if (state.everywhere || patience === '0s') return state;
      if (performance.now() > until) {
        const missing = [
          ...state.behind,
          ...state.hosts.filter((one) => one.state !== 'done').map(({ host }) => host),
        ];
        throw refused('COMMAND_UNCONFIRMED', `${text}: not confirmed by ${[...new Set(missing)].join(', ')}`);
      }
      await sleep(POLL_MS);
    }
  }

  /** Runs a command inside of an endpoint to its end; a text is read by `sh`. Throws `EXIT_CODE` unless `check: false`. */
  async exec(
    node: string,
    command: string | readonly string[],
    options: ExecOptions = {},
  ): Promise<AnswerOf<'exec'>> {
    const { check = true, ...rest } = options;
    const words = wordsOf(command);
    const ended = await this.client.call('exec', {
      params: { ...this.#params, endpoint: node },
      body: { ...rest, command: words },
    });
    return check ? requireSuccess(ended, `${words.join(' ')} in ${node}`) : ended;
  }

  /** What an endpoint's commands have written. */
  async logs(node: string, { tail }: { readonly tail?: number } = {}): Promise<string> {
    const query = tail === undefined ? {} : { tail };
    const params = { ...this.#params, endpoint: node };
    let { text, next } = await this.client.call('getLogs', { params, query });
    for (let piece = text; piece !== '' && next !== null; ) {
      ({ text: piece, next } = await this.client.call('getLogs', { params, query: { from: next } }));
      text += piece;
    }
    return text;
  }

  /** The same while it grows, until the experiment ends or the signal comes. */
  async *followLogs(node: string, { signal }: FollowOptions = {}): AsyncGenerator<string, void, void> {
    const params = { ...this.#params, endpoint: node };
    let from: number | undefined;
    while (!signal?.aborted) {
      try {
        const query = from === undefined ? { tail: 0 } : { from };
        const { text, next } = await this.client.call('getLogs', { params, query });
        if (next === null) return;
        from = next;
        if (text !== '') yield text;
        else await sleep(POLL_MS);
      } catch (error) {
        if (isGone(error)) return;
        throw error;
      }
    }
  }

  /** Messages of the stream: a snapshot, then what changed. */
  follow({ signal }: FollowOptions = {}): AsyncGenerator<StreamMessage, void, void> {
    return this.client.stream(this.name, signal);
  }

  /** The state after each message; the same object every time. */
  async *live(options: FollowOptions = {}): AsyncGenerator<LiveState, void, void> {
    const state = emptyState();
    for await (const message of this.follow(options)) {
      applyMessage(state, message);
      yield state;
    }
  }

  /** Resolves as soon as the state is as asked for. Throws `WAIT_TIMEOUT`, and if the experiment ends before. */
  async wait(
    isSo: (state: LiveState) => boolean,
    { timeout = '30s' }: { readonly timeout?: string } = {},
  ): Promise<LiveState> {
    const over = AbortSignal.timeout(toMillis(parseDuration(timeout)));
    for await (const state of this.live({ signal: over })) if (isSo(state)) return state;
    throw refused('WAIT_TIMEOUT', over.aborted ? `not within ${timeout}: ${isSo}` : `${this.name} has ended`);
  }

  /** Round trips between two endpoints, by `ping` inside of the first. */
  async measure(
    from: string,
    to: string,
    { count = 10 }: { readonly count?: number } = {},
  ): Promise<RoundTrips> {
    const found = (await this.endpoints()).find(({ name, service }) => name === to || service === to);
    const address = found?.addresses[0];
    if (address === undefined) throw refused('NODE_UNKNOWN', `there is no endpoint "${to}" in ${this.name}`);
    const { stdout, stderr, code } = await this.exec(from, pingCommand(address, count), { check: false });
    const measured = roundTripsOf(stdout);
    if (measured) return measured;
    throw refused(
      'EXIT_CODE',
      `ping in ${from} ended with ${code}: ${(stderr || stdout).trim().slice(-500)}`,
    );
  }

  /** Ends the experiment, and removes everything of it. */
  async stop(): Promise<AnswerOf<'removeExperiment'>> {
    try {
      return await this.client.call('removeExperiment', { params: this.#params });
    } finally {
      if (!this.#isStopped) await this.#facts.onStopped?.();
      this.#isStopped = true;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#facts.isOwn || this.#isStopped) return;
    try {
      await this.stop();
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
}

/** A text is read by `sh`. */
export const wordsOf = (command: string | readonly string[]): string[] =>
  typeof command === 'string' ? ['sh', '-c', command] : [...command];

/** Throws `EXIT_CODE`. */
export function requireSuccess(ended: AnswerOf<'exec'>, what: string): AnswerOf<'exec'> {
  if (ended.code === 0) return ended;
  const said = ended.stderr.trim().slice(-500) || ended.stdout.trim().slice(-500);
  const how = ended.timedOut ? 'took too long' : `ended with ${ended.code}`;
  throw refused('EXIT_CODE', `${what} ${how}: ${said}`);
}

const isGone = (error: unknown): boolean =>
  error instanceof NetfoldError && error.code === 'EXPERIMENT_UNKNOWN';

const refused = (code: string, message: string): NetfoldError =>
  new NetfoldError({ code, blame: 'input', message });
