/**
 * What a service manager such as systemd wants to hear of an agent that it has started: that it is ready, that it still ticks, that
 * it ends (sd_notify(3), sd_watchdog_enabled(3)). Without one, nothing is said.
 */
import { micros, toMillis } from '../../proto/units.ts';
import type { Timers } from '../clock/clock.ts';
import { sendToPath } from '../kernel/sys/datagrams.ts';

/** So often within the time after which the manager ends a silent process. */
const LOOKS = 3;

export class ServiceManager {
  readonly #tell: (text: string) => void;
  /** Absent: it does not watch this process. */
  readonly #watchdogMs: number | undefined;

  constructor(tell: (text: string) => void, watchdogMs?: number) {
    this.#tell = tell;
    this.#watchdogMs = watchdogMs;
  }

  ready(): void {
    this.#tell('READY=1');
  }

  ending(): void {
    this.#tell('STOPPING=1');
  }

  /** Says that the process lives as long as `ticks` grows: an agent that hangs is ended. Returns what ends this. */
  watch(timers: Pick<Timers, 'every'>, ticks: () => number): () => void {
    if (this.#watchdogMs === undefined) return () => {};
    let seen = ticks();
    return timers.every(this.#watchdogMs / LOOKS, () => {
      const now = ticks();
      if (now !== seen) this.#tell('WATCHDOG=1');
      seen = now;
    });
  }
}

/**
 * The manager of this process, by the variables that it has set. They are taken out of `env`: applications are not the service.
 * What can't be said is lost, as if there were no manager.
 */
export function serviceManager(
  env: NodeJS.ProcessEnv,
  pid: number,
  send: (path: string, text: string) => unknown = sendToPath,
): ServiceManager {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: period, WATCHDOG_PID: watched = `${pid}` } = env;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  if (!socket) return new ServiceManager(() => {});
  const tell = (text: string): void => {
    try {
      send(socket, text);
    } catch {
      // Without descriptors an agent has other things to say, in its status.
    }
  };
  const isWatched = watched === `${pid}` && /^\d{1,15}$/.test(period ?? '') && Number(period) > 0;
  return new ServiceManager(tell, isWatched ? toMillis(micros(Number(period))) : undefined);
}
