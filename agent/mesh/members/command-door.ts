/** The way of commands into the set of all: what other agents say, and what is kept of them, is checked here, once each. */
import { type Command, MAX_CLOCK_AHEAD } from '../../../proto/command.ts';
import { micros, toSeconds } from '../../../proto/units.ts';
import type { AgentMessage } from '../wire/codec.ts';
import { MAX_GOSSIPED_COMMANDS } from '../wire/limits.ts';
import { type Rejection, reject } from '../wire/rejections.ts';
import type { CommandSet } from './command-set.ts';
import type { MembershipOptions } from './membership.ts';

/** So many signatures are verified before other work has its turn: some 4 ms. */
const AT_ONCE = 32;

/** How long verifying may take. */
export interface Patience {
  /** Resolves when other work has had its turn. */
  readonly turn: () => Promise<void>;
  /** Whether there is still any use in it. */
  readonly isRunning: () => boolean;
}

export class CommandDoor {
  readonly #set: CommandSet;
  readonly #options: Pick<MembershipOptions, 'admission' | 'guard' | 'time'>;
  /** The work on the answers before: what several agents give is verified once. */
  #latest: Promise<unknown> = Promise.resolve();

  constructor(set: CommandSet, options: Pick<MembershipOptions, 'admission' | 'guard' | 'time'>) {
    this.#set = set;
    this.#options = options;
  }

  /** Takes all at once, but those that may not be; returns why, of the first. */
  take(commands: readonly Command[]): Rejection | undefined {
    const { good, refused } = this.#judge(this.unknown(commands));
    this.#set.take(good);
    return refused;
  }

  /** The same for any number: the set changes once, when all have been looked at. */
  async takeMany(commands: readonly Command[], patience: Patience): Promise<Rejection | undefined> {
    const fresh = this.unknown(commands);
    if (!this.#options.guard || fresh.length <= AT_ONCE) return this.take(fresh);
    const work = this.#latest.then(() => this.#takeInTurns(fresh, patience));
    this.#latest = work.catch(() => undefined);
    return work;
  }

  /** Those that the set has not. */
  unknown(commands: readonly Command[]): readonly Command[] {
    return commands.filter((command) => !this.#set.knows(command));
  }

  /** Why a command does not count. */
  refuse(command: Command): Rejection | undefined {
    const { admission, guard, time } = this.#options;
    return (
      admission.refuseOrigin(command.origin) ?? refuseFuture(command, time?.()) ?? guard?.refuse(command)
    );
  }

  async #takeInTurns(commands: readonly Command[], { turn, isRunning }: Patience) {
    const good: Command[] = [];
    let refused: Rejection | undefined;
    const rest = [...this.unknown(commands)];
    while (rest.length > 0) {
      const part = this.#judge(rest.splice(0, AT_ONCE));
      good.push(...part.good);
      refused ??= part.refused;
      if (part.refused && isLie(part.refused)) break;
      await turn();
      if (!isRunning()) return refused;
    }
    this.#set.take(good);
    return refused;
  }

  /** After a wrong signature nothing more is looked at: an honest agent passes none on, and verifying costs. */
  #judge(commands: readonly Command[]): { good: Command[]; refused: Rejection | undefined } {
    const good: Command[] = [];
    let refused: Rejection | undefined;
    for (const command of commands) {
      const wrong = this.refuse(command);
      if (!wrong) good.push(command);
      refused ??= wrong;
      if (wrong && isLie(wrong)) return { good, refused: wrong };
    }
    return { good, refused };
  }
}

const isLie = ({ rejected }: Rejection): boolean => rejected === 'COMMAND_SIGNATURE';

/** The host that issues a command announces it, each when it is given; others give it only in answers. */
export function wrongCommands({ host, commands }: AgentMessage): Rejection | undefined {
  if (commands.length > MAX_GOSSIPED_COMMANDS)
    return reject('TOO_MANY_COMMANDS', `${host} gives ${commands.length} commands at once`);
  const foreign = commands.find(({ origin }) => origin !== host);
  return foreign && reject('COMMAND_FOREIGN', `${host} speaks for ${foreign.origin}`);
}

/** Nobody accepts a command before its time: this would be a way to come last of all, and to undo nothing. */
function refuseFuture({ origin, issuedAt }: Command, now: number | undefined): Rejection | undefined {
  if (now === undefined || issuedAt <= Math.max(0, now) + MAX_CLOCK_AHEAD) return undefined;
  return reject(
    'COMMAND_TIME',
    `a command of ${origin} was accepted ${toSeconds(micros(issuedAt - now))} s from now`,
  );
}
