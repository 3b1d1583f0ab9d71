/** The commands of the services of local endpoints: each in its life, with what it waits for and when it is ready. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import { formatMicros, toMillis } from '../../proto/units.ts';
import type { Ready, Service, Topology } from '../../topology/model/model.ts';
import { serviceOf } from '../../topology/model/names.ts';
import type { Clock, Timers } from '../clock/clock.ts';
import { forgetLife, type KeptLife, keepLife, readLife } from './kept-life.ts';
import type { ProbePort } from './probes.ts';
import type { CommandRun } from './processes.ts';
import { LogText, Readiness } from './readiness.ts';
import { ServiceLife } from './service-life.ts';
import { settingsOf } from './service-settings.ts';
import { Waiting } from './waiting.ts';

export interface ServiceLivesOptions {
  readonly topology: Topology;
  /** Of all endpoints, by number. */
  readonly endpointNames: readonly string[];
  readonly probes: ProbePort;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logFolder: string;
  /** Whether the timeline has the endpoint present now. */
  readonly isPresent: (endpoint: number) => boolean;
  /** Whether an endpoint of another host is ready. */
  readonly isReadyElsewhere: (endpoint: number) => boolean;
  /** An endpoint that others wait for is ready, or not any more. */
  readonly onReady: () => void;
}

export interface ServiceLivesPorts {
  /** Starts the command in the endpoint now. May throw system errors. */
  readonly start: (endpoint: LocalEndpoint, command: string) => CommandRun;
  /** Calls `action`; a failure is told, not thrown. */
  readonly tryTo: (endpoint: LocalEndpoint, action: () => void) => void;
}

export class ServiceLives {
  readonly #options: ServiceLivesOptions;
  readonly #ports: ServiceLivesPorts;
  readonly #services: ReadonlyMap<string, Service>;
  /** Names of the services that others wait for → the numbers of their endpoints. */
  readonly #awaited: ReadonlyMap<string, number[]>;
  readonly #waiting: Waiting;
  readonly #local = new Map<number, LocalEndpoint>();
  /** By number of the endpoint. */
  readonly #lives = new Map<number, ServiceLife>();

