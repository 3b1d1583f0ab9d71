/** The soak: an hour of live control at five commands a second. Does anything end, or grow? */
import { setTimeout as sleep } from 'node:timers/promises';
import { chooseDelayBackend } from '../../agent/linux/delay/delay-backend.ts';
import { probeMachine } from '../../agent/linux/probe/probe.ts';
import { giveCommand, userKeyOf } from '../../controller/experiment/control.ts';
import type { Experiment } from '../../controller/experiment/experiment.ts';
import { requireAbilities } from '../../controller/machine/abilities.ts';
import { agentSocket, experimentFolder } from '../../controller/names.ts';
import { NetfoldError } from '../../proto/errors.ts';
import { callJson } from '../../proto/http-json.ts';
import type { RunLogPage } from '../../proto/run-log.ts';
import { fromMillis, toSeconds } from '../../proto/units.ts';
import type { AgentView } from '../../proto/view.ts';
import { type Interruption, withLab } from '../lab.ts';
import { agentRecords } from '../measure/agent-records.ts';
import type { Table } from '../report/model.ts';
import { Lateness } from './lateness.ts';
import { HOSTS, SOAK_TOPOLOGY, SoakPlan } from './plan.ts';
import { type Facts, tableOf } from './table.ts';
import { bytesBelow, type Sample, sampleOf } from './watched.ts';

const EVERY_MS = 200;
const SAMPLE_MS = 5000;
/** Agents keep the latest 4,096 epochs; a flap makes ten a second. */
const RECORD_MS = 30_000;
/** What has grown until then is a start, not a leak; of a shorter run, the first third. */
const WARM_MS = 600_000;
const AGREE_MS = 10_000;

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

/** Throws `DELAY_BACKEND_MISSING` or `MACHINE_CANNOT` before anything is measured. */
export async function measureSoak(options: SoakOptions): Promise<Table[]> {
  const abilities = probeMachine();
  requireAbilities(abilities);
  const backend = chooseDelayBackend('auto', abilities);
  const facts = await withLab(
    SOAK_TOPOLOGY,
    backend,
    options.interruption,
    ({ experiment }) => soak(experiment, options),
    HOSTS,
  );
  return [tableOf(facts, options, backend)];
}

async function soak(experiment: Experiment, { minutes, seed, say }: SoakOptions): Promise<Facts> {
  await experiment.run();
  const lengthMs = minutes * 60_000;
  const warmMs = Math.min(WARM_MS, lengthMs / 3);
  const control = new LiveControl(experiment, seed);
  const lateness = new Lateness(HOSTS);
  const samples: Sample[][] = experiment.agents.map(() => []);
  const files: Facts['files'][number][] = [];
  /** Of each host: where its run log goes on. */
  const logged = experiment.agents.map(() => 0);
  const started = performance.now();
  let [sampledAt, recordedAt] = [0, 0];
  for (let now = 0; now < lengthMs; now = performance.now() - started) {
    await control.give();
    if (now - sampledAt >= SAMPLE_MS) {
      sampledAt = now;
      for (const [host, agent] of experiment.agents.entries()) {
        if (agent.hasExited) throw agent.failure();
        samples[host]!.push(sampleOf(agent.pid!, now));
      }
      files.push(filesOf(experiment.name, now));
    }
    if (now - recordedAt >= RECORD_MS) {
      recordedAt = now;
      await noteLateness(experiment, lateness, logged);
      say(progress(now, control, samples));
    }
    await sleep(Math.max(0, control.count * EVERY_MS - (performance.now() - started)));
  }
  const givenMs = performance.now() - started;
  // Until the last one is in force.
  await sleep(1000);
  await noteLateness(experiment, lateness, logged);
  return {
    given: control.count,
    seconds: toSeconds(fromMillis(givenMs)),
    refusals: control.refusals,
    answersMs: control.answersMs,
    lateness: lateness.of(control.due),
    samples: samples.map((all) => all.filter(({ atMs }) => atMs >= warmMs)),
    files: files.filter(({ atMs }) => atMs >= warmMs),
    ...(await agreement(experiment)),
  };
}

/** What has come and what was in force since the last time. */
async function noteLateness(experiment: Experiment, lateness: Lateness, logged: number[]): Promise<void> {
  const { name, plan } = experiment;
  lateness.note(await agentRecords(experiment));
  for (const [host, { name: hostName }] of plan.hosts.entries()) {
    for (let isMore = true; isMore; ) {
      const query = `/log?kinds=command&from=${logged[host]}`;
      const page = (await callJson(`unix:${agentSocket(name, hostName)}`, query)) as RunLogPage;
      lateness.arrived(host, page.entries);
      logged[host] = page.next;
      isMore = page.entries.length > 0;
    }
  }
}

function filesOf(experiment: string, atMs: number): Facts['files'][number] {
  const folder = experimentFolder(experiment);
  return { atMs, journalBytes: bytesBelow(folder, /\.commands$/), logBytes: bytesBelow(folder, /\.log/) };
}

function progress(now: number, { count, refusals }: LiveControl, samples: readonly Sample[][]): string {
  const memory = samples.map((all) => `${Math.round((all.at(-1)?.rssBytes ?? 0) / 1e6)} MB`);
  return `${Math.round(now / 1000)} s: ${count} commands, ${refusals.length} refused; ${memory.join(', ')}`;
}

/** Gives the commands of a plan, to one agent after the other. */
class LiveControl {
  readonly refusals: string[] = [];
  readonly answersMs: number[] = [];
  /** When each is due, in microseconds since the start. */
  readonly due: number[] = [];
  readonly #plan: SoakPlan;
  readonly #addresses: readonly string[];
  readonly #key: ReturnType<typeof userKeyOf>;
  count = 0;

  constructor({ name, plan }: Experiment, seed: number) {
    this.#plan = new SoakPlan(seed);
    this.#addresses = plan.hosts.map((host) => `unix:${agentSocket(name, host.name)}`);
    this.#key = userKeyOf(name);
  }

  async give(): Promise<void> {
    const { text, forMs } = this.#plan.next();
    const address = this.#addresses[this.count++ % this.#addresses.length]!;
    const asked = performance.now();
    try {
      const during = forMs === undefined ? {} : { during: forMs * 1000 };
      const { command } = await giveCommand(address, { text, ...during }, this.#key);
      this.answersMs.push(performance.now() - asked);
      this.due.push(command.at);
    } catch (error) {
      if (!(error instanceof NetfoldError)) throw error;
      this.refusals.push(`${text}: ${error.message}`);
    }
  }
}

/** Waits until all agents have the same commands and the same epoch. */
async function agreement({ name, plan }: Experiment): Promise<Pick<Facts, 'disagreeing' | 'kept'>> {
  const until = performance.now() + AGREE_MS;
  for (;;) {
    const views = await Promise.all(
      plan.hosts.map(
        async (host) => (await callJson(`unix:${agentSocket(name, host.name)}`, '/view')) as AgentView,
      ),
    );
    const kinds = new Set(views.map(({ commands, epoch }) => JSON.stringify([commands, epoch])));
    const kept = Math.max(...views.map(({ commands }) => commands.count));
    if (kinds.size === 1 || performance.now() > until) return { disagreeing: kinds.size - 1, kept };
    await sleep(250);
  }
}
