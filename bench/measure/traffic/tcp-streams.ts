/** Many TCP connections until they are stopped: without a limit of their own, or each at a pace. */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Flow, type Place, start, TrafficError } from '../../../controller/verify/traffic.ts';

/** Between one start and the next: a hundred processes at once would be a load of their own. */
const STAGGER_MS = 25;
/** Streams run until the caller stops them. */
const ENDLESS_SECONDS = 86_400;

export class TcpStreams {
  readonly #processes: ChildProcess[] = [];
  #stopped = false;
  /** The first stream that ended by itself. */
  #failure: TrafficError | undefined;

  /**
   * One connection with cubic for each flow. Resolves when all have started. `paceBps`: the sender's kernel spaces
   * packets at this rate (SO_MAX_PACING_RATE), which wakes no process as `-b` would. Throws `TRAFFIC_FAILED`.
   */
  async start(flows: readonly Flow[], paceBps?: number): Promise<void> {
    const listening: Promise<void>[] = [];
    for (const to of new Set(flows.map((flow) => flow.to))) {
      const server = this.#spawn(to, ['iperf3', '-s', '--forceflush', '-i', '0']);
      listening.push(this.#listening(server, to));
      await sleep(STAGGER_MS);
    }
    await Promise.all(listening);
    for (const { from, to } of flows) {
      const command = ['iperf3', '-C', 'cubic', '-c', to.address, '-t', `${ENDLESS_SECONDS}`, '-i', '0'];
      this.#spawn(from, paceBps === undefined ? command : [...command, '--fq-rate', `${paceBps}`]);
      await sleep(STAGGER_MS);
    }
    this.check();
  }

  /** Of servers and clients. */
  get pids(): number[] {
    return this.#processes.flatMap(({ pid }) => pid ?? []);
  }

  /** Throws `TRAFFIC_FAILED` if a stream has ended. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  stop(): void {
    this.#stopped = true;
    for (const one of this.#processes) one.kill('SIGKILL');
  }

  #spawn(place: Place, command: readonly string[]): ChildProcess {
    const child = start(place, command);
    let said = '';
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (text: Buffer) => {
        said = `${said}${text}`.slice(-300);
      });
    }
    child.on('exit', (code) => {
      if (this.#stopped) return;
      this.#failure ??= new TrafficError(command.join(' '), `exit ${code} in ${place.name}: ${said.trim()}`);
    });
    this.#processes.push(child);
    return child;
  }

  async #listening(server: ChildProcess, { name }: Place): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      let said = '';
      server.stdout!.on('data', (text: Buffer) => {
        said += text.toString();
        if (said.includes('listening')) resolve();
      });
      server.on('error', reject);
      server.on('exit', (code) => reject(new TrafficError('iperf3 -s', `ended with ${code} in ${name}`)));
    });
  }
}
