/** Which connections are to be given up because nothing is answered on them. */

/**
 * A connection through a link that was cut is ended by its kernel (mesh-sockets.ts); this is for what else may be wrong with
 * one. An agent that starts on a busy machine leaves a question or two unanswered: if that ended connections, the others
 * that start would be kept busy by making them anew, and leave questions unanswered in turn.
 */
export const MOST_UNANSWERED = 3;

export class Unanswered<Connection extends { abort(error: Error): void }> {
  /** How many questions in a row were not answered in time. */
  readonly #counts = new WeakMap<Connection, number>();

  noteAnswer(connection: Connection): void {
    this.#counts.delete(connection);
  }

  /** A question was not answered in time. */
  note(connection: Connection): void {
    const count = (this.#counts.get(connection) ?? 0) + 1;
    this.#counts.set(connection, count);
    if (count >= MOST_UNANSWERED) connection.abort(new Error('no answers in time'));
  }
}
