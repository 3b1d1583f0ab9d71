/** One experiment as the page knows it: the stream's parts, what is asked for beside it, and what was seen lately. */
import { commandId } from '../../../proto/api/v1/command-id.ts';
import { applyMessage, emptyState } from '../../../proto/api/v1/live-state.ts';
import type { AnswerOf } from '../../../proto/api/v1/routes.ts';
import type { StreamMessage } from '../../../proto/api/v1/stream.ts';
import type { Command } from '../../../proto/command.ts';
import { micros, toMillis } from '../../../proto/units.ts';
import { experimentPath, get, openSocket, post, Refusal } from './api.ts';
import { afterRefusal, type Connection } from './connection.ts';
import { agreementsOf, type Load, loadsOf, Network, type PathAgreement, type Verdict } from './network.ts';
import { Trail } from './trail.ts';

/** Between looks at what the stream does not have: the verdict's causes and the measured round trips. */
const VERDICT_MS = 2000;
const RECONNECT_MS = 1500;
/** Time goes on where nothing else happens. */
const IDLE_MS = 1000;
/** Until a command is in force everywhere it is asked for so often, and so long. */
const COMMAND_MS = 150;
const COMMAND_PATIENCE_MS = 20_000;
const MOST_COMMANDS = 200;

/** A command that this page has given. */
export interface Given {
  readonly text: string;
  /** As its id counts. */
  readonly atMs: number;
  state: AnswerOf<'getCommand'> | undefined;
  /** From the click until every host had it in force; undefined: not yet. */
  tookMs: number | undefined;
  problem: string | undefined;
}

/** How late a host was with a command. */
export type Lateness = ReadonlyMap<string, number>;

export class Live {
  readonly name: string;
  readonly state = emptyState();
  readonly network = new Network();
  readonly trail = new Trail();
  topology: AnswerOf<'getTopology'> | undefined;
  events: AnswerOf<'getEvents'> | undefined;
  verdict: Verdict | undefined;
  connection: Connection = 'connecting';
  problem: Refusal | undefined;
  readonly given = new Map<string, Given>();
  loads: ReadonlyMap<string, Load> = new Map();
  agreements: ReadonlyMap<string, PathAgreement> = new Map();
  readonly #late = new Map<string, Map<string, number>>();
  readonly #tell: () => void;
  #socket: WebSocket | undefined;
  #timers: number[] = [];
  #heardAt = 0;
  #isOver = false;
  #isAsking = false;

  /** `tell`: something has changed. */
  constructor(name: string, tell: () => void) {
    this.name = name;
    this.#tell = tell;
  }

