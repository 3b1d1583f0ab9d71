/** Connections to the hosts of an inventory, all opened at once; their sockets are in a private folder. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AtOnce } from './at-once.ts';
import { Connection } from './connection.ts';
import type { SshHost } from './refusals.ts';

/** The path of a unix socket has 108 bytes (sys/un.h), and ssh appends 17 of its own while it makes one. */
const LONGEST_FOLDER = 70;

/**
 * An SSH server drops some of those that have not logged in yet, when there are 10 or more (MaxStartups, sshd_config(5)): a jump host
 * gets fewer.
 */
const JUMPS_AT_ONCE = 8;

export class Connections {
  readonly #configFile: string | undefined;
  readonly #folder: string;
  readonly #opened = new Map<string, Promise<Connection>>();
  readonly #ready: Connection[] = [];
  readonly #closing = new AbortController();
  readonly #jumps = new Map<string, AtOnce>();

  /** `configFile`: instead of ~/.ssh/config. */
  constructor(configFile?: string) {
    this.#configFile = configFile;
    const base = tmpdir().length > LONGEST_FOLDER ? '/tmp' : tmpdir();
    this.#folder = mkdtempSync(join(base, 'netfold-ssh-'));
  }

  /** Throws `InjectError`, each time. */
  to(host: SshHost): Promise<Connection> {
    const known = this.#opened.get(host.name);
    if (known) return known;
    const socket = join(this.#folder, String(this.#opened.size));
    const opened = this.#inTurn(host, () =>
      Connection.open(host, socket, this.#closing.signal, this.#configFile),
    );
    // Whoever asks for it handles a refusal.
    opened.then(
      async (connection) => {
        if (this.#closing.signal.aborted) await connection.close();
        else this.#ready.push(connection);
      },
      () => {},
    );
    this.#opened.set(host.name, opened);
    return opened;
  }

  #inTurn<T>({ jump }: SshHost, open: () => Promise<T>): Promise<T> {
    const [first] = jump?.split(',') ?? [];
    if (first === undefined) return open();
    const turns = this.#jumps.get(first) ?? new AtOnce(JUMPS_AT_ONCE);
    this.#jumps.set(first, turns);
    return turns.run(open);
  }

  /** The host has another name as well, by which the same connection is found. */
  adopt(name: string, host: SshHost): void {
    this.#opened.set(name, this.to(host));
  }

  /** Ends also what is still logging in: of several hosts that are asked, the first answer may be enough. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#ready.map((connection) => connection.close()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
