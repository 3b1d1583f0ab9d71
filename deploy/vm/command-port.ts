/**
 * Commands to a machine and their output back, over one byte stream each way (guest/runner.sh is the other side).
 *
 *   to the machine    MARK BASE64-OF-COMMAND\n
 *   from the machine  "netfold-vm ready RELEASE\n" once; then output of the command as it comes, and "\nMARK CODE\n"
 *
 * The mark is new and random for each command, so that no output is taken for its end. Messages of the kernel go to
 * the console, which is another device.
 */
import { randomUUID } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';

export interface CommandResult {
  readonly code: number;
  /** Standard output and error as they came, without what was printed after the command's end. */
  readonly output: string;
}

interface Pending {
  readonly mark: string;
  readonly onOutput: (text: string) => void;
  readonly resolve: (result: CommandResult) => void;
  readonly reject: (reason: Error) => void;
}

const READY = /^netfold-vm ready (\S+)\n/;

export class CommandPort {
  readonly #send: Writable;
  readonly #decoder = new TextDecoder();
  readonly #newMark: () => string;
  readonly #ready = Promise.withResolvers<string>();
  #isReady = false;
  #closed: Error | undefined;
  #pending: Pending | undefined;
  /** What has come of the present command (before the first: of the greeting), and how much of it was passed on. */
  #text = '';
  #passed = 0;

  constructor({ send, receive }: { send: Writable; receive: Readable }, newMark: () => string = randomUUID) {
    this.#send = send;
    this.#newMark = newMark;
    this.#ready.promise.catch(() => {});
    // A machine that ends breaks the pipe; `close` has the reason.
    send.on('error', () => {});
    receive.on('data', (chunk: Buffer) => this.#receive(this.#decoder.decode(chunk, { stream: true })));
  }

  /** Resolves with the kernel's release when the machine takes commands. */
  get ready(): Promise<string> {
    return this.#ready.promise;
  }

  /** What has come of the command that runs now. */
  get output(): string {
    return this.#text;
  }

  /** Runs a shell command. One at a time; rejects with what `close` was given. */
  run(command: string, onOutput: (text: string) => void = () => {}): Promise<CommandResult> {
    if (this.#closed) return Promise.reject(this.#closed);
    if (this.#pending) return Promise.reject(new Error('a command is running in this machine already'));
    const mark = this.#newMark();
    this.#text = '';
    this.#passed = 0;
    return new Promise((resolve, reject) => {
      this.#pending = { mark, onOutput, resolve, reject };
      this.#send.write(`${mark} ${Buffer.from(command).toString('base64')}\n`);
    });
  }

  /** The machine has ended: waiting callers get `reason`. */
  close(reason: Error): void {
    this.#closed ??= reason;
    this.#ready.reject(this.#closed);
    this.#pending?.reject(this.#closed);
    this.#pending = undefined;
  }

  #receive(text: string): void {
    this.#text += text;
    if (!this.#isReady) this.#greet();
    const pending = this.#pending;
    if (!pending) return;
    const end = this.#text.indexOf(`\n${pending.mark} `, Math.max(0, this.#passed - pending.mark.length));
    const codeEnd = end < 0 ? -1 : this.#text.indexOf('\n', end + 1);
    // Up to a line that may be the beginning of the end.
    this.#passOn(end < 0 ? this.#text.length - heldBack(this.#text, `\n${pending.mark} `) : end);
    if (codeEnd < 0) return;
    this.#pending = undefined;
    const output = this.#text.slice(0, end);
    pending.resolve({ code: Number(this.#text.slice(end + pending.mark.length + 2, codeEnd)), output });
  }

  #greet(): void {
    const match = READY.exec(this.#text);
    if (!match) return;
    this.#isReady = true;
    this.#text = '';
    this.#ready.resolve(match[1]!);
  }

  #passOn(end: number): void {
    if (end > this.#passed) this.#pending!.onOutput(this.#text.slice(this.#passed, end));
    this.#passed = Math.max(end, this.#passed);
  }
}

/** How many characters at the end of `text` may be the beginning of `mark`. */
function heldBack(text: string, mark: string): number {
  for (let length = Math.min(mark.length, text.length); length > 0; length--)
    if (text.endsWith(mark.slice(0, length))) return length;
  return 0;
}
