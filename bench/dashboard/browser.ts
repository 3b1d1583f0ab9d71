/** The dashboard in Chromium without a window, and what its page is told. */
import type { Browser, Page } from 'playwright-core';
import { millisToSeconds } from '../../proto/units.ts';
import { BenchError } from '../errors.ts';
import { startChromium } from './chromium.ts';

/** As a notebook has it. */
const SCREEN = { width: 1440, height: 900 };
const PATIENCE_MS = 60_000;
/** Between two entries of what the page has heard. */
const HEARD_MS = 5000;

/** What has come to the page since it was opened. */
export interface Heard {
  /** By the date. */
  readonly atMs: number;
  readonly updates: number;
  readonly updateBytes: number;
}

/** What a page has written down of itself. */
export interface PageNotes {
  readonly heard: readonly Heard[];
  /** Scripts that failed, and what the page's policy has refused. */
  readonly complaints: readonly string[];
}

export interface Dashboard {
  /**
   * Opens the page anew, and closes the one before. Resolves with the seconds from the request until the page has drawn the flows of
   * the whole network.
   */
  open(): Promise<number>;
  /** From now on the browser is as its users have it: its debugger keeps the answers to all requests that a page makes, 100 MB of them. */
  leave(): Promise<void>;
  /** Of all pages that were opened; `heard` is the last one's. May be called after `leave`. */
  notes(): Promise<PageNotes>;
  close(): Promise<void>;
}

/** `link` is redeemed, and the page is that of one experiment, with so many flows. Throws `MACHINE_FAILED` without Chromium, `COMMAND_FAILED`. */
export async function openDashboard(
  { url, link }: { readonly url: string; readonly link: string },
  { experiment, flows }: { readonly experiment: string; readonly flows: number },
): Promise<Dashboard> {
  const chromium = await startChromium(SCREEN);
  let browser: Browser | undefined;
  const complaints: string[] = [];
  /** A page that is there when the debugger comes stays when it goes. */
  const pageOf = async (): Promise<Page> => {
    browser ??= await chromium.debug();
    return browser.contexts()[0]!.pages()[0]!;
  };
  try {
    const first = await pageOf();
    const context = first.context();
    await context.addInitScript(NOTE_TAKER);
    // The cookie is the context's, as that of a page which opens the link.
    const answer = await context.request.get(link);
    if (!answer.ok())
      throw new BenchError('COMMAND_FAILED', `${url} refuses its link: ${await answer.text()}`);
    return {
      open: async () => {
        const page = await pageOf();
        complaints.push(...((await notesOf(page))?.complaints ?? []));
        await page.goto('about:blank');
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
      leave: async () => {
        await browser?.close();
        browser = undefined;
      },
      notes: async () => {
        const notes = await notesOf(await pageOf());
        if (!notes) throw new BenchError('COMMAND_FAILED', 'the page is not there any more');
        return { heard: notes.heard, complaints: [...complaints, ...notes.complaints] };
      },
      close: () => chromium.stop(),
    };
  } catch (error) {
    await chromium.stop();
    throw error;
  }
}

const notesOf = (page: Page): Promise<PageNotes | undefined> =>
  page.evaluate('window.netfoldNotes') as Promise<PageNotes | undefined>;

/** Whether a message of the stream changes flows. Pure; also a part of the page. */
export function isUpdate(text: string): boolean {
  return text.startsWith('{"type":"change"') && text.includes('"flows":{"set":{');
}

/** Runs in each page before its own scripts do. */
const NOTE_TAKER = `
${isUpdate.toString()}
const notes = { heard: [], complaints: [] };
window.netfoldNotes = notes;
let [updates, updateBytes] = [0, 0];
const Plain = window.WebSocket;
window.WebSocket = class extends Plain {
  constructor(...words) {
    super(...words);
    this.addEventListener('message', ({ data }) => {
      if (!isUpdate(data)) return;
      updates++;
      updateBytes += data.length;
    });
  }
};
setInterval(() => notes.heard.push({ atMs: Date.now(), updates, updateBytes }), ${HEARD_MS});
addEventListener('error', ({ message }) => notes.complaints.push(message));
addEventListener('unhandledrejection', ({ reason }) => notes.complaints.push(String(reason)));
addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
  notes.complaints.push(violatedDirective + ': ' + blockedURI));
const { error } = console;
console.error = (...words) => { notes.complaints.push(words.join(' ')); error.apply(console, words); };
`;