  constructor(options: ServiceLivesOptions, ports: ServiceLivesPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#services = new Map(options.topology.services.map((service) => [service.name, service]));
    this.#awaited = awaitedOf(options);
    const { timers, isPresent, isReadyElsewhere } = options;
    this.#waiting = new Waiting({
      ...{ timers, isPresent },
      endpointsOf: (service) => this.#awaited.get(service) ?? [],
      isReady: (number) => (this.#local.has(number) ? this.isReady(number) : isReadyElsewhere(number)),
    });
  }

  add(endpoint: LocalEndpoint): void {
    this.#local.set(endpoint.number, endpoint);
    // One without a command is ready as it is.
    this.#readyChanged(endpoint);
  }

  /** The endpoint's life has to be ended as well. */
  remove(number: number): void {
    this.#local.delete(number);
  }

  /** Starts the command of the endpoint's service, or lets it wait. Returns whether there is one. */
  begin(endpoint: LocalEndpoint): boolean {
    const life = this.#create(endpoint);
    life?.begin();
    return life !== undefined;
  }

  /** Goes on with what an earlier agent has begun. `running`: its commands in the endpoint. */
  resume(endpoint: LocalEndpoint, running: readonly CommandRun[]): void {
    const kept = readLife(this.#fileOf(endpoint));
    const isKept = ({ pid, startTime }: CommandRun): boolean =>
      pid === kept?.pid && startTime === kept?.startTime;
    this.#create(endpoint)?.resume(kept, kept ? running.find(isKept) : running[0]);
  }

  /** Nothing is started any more; what runs is ended by the caller. */
  end(endpoint: LocalEndpoint): void {
    this.#lives.get(endpoint.number)?.cancel();
    this.#lives.delete(endpoint.number);
    forgetLife(this.#fileOf(endpoint));
    this.#readyChanged(endpoint);
  }

  /** The next agent may go on. */
  stop(): void {
    for (const life of this.#lives.values()) life.cancel();
    this.#options.probes.stop();
  }

  /** Whether a local endpoint's service is ready. */
  isReady(number: number): boolean {
    const endpoint = this.#local.get(number);
    if (!endpoint) return false;
    const isIdle = this.#services.get(serviceOf(endpoint.name))?.run === undefined;
    return isIdle || (this.#lives.get(number)?.isReady ?? false);
  }

  /** What the other hosts have to know of a local endpoint. */
  isAnnouncedReady({ number, name }: Pick<LocalEndpoint, 'number' | 'name'>): boolean {
    return this.#awaited.has(serviceOf(name)) && this.isReady(number);
  }

  /** Corrects what is said of endpoints. */
  describe(status: Record<string, string>): void {
    for (const [number, life] of this.#lives) {
      const name = this.#options.endpointNames[number]!;
      const said = life.status(status[name]);
      if (said !== undefined) status[name] = said;
    }
  }

  #create(endpoint: LocalEndpoint): ServiceLife | undefined {
    const service = this.#services.get(serviceOf(endpoint.name));
    const { run: command, restart = 'no', ready, after = [] } = service ?? {};
    if (!service || command === undefined) return undefined;
    // Of most services there is nothing to be known later but what runs.
    const isKept = restart !== 'no' || ready || after.length > 0 || this.#awaited.has(service.name);
    const { clock, timers } = this.#options;
    const ports = {
      ...{ clock, timers },
      start: () => this.#ports.start(endpoint, command),
      keep: (life: KeptLife) => {
        if (isKept) this.#ports.tryTo(endpoint, () => keepLife(this.#fileOf(endpoint), life));
      },
      wait: (begin: () => void) => this.#waiting.wait(after, begin),
      waitsFor: () => this.#waiting.unready(after),
      logSize: () => statSync(this.#logOf(endpoint), { throwIfNoEntry: false })?.size ?? 0,
      watch: (logFrom: number, onReady: () => void) =>
        ready && this.#watch(endpoint, ready, logFrom, onReady),
      onReady: () => this.#readyChanged(endpoint),
    };
    const life = new ServiceLife(ports, { restart, timeout: ready && formatMicros(ready.timeout) });
    this.#lives.get(endpoint.number)?.cancel();
    this.#lives.set(endpoint.number, life);
    return life;
  }

  #watch(
    endpoint: LocalEndpoint,
    { check, timeout }: Ready,
    logFrom: number,
    onReady: () => void,
  ): Readiness {
    const { probes, timers } = this.#options;
    const looks = {
      port: (port: number) => () => probes.listens(endpoint, port),
      log: (text: string) => {
        const log = new LogText(this.#logOf(endpoint), text, logFrom);
        return () => log.isThere();
      },
      command: (command: string) => {
        const settings = settingsOf(this.#services.get(serviceOf(endpoint.name))!);
        return () => probes.succeeds({ endpoint, command, settings });
      },
    };
    const look =
      check.kind === 'port'
        ? looks.port(check.port)
        : check.kind === 'log'
          ? looks.log(check.text)
          : looks.command(check.command);
    const plan = { isCostly: check.kind === 'command', timeoutMs: toMillis(timeout) };
    return new Readiness({ timers, check: look, onReady }, plan);
  }

  #readyChanged({ name }: LocalEndpoint): void {
    if (this.#awaited.has(serviceOf(name))) this.#options.onReady();
  }

  /** Both stand beside each other, for the next agent. */
  #fileOf({ name }: LocalEndpoint): string {
    return join(this.#options.logFolder, `${name}.service`);
  }

  #logOf({ name }: LocalEndpoint): string {
    return join(this.#options.logFolder, `${name}.log`);
  }
}

function awaitedOf({ topology, endpointNames }: ServiceLivesOptions): Map<string, number[]> {
  const awaited = new Map<string, number[]>(
    topology.services.flatMap(({ after = [] }) => after.map((name) => [name, []] as const)),
  );
  if (awaited.size > 0)
    for (const [number, name] of endpointNames.entries()) awaited.get(serviceOf(name))?.push(number);
  return awaited;
}
