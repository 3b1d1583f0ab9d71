/** The dashboard in a real browser, on the quickstart on two hosts: what its user does, in this order. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readState } from '../../controller/experiment/state.ts';
import { processesIn } from '../../controller/machine/processes.ts';
import { connect, type Lab } from '../../sdk/index.ts';
import { netfold } from '../support/lab/cli.ts';
import { complaintsOf, openBrowser, SCREENSHOTS, violationsOf } from './page.ts';

const NAME = `browser-${process.pid}`;
const QUICKSTART = join(import.meta.dirname, '../../examples/quickstart.yaml');
const WIDTHS = [400, 1280, 2560];
/** Until something is seen: a busy machine is slow. */
const PATIENCE = { timeout: 30_000 };

let browser: Browser;
let page: Page;
let lab: Lab;
let link: string;
let complaints: string[];
let traffic: Promise<unknown> = Promise.resolve();

beforeAll(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  const up = await netfold(
    ...['up', QUICKSTART, '--name', NAME, '--hosts', '2', '--detach', '--serve', '127.0.0.1:0'],
  );
  expect(up.stderr + up.stdout).toMatch(/http:/);
  link = /http:\S+/.exec(up.stdout)![0];
  lab = connect(new URL(link).origin).experiment(NAME);
  browser = await openBrowser();
  page = await browser.newPage({ viewport: { width: 1280, height: 860 }, colorScheme: 'dark' });
  complaints = complaintsOf(page);
  page.setDefaultTimeout(PATIENCE.timeout);
});

afterAll(async () => {
  await browser?.close();
  await traffic.catch(() => {});
  await netfold('down', NAME);
});

const tab = (name: string): Promise<void> => page.getByRole('tab', { name }).click();
const button = (name: string): Locator => page.getByRole('button', { name, exact: true });
/** Of a list. */
const row = (name: string): Locator => page.getByRole('tabpanel').getByRole('button', { name, exact: true });
const inspector = (): Locator => page.getByRole('region', { name: 'Selected' });
const textOf = async (locator: Locator): Promise<string> => (await locator.textContent()) ?? '';
const effect = (): Promise<string> => textOf(page.getByTestId('effect'));

async function pick(...endpoints: string[]): Promise<void> {
  await tab('Endpoints');
  for (const [index, name] of endpoints.entries())
    await row(name).click({ modifiers: index === 0 ? [] : ['Shift'] });
}

/** In force on both hosts, with how long that took. */
const inForce = (command: string): Promise<void> =>
  expect
    .poll(effect, PATIENCE)
    .toMatch(
      new RegExp(`^${command.replace(/[|*]/g, '\\$&')} in force on all 2 hosts, [\\d.]+m?s after the click$`),
    );

it('opens by the printed link, once, and is the running experiment', async () => {
  await page.goto(link);
  // Others may run on this machine, and come first in the list.
  await page.waitForURL(`${new URL(link).origin}/#${NAME}`);
  await expect
    .poll(() => page.getByRole('combobox', { name: 'Experiment' }).inputValue(), PATIENCE)
    .toBe(NAME);
  await expect.poll(() => textOf(page.getByTestId('verdict')), PATIENCE).toMatch(/faithful|degraded/);
  const cookie = (await page.context().cookies())[0]!;
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
  const other = await browser.newPage();
  await other.goto(new URL(link).origin);
  await expect.poll(() => textOf(other.getByRole('alert')), PATIENCE).toContain('TOKEN_MISSING');
  await other.close();
});

it('shows a flow when traffic starts', async () => {
  await tab('Flows');
  expect(await row('left.0 → right.0').count()).toBe(0);
  traffic = lab.exec('left.0', 'ping -q -i 0.01 -s 1400 -w 8 right.0', { check: false });
  await row('left.0 → right.0').waitFor();
  await traffic;
});

