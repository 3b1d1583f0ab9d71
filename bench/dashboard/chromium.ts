/** Chromium without a window, as a process of the bench's: its debugger can be left, and come back to. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { findCommand } from '../../deploy/setup/processes.mjs';
import { BenchError } from '../errors.ts';

const PERIOD_MS = 20;
const PATIENCE_MS = 30_000;

export interface Chromium {
  /** A connection to its debugger; closing it leaves the pages that were there before open. */
  debug(): Promise<Browser>;
  stop(): Promise<void>;
}

/** `size`: of its window, in pixels. Throws `MACHINE_FAILED` without Chromium, `COMMAND_FAILED`. */
export async function startChromium({ width, height }: { width: number; height: number }): Promise<Chromium> {
  const program = findCommand('chromium') ?? findCommand('chromium-browser');
  if (program === undefined)
    throw new BenchError('MACHINE_FAILED', 'there is no Chromium', 'install it: apt-get install chromium');
  const folder = mkdtempSync(join(tmpdir(), 'netfold-bench-'));
  // Its own sandbox does not work for root.
  const words = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--remote-debugging-port=0',
  ];
  const where = [`--user-data-dir=${folder}`, `--window-size=${width},${height}`, 'about:blank'];
  const child = spawn(program, [...words, ...where], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text: Buffer) => {
    said += text.toString();
  });
  const closed = once(child, 'close');
  const stop = async (): Promise<void> => {
    child.kill();
    await closed;
    // Its other processes write there until they have ended, too.
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
  try {
    const address = await debuggerOf(
      () => said,
      () => child.exitCode !== null,
    );
    return {
      debug: async () => (await import('playwright-core')).chromium.connectOverCDP(address),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function debuggerOf(said: () => string, hasEnded: () => boolean): Promise<string> {
  for (const until = performance.now() + PATIENCE_MS; performance.now() < until && !hasEnded(); ) {
    const [, address] = /DevTools listening on (ws:\S+)/.exec(said()) ?? [];
    if (address !== undefined) return address;
    await sleep(PERIOD_MS);
  }
  throw new BenchError('COMMAND_FAILED', `Chromium does not start: ${said().trim().slice(-500)}`);
}
