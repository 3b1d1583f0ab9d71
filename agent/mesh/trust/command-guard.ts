/**
 * Who may give which command. Every host asks this of every command before it counts, and all get the same answer, since it
 * follows from what all have alike and what never changes: the list of users' keys, the allow-list with its host names, the
 * assignment at the start, the topology, and the command.
 */
import type { KeyObject } from 'node:crypto';
import { type Author, authorName, type Command, type Commander } from '../../../proto/command.ts';
import { type Rejection, reject } from '../wire/rejections.ts';
import { isSigned, signCommand } from './command-signature.ts';
import { publicKeyOf, type SigningKey } from './peer-id.ts';

export interface CommandGuardOptions {
  /** `commandScope` */
  readonly scope: string;
  readonly commanders: readonly Commander[];
  /** The only host that a peer may be; `undefined`: the allow-list does not say so. */
  readonly hostOf: (peer: string) => string | undefined;
  /** Why the author may not give this command; `undefined`: he may. The same on every host at any time. */
  readonly lacking: (command: Command, author: Author) => string | undefined;
  /** This agent's own; absent: it has no lasting identity, and can't sign. */
  readonly key?: SigningKey;
}

export class CommandGuard {
  readonly #options: CommandGuardOptions;
  readonly #commanders: ReadonlyMap<string, Commander>;
  readonly #keys = new Map<string, KeyObject | undefined>();

  constructor(options: CommandGuardOptions) {
    this.#options = options;
    this.#commanders = new Map(options.commanders.map((one) => [one.peer, one]));
  }

  get scope(): string {
    return this.#options.scope;
  }

  /** This agent as an author. */
  get self(): string | undefined {
    return this.#options.key?.peer;
  }

  /** As this agent. It has to have a key. */
  sign(command: Command): Command {
    const { scope, key } = this.#options;
    return signCommand(command, scope, key!);
  }

  /** Who has signed it, if it is signed; `undefined`: nobody who may give commands. */
  author({ author }: Pick<Command, 'author'>): Author | undefined {
    if (author === undefined) return undefined;
    const user = this.#commanders.get(author);
    if (user) return { kind: 'user', name: user.name, rights: user.rights };
    const host = this.#options.hostOf(author);
    return host === undefined ? undefined : { kind: 'agent', host };
  }

  /** Of a command that was taken, as logs and `history` have it. */
  nameOf(command: Command): string {
    const author = this.author(command);
    return author ? authorName(author) : `agent ${command.origin}`;
  }

  /** Why a command does not count. The cheapest check first. */
  refuse(command: Command): Rejection | undefined {
    const { origin, author: peer, signature, text } = command;
    const what = `${JSON.stringify(text).slice(0, 80)} of ${origin}`;
    if (peer === undefined || signature === undefined)
      return reject('COMMAND_UNSIGNED', `${what} is signed by nobody`);
    const author = this.author(command);
    if (!author) return this.refuseRights(command);
    if (!this.#isSigned(command, peer))
      return reject('COMMAND_SIGNATURE', `${what} was not signed by ${authorName(author)}, or altered`);
    return this.refuseRights(command);
  }

  /** The same before it is signed. */
  refuseRights(command: Command): Rejection | undefined {
    const { origin, author: peer, text } = command;
    const author = this.author(command);
    if (!author)
      return reject(
        'COMMAND_AUTHOR',
        peer === undefined
          ? 'an agent without a lasting identity can give no commands'
          : `${peer} may give no commands: it is neither a listed user's key nor an agent listed with its host's name`,
      );
    const name = authorName(author);
    if (author.kind === 'agent' && author.host !== origin)
      return reject('COMMAND_FOREIGN', `${name} gives a command in the name of ${origin}`);
    const lacking = this.#options.lacking(command, author);
    if (lacking === undefined) return undefined;
    return reject('COMMAND_RIGHT', `${name} may not give ${JSON.stringify(text).slice(0, 80)}: ${lacking}`);
  }

  #isSigned(command: Command, peer: string): boolean {
    // Only of peers that are on a list, which are few.
    if (!this.#keys.has(peer)) this.#keys.set(peer, publicKeyOf(peer));
    const key = this.#keys.get(peer);
    return key !== undefined && isSigned(command, this.#options.scope, key);
  }
}
