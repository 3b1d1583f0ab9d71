/** The effect of scripts on the number of a service's replicas, for services that have as many as they need. */
import { ratio } from '../../../proto/units.ts';
import { TooMuchWork } from '../../events/targets.ts';
import type { PopulationChange } from '../../model/population.ts';
import type { Script, ScriptEvent } from './model.ts';

/** How many events are read for all services together; a file with more is malicious. */
const MAX_WORK = 2_000_000;
const EVERYBODY = '*';

export class Populations {
  /** Indices into `#events` by service, by `tags=TAG`, and of those for all. */
  readonly #about = new Map<string, number[]>();
  readonly #events: ScriptEvent[] = [];
  #work = 0;

  constructor(scripts: readonly Script[]) {
    for (const event of scripts.flatMap(({ events }) => events)) {
      const index = this.#events.push(event) - 1;
      for (const key of keysOf(event)) {
        const known = this.#about.get(key);
        if (known) known.push(index);
        else this.#about.set(key, [index]);
      }
    }
  }

  /** In the order of the scripts. A window counts at its end, for joins at its start. Throws `TooMuchWork`. */
  of(service: string, tags: readonly string[]): PopulationChange[] {
    const keys = [EVERYBODY, service, ...tags.map((tag) => `tags=${tag}`)];
    const found = new Set(keys.flatMap((key) => this.#about.get(key) ?? []));
    this.#work += found.size;
    if (this.#work > MAX_WORK) throw new TooMuchWork();
    return [...found].sort((a, b) => a - b).flatMap((index) => changesOf(this.#events[index]!));
  }
}

function keysOf({ selector }: ScriptEvent): string[] {
  if (!selector) return [EVERYBODY];
  if (selector.kind === 'tagged') return selector.tags.map((tag) => `tags=${tag}`);
  return selector.target.kind === 'node' ? [selector.target.node.name] : [];
}

function changesOf({ time, selector, action }: ScriptEvent): PopulationChange[] {
  // Nothing follows churn that lasts until the quit.
  if (!time) return [];
  const { at, until = at } = time;
  const amount = 'amount' in action ? action.amount : selector ? { count: 1 } : undefined;
  const chosen = amount ? { amount } : {};
  switch (action.verb) {
    case 'join':
      return [{ at, direction: 'join', ...chosen }];
    case 'leave':
    case 'crash':
      return [{ at: until, direction: 'leave', ...chosen }];
    case 'churn': {
      const { amount: churned, replace } = action;
      const lost =
        'count' in churned
          ? { count: churned.count - Math.round(replace * churned.count) }
          : { share: ratio(churned.share * (1 - replace)) };
      return [{ at: until, direction: 'leave', amount: lost }];
    }
    default:
      return [];
  }
}
