/** A report on paper, by the browser that Debian has. */
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ControllerError } from '../../errors.ts';

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
/** A page of many charts, on a machine that is busy. */
const PRINT_MS = 120_000;

/** The first that is there; `undefined`: none. */
function findBrowser(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const paths = BROWSERS.flatMap((name) => folders.map((folder) => join(folder, name)));
  return paths.find((path) => existsSync(path));
}

/** Prints the page into the file. Throws `ControllerError` (`PROGRAM_MISSING`, `BROWSER_FAILED`). */
export async function printPdf(
  page: string,
  file: string,
  find: () => string | undefined = findBrowser,
): Promise<void> {
  const browser = find();
  if (browser === undefined)
    throw new ControllerError(
      'PROGRAM_MISSING',
      'there is no Chromium, which prints the page',
      'install it: apt-get install chromium; or open the page of `netfold report` in any browser and print it',
    );
  const folder = mkdtempSync(join(tmpdir(), 'netfold-pdf-'));
  try {
    const html = join(folder, 'report.html');
    writeFileSync(html, page);
    const printed = join(folder, 'report.pdf');
    const said = (await print(browser, folder, html, printed)) ?? copied(printed, file);
    if (said !== undefined)
      throw new ControllerError(
        'BROWSER_FAILED',
        `${file} was not written by ${browser}: ${said}`,
        'give a path in a folder that you may write to; or print the page of `netfold report` by hand',
      );
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** What went wrong, in words. */
function copied(from: string, to: string): string | undefined {
  if (!existsSync(from)) return 'it says nothing';
  try {
    copyFileSync(from, to);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** What it says if it fails. */
function print(browser: string, folder: string, html: string, target: string): Promise<string | undefined> {
  const words = [
    ...[
      '--headless=new',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      `--user-data-dir=${join(folder, 'profile')}`,
    ],
    // Chromium refuses to run as root otherwise; the page is netfold's own, and has no network.
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ...['--no-pdf-header-footer', '--virtual-time-budget=10000', `--print-to-pdf=${target}`],
    pathToFileURL(html).href,
  ];
  return new Promise((resolvePromise) => {
    const child = spawn(browser, words, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, HOME: folder },
    });
    const said: Buffer[] = [];
    child.stderr.on('data', (piece: Buffer) => said.push(piece));
    const timer = setTimeout(() => child.kill('SIGKILL'), PRINT_MS);
    child.on('error', (error) => {
      clearTimeout(timer);
      resolvePromise(error.message);
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      const last = Buffer.concat(said).toString().trim().split('\n').at(-1) ?? '';
      resolvePromise(code === 0 ? undefined : `exit code ${code}: ${last}`);
    });
  });
}
