/** Which connections are closed because nothing is answered on them. */

/**
 * The kernel closes a connection through a link that was cut (mesh-sockets.ts); this is for all other failures. An
 * agent that starts on a busy machine does not answer a request or two. If that closed connections, other starting
 * agents would be busy with new ones, and would not answer in turn.
 */
export const MOST_UNANSWERED = 3;

export class Unanswered<Connection extends { abort(error: Error): void }> {
  /** How many requests in a row were not answered in time. */
  readonly #counts = new WeakMap<Connection, number>();

  noteAnswer(connection: Connection): void {
    this.#counts.delete(connection);
  }

  /** A request was not answered in time. */
  note(connection: Connection): void {
    const count = (this.#counts.get(connection) ?? 0) + 1;
    this.#counts.set(connection, count);
    if (count >= MOST_UNANSWERED) connection.abort(new Error('no answers in time'));
  }
}
