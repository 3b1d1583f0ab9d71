/**
 * Closes connections that neither end keeps, if connections are not kept to all: published messages go to all
 * connected peers, so each connection costs a message with every heartbeat. Connections that were made for a request,
 * or by a new host, have some seconds.
 */
import type { Timers } from '../../clock/clock.ts';

export const LOOK_MS = 2000;

export interface ChosenConnection {
  readonly status: string;
  readonly remotePeer: { toString(): string };
  close(options: { signal: AbortSignal }): Promise<void>;
  abort(error: Error): void;
}

export interface ChosenPeersPorts<Connection> {
  readonly connections: () => readonly Connection[];
  readonly timers: Timers;
}

export class ChosenPeers<Connection extends ChosenConnection> {
  readonly #ports: ChosenPeersPorts<Connection>;
  #chosen: ReadonlySet<string> | undefined;
  /** Connections that this agent did not keep at the last check. */
  #seen: ReadonlySet<Connection> = new Set();
  #cancel: (() => void) | undefined;

  constructor(ports: ChosenPeersPorts<Connection>) {
    this.#ports = ports;
  }

  start(): void {
    this.#cancel = this.#ports.timers.every(LOOK_MS, () => this.#look());
  }

  stop(): void {
    this.#cancel?.();
  }

  /** `undefined`: connections are kept to all. */
  choose(peers: ReadonlySet<string> | undefined): void {
    this.#chosen = peers;
  }

  isKept(peer: string): boolean {
    return this.#chosen?.has(peer) ?? true;
  }

  /**
   * Closes a connection that is not kept at two checks. Both ends choose the same ones as soon as both know the same
   * hosts.
   */
  #look(): void {
    const unkept = this.#ports
      .connections()
      .filter(({ status, remotePeer }) => status === 'open' && !this.isKept(remotePeer.toString()));
    for (const connection of unkept) if (this.#seen.has(connection)) end(connection);
    this.#seen = new Set(unkept);
  }
}

function end(connection: ChosenConnection): void {
  connection.close({ signal: AbortSignal.timeout(LOOK_MS) }).catch((error: Error) => connection.abort(error));
}
