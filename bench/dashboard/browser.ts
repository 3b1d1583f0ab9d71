/** The dashboard in Chromium without a window, and what its page is told. */
import type { BrowserContext, Page } from 'playwright-core';
import { findCommand } from '../../deploy/setup/processes.mjs';
import { millisToSeconds } from '../../proto/units.ts';
import { BenchError } from '../errors.ts';

/** As a notebook has it. */
const SCREEN = { viewport: { width: 1440, height: 900 }, colorScheme: 'dark' } as const;
const PATIENCE_MS = 60_000;

/** What has come to the page that is open, since its beginning. */
export interface Told {
  updates: number;
  bytes: number;
  /** Scripts that failed, and what the page's policy has refused. */
  readonly complaints: string[];
}

export interface Dashboard {
  readonly told: Told;
  /**
   * Opens the page anew, and closes the one before. Resolves with the seconds from the request until the page has drawn the flows of
   * the whole network.
   */
  open(): Promise<number>;
  close(): Promise<void>;
}

/** `link` is redeemed, and the page is that of one experiment, with so many flows. Throws `MACHINE_FAILED` without Chromium, `COMMAND_FAILED`. */
export async function openDashboard(
  { url, link }: { readonly url: string; readonly link: string },
  { experiment, flows }: { readonly experiment: string; readonly flows: number },
): Promise<Dashboard> {
  const executablePath = findCommand('chromium') ?? findCommand('chromium-browser');
  if (executablePath === undefined)
    throw new BenchError('MACHINE_FAILED', 'there is no Chromium', 'install it: apt-get install chromium');
  const { chromium } = await import('playwright-core');
  // Its own sandbox does not work for root. After a signal, playwright would end this process before the experiment is removed.
  const signals = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };
  const args = ['--no-sandbox', '--disable-gpu'];
  const browser = await chromium.launch({ executablePath, args, ...signals });
  const told: Told = { updates: 0, bytes: 0, complaints: [] };
  let page: Page | undefined;
  try {
    const context = await browser.newContext(SCREEN);
    // The cookie is the context's, as that of a page which opens the link.
    const answer = await context.request.get(link);
    if (!answer.ok())
      throw new BenchError('COMMAND_FAILED', `${url} refuses its link: ${await answer.text()}`);
    return {
      told,
      open: async () => {
        await page?.close();
        Object.assign(told, { updates: 0, bytes: 0 });
        page = await newPage(context, told);
        const began = performance.now();
        await page.goto(`${url}/#${experiment}`);
        await page
          .locator('.matrix p')
          .filter({ hasText: `${flows} flows` })
          .waitFor({ timeout: PATIENCE_MS });
        // What is in the page is on the screen with the next picture.
        await page.evaluate(
          'new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown)))',
        );
        return millisToSeconds(performance.now() - began);
      },
      close: () => browser.close(),
    };
  } catch (error) {
    await browser.close();
    throw error;
  }
}

async function newPage(context: BrowserContext, told: Told): Promise<Page> {
  const page = await context.newPage();
  page.on('pageerror', ({ message }) => told.complaints.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error') told.complaints.push(message.text());
  });
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => {
      if (!isUpdate(payload)) return;
      told.updates++;
      told.bytes += payload.length;
    }),
  );
  return page;
}

/** Whether a message of the stream changes flows. Pure. */
export function isUpdate(payload: string | Buffer): boolean {
  const text = payload.toString();
  return text.startsWith('{"type":"change"') && text.includes('"flows":{"set":{');
}
