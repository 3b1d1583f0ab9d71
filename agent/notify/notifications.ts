/** What applications notify, told to all agents: each name once of each endpoint, since only the first counts. */

import { NOTIFIED } from '../../proto/control.ts';
import { NetfoldError } from '../../proto/errors.ts';

export interface NotificationsPorts {
  /** Whether a sequence waits for the name. */
  readonly isAwaited: (name: string) => boolean;
  /** Tells all agents. Throws a `NetfoldError` before the start. */
  readonly tell: (text: string) => void;
}

export class Notifications {
  readonly #ports: NotificationsPorts;
  readonly #told = new Set<string>();

  constructor(ports: NotificationsPorts) {
    this.#ports = ports;
  }

  /** Returns the answer to the application. */
  take(endpoint: string, name: string): string {
    const { isAwaited, tell } = this.#ports;
    if (!isAwaited(name)) return `no sequence waits for ${JSON.stringify(name)}`;
    const text = `notify ${name} from ${endpoint}`;
    if (this.#told.has(text)) return NOTIFIED;
    try {
      tell(text);
    } catch (error) {
      if (error instanceof NetfoldError) return error.message;
      throw error;
    }
    this.#told.add(text);
    return NOTIFIED;
  }
}