  start(): void {
    this.#connect();
    void this.#readTopology();
    void this.#readEvents();
    this.#timers.push(
      window.setInterval(() => this.#readVerdict(), VERDICT_MS),
      window.setInterval(this.#tell, IDLE_MS),
    );
    this.#readVerdict();
  }

  stop(): void {
    this.#isOver = true;
    this.#socket?.close();
    for (const timer of this.#timers) window.clearInterval(timer);
  }

  /** Milliseconds since the start, by this page's clock since the last message. */
  get nowMs(): number | null {
    const { nowMs } = this.state;
    const isRunning = this.connection === 'live' && nowMs !== null;
    return isRunning ? nowMs + (performance.now() - this.#heardAt) : nowMs;
  }

  get summary() {
    return this.state.experiment.get(this.name);
  }

  lateness(id: string): Lateness {
    return this.#late.get(id) ?? new Map();
  }

  /** Resolves when it was accepted; then it is followed until it is in force. Throws `Refusal`. */
  async give(text: string, options: { readonly for?: string; readonly at?: string } = {}): Promise<void> {
    const sentAt = performance.now();
    const { id, atMs } = await post('giveCommand', experimentPath(this.name, '/commands'), {
      text,
      ...options,
    });
    const given: Given = { text, atMs, state: undefined, tookMs: undefined, problem: undefined };
    this.given.set(id, given);
    if (this.given.size > MOST_COMMANDS) this.given.delete(this.given.keys().next().value!);
    this.#tell();
    void this.#followCommand(id, given, sentAt);
  }

  async #followCommand(id: string, given: Given, sentAt: number): Promise<void> {
    const path = experimentPath(this.name, `/commands/${encodeURIComponent(id)}`);
    // One that is due later is waited for until then.
    const until = sentAt + Math.max(0, given.atMs - (this.nowMs ?? 0)) + COMMAND_PATIENCE_MS;
    while (!this.#isOver && performance.now() < until) {
      try {
        given.state = await get('getCommand', path);
        if (given.state.everywhere) given.tookMs = performance.now() - sentAt;
      } catch (error) {
        given.problem = (error as Error).message;
      }
      this.#tell();
      if (given.tookMs !== undefined) return;
      await new Promise((resolve) => setTimeout(resolve, COMMAND_MS));
    }
    given.problem ??= 'not every host has confirmed it';
    this.#tell();
  }

  #connect(): void {
    const socket = openSocket(experimentPath(this.name, '/stream'));
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data as string) as StreamMessage);
    socket.onclose = () => {
      if (this.#isOver || this.connection === 'ended') return;
      this.connection = 'lost';
      this.#tell();
      window.setTimeout(() => {
        if (!this.#isOver) this.#connect();
      }, RECONNECT_MS);
    };
  }

  #hear(message: StreamMessage): void {
    this.#heardAt = performance.now();
    if (message.type === 'end') {
      this.connection = 'ended';
      this.problem = undefined;
      this.#tell();
      return;
    }
    const before = this.summary;
    applyMessage(this.state, message);
    this.connection = 'live';
    this.problem = undefined;
    if (message.type === 'change') this.#remember(message);
    const now = this.summary;
    if (message.type === 'snapshot' || before?.epoch !== now?.epoch) void this.#readTopology();
    if (before?.verdictNow !== now?.verdictNow) this.#readVerdict();
    this.#derive();
    this.trail.keep(this.nowMs, this.state, this.verdict);
    this.#tell();
  }

  /** When each host had a command in force, by its own log. */
  #remember({ happened = [] }: Extract<StreamMessage, { type: 'change' }>): void {
    for (const { kind, host, atMicros, ...facts } of happened) {
      if (kind !== 'outcome' || atMicros === null) continue;
      const command = facts.command as Command;
      const id = commandId(command);
      const hosts = this.#late.get(id) ?? new Map<string, number>();
      hosts.set(host, Math.max(0, toMillis(micros(atMicros - command.at))));
      this.#late.set(id, hosts);
      if (this.#late.size > MOST_COMMANDS) this.#late.delete(this.#late.keys().next().value!);
    }
  }

  #derive(): void {
    this.agreements = agreementsOf(this.state, this.verdict);
    this.loads = loadsOf(this.state, this.network, this.agreements);
  }

  async #readTopology(): Promise<void> {
    await this.#read(async () => {
      this.topology = await get('getTopology', experimentPath(this.name, '/topology'));
      this.network.update(this.topology);
      this.#derive();
    });
  }

  async #readEvents(): Promise<void> {
    await this.#read(async () => {
      this.events = await get('getEvents', experimentPath(this.name, '/events'));
    });
  }

  #readVerdict(): void {
    // A hidden page costs nothing.
    if (this.#isAsking || document.hidden || this.connection === 'ended') return;
    this.#isAsking = true;
    void this.#read(async () => {
      this.verdict = await get('getVerdict', experimentPath(this.name, '/verdict'));
      this.#derive();
    }).finally(() => {
      this.#isAsking = false;
    });
  }

  async #read(ask: () => Promise<void>): Promise<void> {
    try {
      await ask();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.connection = afterRefusal(this.connection, error.code);
      this.problem = this.connection === 'ended' ? undefined : error;
    }
    if (!this.#isOver) this.#tell();
  }
}
