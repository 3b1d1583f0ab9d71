/** Counts what an agent sends, accepts and refuses on the mesh. */

import type { Origin, RejectCode, Rejection } from '../wire/rejections.ts';
import type { RequestKind } from '../wire/transport.ts';
import { type MeshLog, RejectionLog } from './rejection-log.ts';

export interface MeshStats {
  /** Gossip, requests for tables and answers; bytes without what the transport adds. */
  readonly messagesSent: number;
  readonly bytesSent: number;
  readonly messagesReceived: number;
  readonly bytesReceived: number;
  /** Flows in the updates sent. */
  readonly flowAnnouncements: number;
  /** Whole tables that were accepted after a difference was noticed. */
  readonly repairs: number;
  /** Clock requests and their answers, in both directions; they are not counted above. */
  readonly clockMessages: number;
  readonly clockBytes: number;
  readonly rejected: Readonly<Partial<Record<RejectCode, number>>>;
}

export class MeshCounters {
  readonly #log: RejectionLog;
  readonly #rejected: Partial<Record<RejectCode, number>> = {};
  #messagesSent = 0;
  #bytesSent = 0;
  #messagesReceived = 0;
  #bytesReceived = 0;
  #flowAnnouncements = 0;
  #repairs = 0;
  #clockMessages = 0;
  #clockBytes = 0;

  constructor(log: MeshLog | undefined, now: () => number) {
    this.#log = new RejectionLog(log, now);
  }

  get stats(): MeshStats {
    return {
      messagesSent: this.#messagesSent,
      bytesSent: this.#bytesSent,
      messagesReceived: this.#messagesReceived,
      bytesReceived: this.#bytesReceived,
      flowAnnouncements: this.#flowAnnouncements,
      repairs: this.#repairs,
      clockMessages: this.#clockMessages,
      clockBytes: this.#clockBytes,
      rejected: { ...this.#rejected },
    };
  }

  sent(bytes: Uint8Array, kind: 'gossip' | RequestKind): void {
    if (kind === 'clock') {
      this.#clock(bytes);
      return;
    }
    this.#messagesSent++;
    this.#bytesSent += bytes.length;
  }

  received(bytes: Uint8Array, kind: 'gossip' | RequestKind): void {
    if (kind === 'clock') {
      this.#clock(bytes);
      return;
    }
    this.#messagesReceived++;
    this.#bytesReceived += bytes.length;
  }

  #clock(bytes: Uint8Array): void {
    this.#clockMessages++;
    this.#clockBytes += bytes.length;
  }

  announced(flows: number): void {
    this.#flowAnnouncements += flows;
  }

  repaired(): void {
    this.#repairs++;
  }

  rejected(rejection: Rejection, origin: Origin): false {
    const { rejected } = rejection;
    this.#rejected[rejected] = (this.#rejected[rejected] ?? 0) + 1;
    this.#log.note(rejection, origin);
    return false;
  }
}
