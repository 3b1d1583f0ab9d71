/** Echo requests that a test answers, and processor time that it sets. */
import type { Echo, EchoPort, EchoSource } from '../../../agent/fidelity/echoes.ts';

export interface SentEcho {
  readonly from: EchoSource | undefined;
  readonly address: string;
  readonly token: number;
}

export class FakeEchoes implements EchoPort {
  readonly measuresBack = true;
  /** Of a send together with its answer, ms. */
  sendMs = 0;
  /** An answer is there at the first turn after its round trip. */
  now = 0;
  /** Addresses of all that was sent. */
  readonly history: string[] = [];
  #sent: SentEcho[] = [];
  #answers: { readonly echo: Echo; readonly at: number }[] = [];
  #usedMs = 0;

  send(from: EchoSource | undefined, address: string, token: number): boolean {
    this.#sent.push({ from, address, token });
    this.history.push(address);
    this.#usedMs += this.sendMs;
    return true;
  }

  /** Those that were sent since the last call. */
  takeSent(): SentEcho[] {
    const sent = this.#sent;
    this.#sent = [];
    return sent;
  }

  answer(token: number, roundTripMs: number): void {
    this.#answers.push({ echo: { token, roundTripMicros: roundTripMs * 1000 }, at: this.now + roundTripMs });
  }

  collect(): Echo[] {
    const here = this.#answers.filter(({ at }) => at <= this.now);
    this.#answers = this.#answers.filter(({ at }) => at > this.now);
    return here.map(({ echo }) => echo);
  }

  keep(): void {}

  usedMs(): number {
    return this.#usedMs;
  }

  close(): void {}
}
