/** A browser for tests: Debian's Chromium, and the dashboard as a user has it. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { findCommand } from '../../deploy/setup/processes.mjs';

/** Build output: looked at by people, ignored by git. */
export const SCREENSHOTS = join(import.meta.dirname, '../../build/screenshots');

/** Some distributions call it by its other name. Throws where there is none. */
export function openBrowser(): Promise<Browser> {
  const executablePath = findCommand('chromium') ?? findCommand('chromium-browser');
  if (executablePath === undefined) throw new Error('there is no chromium: npm run test:browser installs it');
  // Its own sandbox does not work for root, as whom the lab runs.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
}

/** What the page has complained of: scripts that failed, and everything that its policy has refused. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  return complaints;
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Axe {
  run(options: object): Promise<{
    violations: { id: string; impact: string; nodes: { html: string; failureSummary?: string }[] }[];
  }>;
}

/** What axe-core finds that is serious or worse, one line each. */
export async function violationsOf(page: Page): Promise<string[]> {
  // By the debugger, which the page's policy does not bind.
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: Axe };
    const { violations } = await axe.run({ resultTypes: ['violations'] });
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`),
      );
  });
}