it('changes a link with several properties at once, and the measured round trip follows', async () => {
  await pick('probe.0', 'echo.0');
  await button('Measure by ping').click();
  const measured = async (): Promise<number> =>
    Number(/([\d.]+)ms measured/.exec(await textOf(page.getByTestId('round-trip')))?.[1]);
  await expect.poll(measured, PATIENCE).toBeGreaterThan(39);
  expect(await measured()).toBeLessThan(150);
  // In another tab of the page the path stays; the command line of the page is the quick way to a link.
  await tab('Control');
  await page.getByLabel('Command', { exact: true }).fill('set probe--echo latency=100ms loss=0% jitter=0ms');
  await button('Give').click();
  await inForce('set probe--echo latency=100ms loss=0% jitter=0ms');
  await expect.poll(measured, PATIENCE).toBeGreaterThan(199);
  await button('Stop pinging').click();
  await tab('Links');
  await row('client1.0->s1').click();
  await page.getByLabel('Latency', { exact: true }).fill('12ms');
  await page.getByLabel('Bandwidth', { exact: true }).fill('80Mbps');
  await page.getByRole('combobox', { name: 'Direction' }).selectOption({ label: 'client1.0 → s1' });
  await button('Change it').click();
  await inForce('set client1.0->s1 latency=12ms bandwidth=80Mbps');
  const { links } = await lab.topology();
  expect(links.find(({ name }) => name === 'client1.0->s1')).toMatchObject({
    latencyMs: 12,
    bandwidthBps: 80e6,
  });
  expect(links.find(({ name }) => name === 's1->client1.0')).toMatchObject({ latencyMs: 10 });
});

it('says why a command is refused, and shows names with markup as text', async () => {
  await tab('Control');
  await page.getByLabel('Command', { exact: true }).fill('crash <img/src=x/onerror=alert(1)>');
  await button('Give').click();
  await expect.poll(effect, PATIENCE).toContain('<img/src=x/onerror=alert(1)>');
  expect(await page.locator('img').count()).toBe(0);
});

it('crashes a service, and brings it back', async () => {
  await pick('server.2');
  await inspector().getByRole('button', { name: 'Crash' }).click();
  await inForce('crash server.2');
  await expect.poll(() => textOf(inspector()), PATIENCE).toContain('gone');
  await inspector().getByRole('button', { name: 'Join' }).click();
  await inForce('join server.2');
  await expect.poll(() => textOf(inspector()), PATIENCE).not.toContain('gone');
});

it('cuts a selection off, and heals', async () => {
  await pick('probe.0', 'left.0', 'client1.0');
  await button('Cut them off from the others').click();
  await inForce('partition probe.0 left.0 client1.0 | *');
  expect((await lab.topology()).partitions).toHaveLength(1);
  await button('Heal').click();
  await inForce('heal');
  expect((await lab.topology()).partitions).toEqual([]);
});

