/** Keeps what containers write in the files in which netfold keeps the output of endpoints. */
import { closeSync, writeSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { millisToSeconds } from '../../proto/units.ts';
import { makeFolder, openToAppend, PRIVATE_FILE, PRIVATE_FOLDER } from '../files/own-files.ts';
import type { EngineRequests } from './engine-requests.ts';
import { OutputFrames } from './output-frames.ts';

export class ContainerOutput {
  readonly #requests: EngineRequests;
  readonly #folder: string;
  /** Endpoint → why its output is not kept. */
  readonly #unkept = new Map<string, string>();

  constructor(requests: EngineRequests, folder: string) {
    this.#requests = requests;
    this.#folder = folder;
  }

  get problems(): readonly string[] {
    return [...this.#unkept].map(([name, why]) => `the output of ${name} is not kept: ${why}`);
  }

  fileOf(name: string): string {
    return join(this.#folder, `${name}.log`);
  }

  /**
   * Appends what a container writes from `sinceMs` (milliseconds since 1970) on, until it ends. Throws `EngineRequestError` if the engine
   * can't be asked.
   */
  async follow(name: string, container: string, sinceMs: number, signal: AbortSignal): Promise<void> {
    const since = millisToSeconds(sinceMs).toFixed(3);
    const path = `/containers/${container}/logs?follow=1&stdout=1&stderr=1&since=${since}`;
    await this.append(name, await this.#requests.open('GET', path, { signal }));
  }

  /** Appends a stream of the engine's. Never rejects: what is broken off is over. */
  async append(name: string, stream: IncomingMessage): Promise<void> {
    const frames = new OutputFrames();
    makeFolder(this.#folder, PRIVATE_FOLDER);
    const descriptor = openToAppend(this.fileOf(name), PRIVATE_FILE);
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>)
        this.#write(name, descriptor, frames.take(chunk));
    } catch {
      // The engine ended, or nobody wants it any more.
    } finally {
      closeSync(descriptor);
    }
  }

  /** A full disk must not end the agent; what is written then is lost. */
  #write(name: string, descriptor: number, bytes: Buffer): void {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
      if (bytes.length > 0) this.#unkept.delete(name);
    } catch (error) {
      this.#unkept.set(name, (error as Error).message);
    }
  }
}
