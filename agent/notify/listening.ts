/** All that applications tell for sequences: by their doors, and by what they log. */
import type { Timers } from '../clock/clock.ts';
import { type Awaited, LogWatch } from './log-watch.ts';
import { Notifications, type NotificationsPorts } from './notifications.ts';

/** Inside endpoints, those of this host. */
interface Ears<E> {
  set(endpoints: readonly E[]): void;
  stop(): void;
}

export interface ListeningPorts<E> extends NotificationsPorts {
  readonly timers: Timers;
  /** `take`: hands over what an endpoint has notified, and returns the answer. */
  readonly openDoors: (take: (endpoint: string, name: string) => string) => Ears<E>;
  /** The log of an endpoint. */
  readonly fileOf: (endpoint: string) => string;
  readonly logs: readonly Awaited[];
}

export function listen<E extends { readonly name: string }>(ports: ListeningPorts<E>): Ears<E> {
  const { timers, fileOf, logs, openDoors } = ports;
  const notifications = new Notifications(ports);
  const take = (endpoint: string, name: string): string => notifications.take(endpoint, name);
  const doors = openDoors(take);
  const watch = new LogWatch({ timers, fileOf, tell: take }, logs);
  return {
    set: (endpoints) => {
      doors.set(endpoints);
      watch.set(endpoints);
    },
    stop: () => {
      watch.stop();
      doors.stop();
    },
  };
}
