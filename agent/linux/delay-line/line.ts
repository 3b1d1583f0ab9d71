/** One endpoint's part of the delay line in the thread: its queue, its paths, and what is known of its packets. */
import { PacketQueue, type Received } from '../../kernel/netlink/nfqueue.ts';
import { queueDrops } from '../../kernel/netlink/queue-drops.ts';
import { within } from '../../kernel/netns/namespaces.ts';
import type { AddressIndex } from './address-index.ts';
import { addressWords, type Knowledge } from './addressing.ts';
import { doAll } from './do-all.ts';
import { Overflow } from './overflow.ts';
import { PathTable } from './path-table.ts';
import { COPY, KeptContent } from './treatment/kept-content.ts';

export interface LineStart {
  readonly queue: number;
  /** Of the kernel, in the namespace. */
  readonly kernelQueue: number;
  readonly namespace: string;
  readonly addresses: readonly Uint8Array[];
}

export class Line implements Knowledge {
  readonly number: number;
  readonly queue: PacketQueue;
  readonly table: PathTable;
  readonly own: Uint32Array;
  readonly book: AddressIndex;
  readonly content: KeptContent;
  readonly overflow: Overflow;
  dirty = false;
  /** Packets that wait for their release. */
  held = 0;
  /** Packets received since the queue was empty last. */
  backlog = 0;
  /** Ids of packets that are in the queue of releases twice, and whether the first time has come. */
  readonly #twice = new Map<number, boolean>();
  #keepsRuns = true;
  #received: Received = 'addresses';

  /** Binds the queue. Throws `KernelError`. */
  constructor({ queue, kernelQueue, namespace, addresses }: LineStart, book: AddressIndex, spreadSeed = 0) {
    this.number = queue;
    this.table = new PathTable(spreadSeed);
    this.book = book;
    this.own = addressWords(addresses);
    this.overflow = new Overflow(() => queueDrops(namespace, kernelQueue));
    this.content = new KeptContent(namespace);
    this.queue = within(namespace, () => new PacketQueue(kernelQueue));
    try {
      this.queue.keepGsoWhole(true);
    } catch (error) {
      this.queue.close();
      throw error;
    }
  }

  /** To be called when paths have changed: what the kernel hands over follows from what they do. */
  configure(): void {
    const { needsFrames, needsContent, needsHeaders } = this.table;
    if (needsFrames === this.#keepsRuns) this.queue.keepGsoWhole(!needsFrames);
    this.#keepsRuns = !needsFrames;
    if (needsContent) this.content.open();
    const wanted = needsContent ? 'all' : needsHeaders ? 'headers' : 'addresses';
    if (wanted !== this.#received) this.queue.want(wanted);
    this.#received = wanted;
  }

  /** The packet leaves sooner than it was to, by another entry in the queue of releases. */
  expectTwice(id: number): void {
    this.#twice.set(id, false);
  }

  /** Lets a packet pass, or a copy (`COPY`, its number). */
  accept(id: number, mark: number): void {
    if (id === COPY) {
      // The original was accepted before.
      this.queue.flush();
      this.content.send(mark);
      return;
    }
    if (this.#twice.size > 0 && this.#hasLeft(id)) return;
    const content = this.content.isEmpty ? undefined : this.content.take(id);
    if (content) this.queue.acceptAs(id, mark, content);
    else this.queue.accept(id, mark);
  }

  #hasLeft(id: number): boolean {
    const isSecond = this.#twice.get(id);
    if (isSecond === undefined) return false;
    if (isSecond) this.#twice.delete(id);
    else this.#twice.set(id, true);
    return isSecond;
  }

  close(): void {
    doAll([() => this.queue.close(), () => this.content.close()]);
  }
}
