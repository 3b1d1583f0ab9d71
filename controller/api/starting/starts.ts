/** Starts that somebody watches: how far each is, and how it has ended. They are gone with the server, and go on without it. */
import { randomBytes } from 'node:crypto';
import type { AnswerOf, BodyOf } from '../../../proto/api/v1/routes.ts';
import { answerTo } from '../../../proto/http-json.ts';
import { ControllerError } from '../../errors.ts';
import { HostsRefused } from './injections.ts';

type Request = BodyOf<'beginStart'>;
type State = AnswerOf<'getStart'>;

/** Each is a process of netfold's, and busies the machine. */
const MOST_AT_ONCE = 4;
/** Of those that have ended, the latest are remembered. */
const MOST_ENDED = 50;

/** Resolves when the experiment is up; tells what it is doing. */
export type Start = (
  request: Request,
  tell: (progress: string) => void,
) => Promise<AnswerOf<'startExperiment'>>;

export class Starts {
  readonly #start: Start;
  readonly #running = new Map<string, State>();
  readonly #ended = new Map<string, State>();

  constructor(start: Start) {
    this.#start = start;
  }

  /** Throws `STARTS_TOO_MANY`. */
  begin(request: Request): State {
    if (this.#running.size >= MOST_AT_ONCE)
      throw new ControllerError(
        'STARTS_TOO_MANY',
        `${MOST_AT_ONCE} experiments are starting already`,
        'wait for one of them',
      );
    const id = randomBytes(8).toString('hex');
    const nothing = { progress: null, name: null, warnings: [], error: null, injected: [] };
    const state: State = { id, state: 'starting', ...nothing };
    this.#running.set(id, state);
    void this.#follow(id, request);
    return state;
  }

  /** Throws `START_UNKNOWN`. */
  state(id: string): State {
    const state = this.#running.get(id) ?? this.#ended.get(id);
    if (state) return state;
    throw new ControllerError(
      'START_UNKNOWN',
      `there is no start ${id}`,
      'it may be of an earlier server; GET …/experiments lists what runs',
    );
  }

  async #follow(id: string, request: Request): Promise<void> {
    const tell = (progress: string): void => {
      const state = this.#running.get(id);
      // An empty text takes a line away.
      if (state && progress !== '') this.#running.set(id, { ...state, progress });
    };
    const known = { id, progress: null };
    try {
      const { name, warnings, injected = [] } = await this.#start(request, tell);
      this.#end({ ...known, state: 'up', name, warnings, error: null, injected });
    } catch (error) {
      const injected = error instanceof HostsRefused ? error.injected : [];
      const nothing = { name: null, warnings: [], injected };
      this.#end({ ...known, state: 'failed', ...nothing, error: answerTo(error).facts });
    }
  }

  #end(state: State): void {
    this.#running.delete(state.id);
    this.#ended.set(state.id, state);
    if (this.#ended.size > MOST_ENDED) this.#ended.delete(this.#ended.keys().next().value!);
  }
}