it('opens a log, and a terminal', async () => {
  await pick('server.0');
  await button('Log').click();
  await expect.poll(() => textOf(page.getByLabel('Log of server.0')), PATIENCE).toContain('Server listening');
  await button('Terminal').click();
  const screen = page.locator('.xterm-rows');
  await expect.poll(() => textOf(screen), PATIENCE).toMatch(/[#$]/);
  await page.keyboard.type('echo the answer is $((6*7)); tty; stty size\n');
  await expect.poll(() => textOf(screen), PATIENCE).toMatch(/the answer is 42/);
  await expect.poll(() => textOf(screen), PATIENCE).toMatch(/\d{2} \d{2,3}/);
  // Its keys are those of a terminal.
  await page.keyboard.type('sleep 1000\n');
  await page.keyboard.press('Control+c');
  await page.keyboard.type('echo still $((40+3))\n');
  await expect.poll(() => textOf(screen), PATIENCE).toContain('still 43');
  await page.keyboard.type('exit\n');
  await expect.poll(() => textOf(inspector()), PATIENCE).toContain('the shell has ended with 0');
});

it('can be used by everybody: axe-core finds nothing serious, in the dark and in the light', {
  timeout: 180_000,
}, async () => {
  traffic = Promise.all(
    ['client1.0 server.0', 'client2.0 server.1', 'client3.0 server.2'].map((pair) => {
      const [from, to] = pair.split(' ') as [string, string];
      return lab.exec(from, `iperf3 -c ${to} -t 25`, { check: false });
    }),
  );
  await tab('Flows');
  await row('client1.0 → server.0').click();
  await expect.poll(() => page.getByRole('row').count(), PATIENCE).toBeGreaterThan(3);
  for (const theme of ['dark', 'light']) {
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: width === 2560 ? 1300 : 860 });
      // The canvas is drawn anew in the next picture.
      await page.waitForTimeout(400);
      await page.screenshot({ path: join(SCREENSHOTS, `${theme}-${width}.png`), fullPage: true });
      // All that is wider than the screen scrolls inside of itself.
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      // The times stand above the rows of the timeline, and their lines pass all of these.
      const heights = (selector: string) =>
        page.evaluate<number[]>(
          `[...document.querySelectorAll('${selector}')].map((one) => one.getBoundingClientRect().height)`,
        );
      const [plot] = await heights('.axis .plot');
      for (const height of await heights('.axis .tick')) expect(height).toBeCloseTo(plot!, 0);
      // Round trips are the last column.
      const flows = `document.querySelector('[aria-label="Flows"]')`;
      if (width >= 1280)
        expect(await page.evaluate(`${flows}.scrollWidth - ${flows}.clientWidth`)).toBeLessThanOrEqual(0);
    }
    await page.setViewportSize({ width: 1280, height: 860 });
    for (const picture of ['Asked / measured', 'Matrix', 'Graph', 'Use']) {
      await button(picture).click();
      expect(await button(picture).getAttribute('aria-pressed')).toBe('true');
      await page.waitForTimeout(300);
      const file = `${theme}-${picture.toLowerCase().replace(/\W+/g, '-')}.png`;
      if (picture !== 'Use' && picture !== 'Graph') await page.screenshot({ path: join(SCREENSHOTS, file) });
    }
    for (const name of ['Flows', 'Links', 'Endpoints', 'Hosts', 'Verdict', 'Control']) {
      await tab(name);
      expect(await violationsOf(page)).toEqual([]);
    }
    await tab('Flows');
    await page.getByRole('button', { name: /colours$/ }).click();
  }
});

it('works by keys alone: the graph, the tabs', async () => {
  await page.getByRole('application').focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await expect.poll(() => textOf(inspector()), PATIENCE).toMatch(/ on host|bridge/);
  await page.keyboard.press('Escape');
  await expect.poll(() => textOf(inspector()), PATIENCE).toContain('Nothing is selected');
  await page.getByRole('tab', { name: 'Flows' }).focus();
  await page.keyboard.press('ArrowRight');
  await expect
    .poll(() => page.getByRole('tab', { name: 'Links' }).getAttribute('aria-selected'))
    .toBe('true');
});

it('says degraded, with the cause, when an agent is stopped', { timeout: 90_000 }, async () => {
  const agent = processesIn([readState(NAME)!.hosts[1]!.namespace])[0]!;
  process.kill(agent, 'SIGSTOP');
  try {
    await expect.poll(() => textOf(page.getByTestId('verdict')), PATIENCE).toContain('degraded');
    // The word itself leads to its causes.
    await page.getByTestId('verdict').click();
    await expect.poll(() => textOf(page.getByRole('tabpanel')), PATIENCE).toMatch(/HOST_SILENT.*host1/);
    await page.screenshot({ path: join(SCREENSHOTS, 'degraded-1280.png') });
    // The mesh gives its endpoints up; the page does not.
    await tab('Endpoints');
    await expect.poll(() => textOf(page.getByRole('tabpanel')), PATIENCE).toContain('its agent is silent');
  } finally {
    process.kill(agent, 'SIGCONT');
  }
  // What the policy of the page refuses would stand here.
  expect(complaints.filter((text) => !/status of (400|503)/.test(text))).toEqual([]);
});
