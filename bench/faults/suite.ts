/** Applies a plan of faults to a running experiment, and measures how long its agents take to agree again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentProcess } from '../../controller/experiment/agents.ts';
import { giveCommand, userKeyOf } from '../../controller/experiment/control.ts';
import type { Experiment } from '../../controller/experiment/experiment.ts';
import { agentSocket } from '../../controller/names.ts';
import { type Command, commandKey } from '../../proto/command.ts';
import type { ControlAnswer } from '../../proto/control.ts';
import { NetfoldError } from '../../proto/errors.ts';
import { callJson } from '../../proto/http-json.ts';
import type { AgentView } from '../../proto/view.ts';
import {
  BOUND_MS,
  type Disagreement,
  findDisagreement,
  isTold,
  STICKS_LOOKS,
  Sticking,
  type Truth,
} from './agreement.ts';
import { Classes } from './classes.ts';
import { hang } from './hangs.ts';
import type { HostDates } from './host-dates.ts';
import { MeshLinks } from './mesh-links.ts';
import { Overseer } from './overseer.ts';
import type { Fault, Part } from './plan.ts';
import { takeAway } from './shortages.ts';
import { fillDisk } from './small-disk.ts';
import { Installed, take, takeAgain } from './takings.ts';
import { watchTelling } from './telling.ts';

/** How often agents are asked for their view. */
const LOOK_MS = 50;
/** How long agreement has to last. Hosts that are dropped late, and lasting differences, show up in this time. */
const HOLD_MS = 1000;
/** Without agreement so long after all agents answer, there will be none. */
const GIVE_UP_MS = 15_000;
/** A process that the kernel has killed is gone within this. */
const ENDING_MS = 50;
/** Agents that start at once on a slow machine take so long at most until they answer. */
const START_MS = 120_000;

export interface Outcome {
  readonly fault: Fault;
  /** From the end of the fault until all agents answered, including those that were started. */
  readonly answerMs: number;
  /**
   * From the end of the fault (or from the first answer, where agents were started) until all agents agreed and the
   * kernel had the classes of that agreement; `Infinity`: never.
   */
  readonly agreementMs: number;
  /** At every look later than `BOUND_MS` at which they did not agree, an agent said that something was degraded. */
  readonly isTold: boolean;
  /** The differences of the last reading with any. */
  readonly last: readonly string[];
}

export class FaultSuite {
  readonly #experiment: Experiment;
  readonly #agents: AgentProcess[];
  readonly #links: MeshLinks;
  readonly #dates: HostDates;
  readonly #overseer: Overseer;
  readonly #classes: Classes;
  readonly #truth: Omit<Truth, 'commands'>;
  /** Accepted by an agent. */
  readonly #commands = new Map<string, Command>();
  /** Hosts whose agent can't answer: killed, stopped, or without what it needs. */
  readonly #stopped = new Set<number>();
  #installed: Installed | undefined;
  /** A line for each agent that has ended without being killed, since the fault began. */
  #ended: string[] = [];
  /** A line for each agent that had changed something while its disk was full, and had not told. */
  #untold: readonly string[] = [];
  /** Whether the current fault has started an agent. */
  #hasStarted = false;
  /** How many commands there were at the last request. */
  #knownCommands = 0;

