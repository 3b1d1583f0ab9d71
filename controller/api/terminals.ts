/** Terminals of endpoints over WebSockets: what is typed goes in, what programs write comes out, at the reader's pace. */
import { terminalInputSchema } from '../../proto/api/v1/endpoints.ts';
import type { ExperimentState } from '../experiment/state.ts';
import { ApiError, malformed } from './errors.ts';
import type { Inside, Terminal, TerminalQuery } from './ports.ts';

/** Each has a shell, and processes around it. */
const MOST_TERMINALS = 16;
/** Bytes that a reader has not taken: programs wait above it. */
const MOST_WAITING = 262_144;
/** How often a reader that was behind is looked at. */
const LOOK_MS = 50;
/** Codes of RFC 6455, section 7.4.1. */
const NORMAL = 1000;
const POLICY = 1008;

/** What is needed of a socket of the package `ws`. */
export interface TerminalSocket {
  readonly bufferedAmount: number;
  send(data: Uint8Array | string): void;
  close(code: number, reason: string): void;
  terminate(): void;
  on(event: 'message', listener: (data: { toString(): string }) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

export class Terminals {
  readonly #inside: Inside;
  readonly #open = new Set<Terminal>();

  constructor(inside: Inside) {
    this.#inside = inside;
  }

  get count(): number {
    return this.#open.size;
  }

  /** Throws `TOO_MUCH_AT_ONCE`. */
  requireRoom(): void {
    if (this.#open.size < MOST_TERMINALS) return;
    throw new ApiError(
      'TOO_MUCH_AT_ONCE',
      `${MOST_TERMINALS} terminals are open already`,
      'close one of them',
    );
  }

  open(
    socket: TerminalSocket,
    state: ExperimentState,
    endpoint: ExperimentState['endpoints'][number],
    size: TerminalQuery,
  ): void {
    socket.on('error', () => socket.terminate());
    let later: NodeJS.Timeout | undefined;
    const bye = (code: number, reason: string): void => {
      socket.send(JSON.stringify({ type: 'end', reason }));
      socket.close(code, '');
    };
    let terminal: Terminal;
    try {
      this.requireRoom();
      terminal = this.#inside.terminal(state, endpoint, size, {
        output: (bytes) => {
          socket.send(bytes);
          if (socket.bufferedAmount <= MOST_WAITING || later) return;
          terminal.pause();
          later = setInterval(() => {
            if (socket.bufferedAmount > MOST_WAITING) return;
            clearInterval(later);
            later = undefined;
            terminal.resume();
          }, LOOK_MS);
        },
        ended: (reason) => {
          this.#open.delete(terminal);
          clearInterval(later);
          bye(NORMAL, reason);
        },
      });
    } catch (error) {
      bye(POLICY, (error as Error).message);
      return;
    }
    this.#open.add(terminal);
    socket.on('message', (data) => {
      try {
        take(terminal, data.toString());
      } catch (error) {
        bye(POLICY, (error as Error).message);
        terminal.close();
      }
    });
    socket.on('close', () => {
      clearInterval(later);
      this.#open.delete(terminal);
      terminal.close();
    });
  }

  stop(): void {
    for (const terminal of this.#open) terminal.close();
  }
}

/** Throws `REQUEST_MALFORMED`. */
function take(terminal: Terminal, text: string): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const { success, data, error } = terminalInputSchema.safeParse(value);
  if (!success) throw malformed(error, 'message');
  if (data.type === 'input') terminal.write(data.text);
  else terminal.resize(data);
}
