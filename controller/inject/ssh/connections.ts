/** Connections to the hosts of an inventory, all opened at once; their sockets are in a private folder. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from './connection.ts';
import type { SshHost } from './refusals.ts';

/** The path of a unix socket has 108 bytes (sys/un.h), and ssh appends 17 of its own while it makes one. */
const LONGEST_FOLDER = 70;

export class Connections {
  readonly #configFile: string | undefined;
  readonly #folder: string;
  readonly #opened = new Map<string, Promise<Connection>>();
  readonly #ready: Connection[] = [];

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
    const opened = Connection.open(host, socket, this.#configFile);
    // Whoever asks for it handles a refusal.
    opened.then(
      (connection) => this.#ready.push(connection),
      () => {},
    );
    this.#opened.set(host.name, opened);
    return opened;
  }

  /** Does not wait for hosts that have not answered: their ssh gives up by itself. */
  async close(): Promise<void> {
    await Promise.all(this.#ready.map((connection) => connection.close()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