  /** `experiment`: running, with agents that have `dates`. */
  constructor(experiment: Experiment, dates: HostDates, seed: number) {
    const { plan, topology, agents } = experiment;
    this.#experiment = experiment;
    this.#dates = dates;
    this.#agents = [...agents];
    this.#links = new MeshLinks(plan.hosts, seed);
    this.#overseer = new Overseer(topology);
    this.#classes = new Classes(plan.endpoints);
    this.#truth = {
      hosts: plan.hosts.map(({ name }) => name),
      endpoints: plan.endpoints.map(({ name, host, addresses }) => ({ name, host: host.name, addresses })),
      sharesOfAll: (flows, epoch) => this.#overseer.shares(flows, epoch),
    };
  }

  async stop(): Promise<void> {
    this.#classes.close();
    await this.#links.stop();
  }

  /** Resolves when the fault is over and all agents agree again, or never will. An agent that ends by itself is started again. */
  async run(fault: Fault): Promise<Outcome> {
    this.#installed ??= await Installed.now(this.#experiment.plan.endpoints);
    this.#hasStarted = false;
    this.#ended = [];
    this.#untold = [];
    const commanded = fault.command && this.#command(fault.command);
    await Promise.all(fault.parts.map((part) => this.#do(part)));
    const healed = performance.now();
    await commanded;
    const { answerMs, agreementMs, ...rest } = await this.agree(healed);
    return { fault, answerMs, agreementMs: this.#hasStarted ? agreementMs - answerMs : agreementMs, ...rest };
  }

  /** Waits until all agree; both times count from `since` (`performance.now()`). */
  async agree(since: number): Promise<Omit<Outcome, 'fault'>> {
    const sticking = new Sticking();
    let last: readonly string[] = [];
    let answered: number | undefined;
    let agreed: { readonly at: number; looks: number } | undefined;
    let isToldSoFar = true;
    for (;;) {
      const at = performance.now();
      const { lasting, fleeting, isTold: isSaid } = await this.#look();
      if (!lasting.some((text) => text.endsWith("doesn't answer"))) answered ??= at;
      const wrong = [...lasting, ...sticking.look(fleeting, at)];
      if (wrong.length > 0) last = wrong;
      const begin = this.#hasStarted ? (answered ?? at) : since;
      if (wrong.length > 0 && at - begin > BOUND_MS) isToldSoFar &&= isSaid;
      agreed = wrong.length > 0 ? undefined : (agreed ?? { at, looks: 0 });
      if (agreed && ++agreed.looks > STICKS_LOOKS && at - agreed.at >= HOLD_MS) break;
      const patienceMs = answered === undefined ? START_MS : GIVE_UP_MS + HOLD_MS;
      if (at - (answered ?? since) > patienceMs) break;
      await sleep(LOOK_MS);
    }
    // No matter how well all is with a new one: it must not have ended.
    const isOver = agreed !== undefined && this.#ended.length + this.#untold.length === 0;
    const agreementMs = isOver ? agreed!.at - since : Number.POSITIVE_INFINITY;
    const answerMs = (answered ?? performance.now()) - since;
    return { answerMs, agreementMs, isTold: isToldSoFar, last: [...this.#ended, ...this.#untold, ...last] };
  }

  async #do(part: Part): Promise<void> {
    await sleep(part.fromMs);
    const end = await this.#begin(part);
    await sleep(part.toMs - part.fromMs);
    await end();
  }

  /** Returns the function that ends it. */
  async #begin(part: Part): Promise<() => void | Promise<void>> {
    switch (part.what) {
      case 'cut':
      case 'bad':
        await this.#links.begin(part);
        return () => this.#links.end(part);
      case 'date': {
        const host = this.#hostName(part.host);
        this.#dates.set(host, part.byMs);
        return () => this.#dates.set(host, 0);
      }
      case 'kill':
        return this.#end(part.host, 'SIGKILL');
      case 'leave':
        return this.#end(part.host, 'SIGTERM');
      case 'pause':
        return this.#pause(part.host);
      case 'hang':
        return this.#without(part.host, (pid) => hang(pid, part.threads));
      case 'short':
        return this.#without(part.host, (pid) => takeAway(pid, part.of));
      case 'take': {
        const endpoints = part.endpoints.map((number) => this.#experiment.plan.endpoints[number]!);
        if (part.everyMs !== undefined) return takeAgain(endpoints, part.object, part.everyMs);
        await take(endpoints, part.object);
        return () => {};
      }
      case 'disk':
        return this.#fill();
      case 'controller':
        await this.#experiment.closeController();
        return () => this.#experiment.openController();
    }
  }

  async #end(host: number, signal: NodeJS.Signals): Promise<() => Promise<void>> {
    const agent = this.#agents[host]!;
    this.#stopped.add(host);
    process.kill(agent.pid!, signal);
    await agent.exited;
    return () => this.#start(host);
  }

  async #start(host: number): Promise<void> {
    this.#hasStarted = true;
    this.#agents[host] = await this.#experiment.startAgent(this.#experiment.plan.hosts[host]!);
    this.#stopped.delete(host);
  }

  /** An agent that lacks something, and may end by that. `begin` returns the function that gives it back. */
  #without(host: number, begin: (pid: number) => () => void): () => void | Promise<void> {
    const agent = this.#agents[host]!;
    // Killed by another part of the fault.
    if (agent.hasExited) return () => {};
    this.#stopped.add(host);
    const end = begin(agent.pid!);
    return async () => {
      end();
      // Until the kernel has taken it off.
      await Promise.race([agent.exited, sleep(ENDING_MS)]);
      if (this.#agents[host] !== agent) return;
      if (agent.hasExited) await this.#start(host);
      else this.#stopped.delete(host);
    };
  }

  /** All agents have the same disk. */
  async #fill(): Promise<() => Promise<void>> {
    const { name } = this.#experiment;
    const empty = fillDisk(name);
    const stop = await watchTelling(name, () => this.#views());
    return async () => {
      try {
        this.#untold = await stop();
      } finally {
        empty();
      }
    };
  }

  #pause(host: number): () => void {
    const { pid } = this.#agents[host]!;
    // The stopped process was killed; the host has a new one.
    const send = (signal: NodeJS.Signals): void => {
      if (this.#agents[host]!.pid === pid && !this.#agents[host]!.hasExited) process.kill(pid!, signal);
    };
    this.#stopped.add(host);
    send('SIGSTOP');
    return () => {
      this.#stopped.delete(host);
      send('SIGCONT');
    };
  }

  /** If an agent refuses the command, or can't be reached, there is no command. */
  async #command({ host, atMs, text }: NonNullable<Fault['command']>): Promise<void> {
    await sleep(atMs);
    if (this.#stopped.has(host)) return;
    try {
      const address = this.#address(this.#hostName(host));
      const { command } = await giveCommand(address, { text }, userKeyOf(this.#experiment.name));
      this.#commands.set(commandKey(command), command);
    } catch (error) {
      if (!(error instanceof NetfoldError)) throw error;
    }
  }

  async #look(): Promise<Disagreement & { readonly isTold: boolean }> {
    const views = await this.#views();
    const answered = views.filter((view) => view !== undefined);
    const [first] = answered;
    if (first && first.commands.count !== this.#knownCommands) await this.#readCommands(first.host);
    const now = Math.max(0, ...answered.map((view) => view.now ?? 0));
    this.#overseer.advance([...this.#commands.values()], now);
    const truth = { ...this.#truth, commands: this.#overseer.commands };
    const { lasting, fleeting } = findDisagreement(views, truth);
    const told = isTold(answered);
    if (lasting.length > 0) return { lasting, fleeting, isTold: told };
    const classes = answered.flatMap((view) =>
      this.#classes.wrong(view, (epoch, from, to) => this.#overseer.path(epoch, from, to)),
    );
    const found = [...fleeting, ...classes];
    const installed = found.length > 0 ? [] : ((await this.#installed?.wrong()) ?? []);
    return { lasting, fleeting: [...found, ...installed], isTold: told };
  }

  /** All commands that one agent knows. The digests show that the others have the same. */
  async #readCommands(host: string): Promise<void> {
    const { history } = (await callJson(this.#address(host), '/control')) as ControlAnswer;
    for (const { state, problem, by, ...command } of history) {
      // Accepted, though the answer was lost with the agent.
      this.#commands.set(commandKey(command), command);
    }
    this.#knownCommands = history.length;
  }

  #views(): Promise<(AgentView | undefined)[]> {
    return Promise.all(
      this.#agents.map(async (agent, host) => {
        if (agent.hasExited) {
          this.#ended.push(agent.failure('has ended by itself').message);
          await this.#start(host);
        }
        const view = await callJson(this.#address(this.#hostName(host)), '/view').catch(() => undefined);
        return view as AgentView | undefined;
      }),
    );
  }

  #hostName(host: number): string {
    return this.#experiment.plan.hosts[host]!.name;
  }

  #address(host: string): string {
    return `unix:${agentSocket(this.#experiment.name, host)}`;
  }
}
