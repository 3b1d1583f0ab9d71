/**
 * The part of a run that a host of another machine writes itself: nobody else may reach it for weeks. In a thread, since the disk may
 * make its writer wait, and an agent must not.
 */
import { extname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { removeFolder } from '../../machine/folders.ts';
import type { RecordedRun } from '../open.ts';
import { takeFiles } from '../recorder.ts';

/** What crosses to the thread, which reads the texts itself. */
export interface OwnRun {
  readonly run: Omit<RecordedRun, 'topology'>;
  readonly wanted: string | undefined;
}

export type ThreadOrder = 'drain' | 'complete';
export type ThreadWord =
  | { readonly kind: 'line'; readonly line: string }
  | { readonly kind: 'begun'; readonly folder: string }
  | { readonly kind: 'drained' | 'complete' };

/** It makes little garbage; the agent's own bounds would let it take some ten megabytes more. */
const MEMORY = { maxYoungGenerationSizeMb: 4 } as const;

/** An agent that ends does not wait longer for its record. */
const PATIENCE_MS = 3000;

export class OwnPart {
  readonly #experiment: string;
  readonly #worker: Worker;
  readonly #tell: (line: string) => void;
  readonly #begun = Promise.withResolvers<string | undefined>();
  readonly #drained = Promise.withResolvers<void>();
  readonly #complete = Promise.withResolvers<void>();

  /** Begins at once. A run that can't be recorded goes on without; `tell` says why. */
  constructor(own: OwnRun, tell: (line: string) => void) {
    this.#experiment = own.run.experiment;
    this.#tell = tell;
    const script = `./own-part-thread${extname(import.meta.filename)}`;
    this.#worker = new Worker(new URL(script, import.meta.url), { workerData: own, resourceLimits: MEMORY });
    this.#worker.on('message', (word: ThreadWord) => this.#hear(word));
    this.#worker.on('error', (error) => tell(`the run is not recorded: ${error.message}`));
    this.#worker.on('exit', () => {
      this.#begun.resolve(undefined);
      this.#drained.resolve();
      this.#complete.resolve();
    });
  }

  /** Where it is; `undefined`: there is none. */
  get folder(): Promise<string | undefined> {
    return this.#begun.promise;
  }

  /** The last round, while the agent still answers. Never rejects. */
  async drain(): Promise<void> {
    if ((await this.#orLate(this.folder)) === undefined) return;
    this.#order('drain');
    await this.#orLate(this.#drained.promise);
  }

  /** Before the experiment's folder goes. Never rejects. */
  async complete(): Promise<void> {
    const folder = await this.#orLate(this.folder);
    if (folder !== undefined) {
      try {
        takeFiles(folder, this.#experiment);
      } catch (error) {
        this.#tell(`files are missing in the record ${folder}: ${(error as Error).message}`);
      }
      this.#order('complete');
      await this.#orLate(this.#complete.promise);
    }
    await this.#worker.terminate();
  }

  /** Nothing has happened: the agent could not start. */
  async forget(): Promise<void> {
    const folder = await this.#orLate(this.folder);
    await this.#worker.terminate();
    if (folder !== undefined) removeFolder(folder);
  }

  #order(order: ThreadOrder): void {
    this.#worker.postMessage(order);
  }

  #orLate<T>(promise: Promise<T>): Promise<T | undefined> {
    return Promise.race([promise, sleep(PATIENCE_MS, undefined, { ref: false })]);
  }

  #hear(word: ThreadWord): void {
    if (word.kind === 'line') this.#tell(word.line);
    else if (word.kind === 'begun') this.#begun.resolve(word.folder);
    else if (word.kind === 'drained') this.#drained.resolve();
    else this.#complete.resolve();
  }
}
