/** An experiment from the dashboard alone, by TLS: a topology is written, checked, started, ended, and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { experimentFolder } from '../../controller/names.ts';
import { type Connection, connect } from '../../sdk/index.ts';
import { makeCertificate } from '../support/certificate.ts';
import { netfold } from '../support/lab/cli.ts';
import { until } from '../support/lab/lab.ts';
import { expectSuccess } from '../support/lab/succeeds.ts';
import { complaintsOf, openBrowser, SCREENSHOTS, violationsOf } from './page.ts';

const ROOT = join(import.meta.dirname, '../..');
const NAME = `started-${process.pid}`;
const PATIENCE = { timeout: 60_000 };
const TOPOLOGY = `vars: { delay: 5ms }
services: { client: {}, server: { run: "echo begins; sleep 1000" } }
links:
  - { from: client, to: server, latency: "\${delay}" }
`;

let folder: string;
let server: ChildProcess;
let browser: Browser;
let page: Page;
let complaints: string[];
let there: Connection;

beforeAll(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  folder = mkdtempSync(join(tmpdir(), 'netfold-browser-'));
  const { cert, key } = makeCertificate('localhost');
  const [certFile, keyFile] = ['cert.pem', 'key.pem'].map((name) => join(folder, name)) as [string, string];
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key, { mode: 0o600 });
  const words = ['serve', '--listen', '127.0.0.1:0', '--tls-cert', certFile, '--tls-key', keyFile];
  server = spawn(join(ROOT, 'bin/netfold'), [...words, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  server.stdout!.on('data', (bytes: Buffer) => {
    out += bytes;
  });
  await until(() => out.trimEnd().endsWith('}'), 'the server listens', PATIENCE.timeout);
  const { url, link, tokenFile } = JSON.parse(out) as { url: string; link: string; tokenFile: string };
  expect(url).toMatch(/^https:\/\/127\.0\.0\.1:/);
  setDefaultCACertificates([...getCACertificates('default'), cert]);
  there = connect(url, { token: readFileSync(tokenFile, 'utf8') });
  const another = await netfold('serve', '--link', '--listen', new URL(url).host, '--tls-cert', certFile);
  expectSuccess(another);
  expect(another.stdout).toMatch(/^https:\S+\/login\?code=/);
  browser = await openBrowser();
  const viewport = { width: 1280, height: 900 };
  page = await browser.newPage({ viewport, colorScheme: 'dark', ignoreHTTPSErrors: true });
  complaints = complaintsOf(page);
  page.setDefaultTimeout(PATIENCE.timeout);
  await page.goto(link);
  await page.waitForURL(`${url}/`);
});

afterAll(async () => {
  await browser?.close();
  await netfold('down', NAME);
  if (server && server.exitCode === null && server.signalCode === null) {
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

const button = (name: string | RegExp): Locator =>
  page.getByRole('button', typeof name === 'string' ? { name, exact: true } : { name });
const editor = (): Locator => page.getByLabel('Topology', { exact: true });
const said = async (): Promise<string> => (await page.getByTestId('start').textContent()) ?? '';
const shown = async (): Promise<string> =>
  (await page.getByRole('combobox', { name: 'Experiment' }).inputValue()) ?? '';

it('checks what is written, and shows each finding at its line', async () => {
  await button('New experiment').click();
  expect(await button('Start').isDisabled()).toBe(true);
  await editor().fill(TOPOLOGY.replace('5ms', '5'));
  const findings = page.getByRole('list', { name: 'Findings' });
  await findings.waitFor();
  expect(await said()).toMatch(/^not valid: 1 error$/);
  expect(await findings.textContent()).toMatch(/Line 4.*error.*latency/);
  expect(await button('Start').isDisabled()).toBe(true);
  await findings.getByRole('button', { name: 'Line 4' }).click();
  const selected = `(() => {
    const area = document.activeElement;
    return area.value.slice(area.selectionStart, area.selectionEnd);
  })()`;
  expect(await page.evaluate(selected)).toMatch(/^ {2}- \{ from: client/);
  expect(await violationsOf(page)).toEqual([]);
  await page.screenshot({ path: join(SCREENSHOTS, 'start-findings-1280.png') });
  await page.setViewportSize({ width: 400, height: 860 });
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(400);
  await page.setViewportSize({ width: 1280, height: 900 });
});

it('starts a file that is uploaded, with a name, hosts and variables, and shows it when it is up', async () => {
  const buffer = Buffer.from(TOPOLOGY);
  await page
    .getByLabel('Topology file')
    .setInputFiles({ name: 'from the browser.yaml', mimeType: 'application/yaml', buffer });
  await expect.poll(() => editor().inputValue(), PATIENCE).toBe(TOPOLOGY);
  await page.getByLabel('Name', { exact: true }).fill(NAME);
  await page.getByLabel('Hosts', { exact: true }).fill('2');
  await page.getByLabel(/^Variables/).fill('delay=30ms');
  await expect.poll(said, PATIENCE).toMatch(/is valid: 2 endpoints/);
  await button('Start').click();
  await expect.poll(shown, PATIENCE).toBe(NAME);
  await page.getByRole('tab', { name: 'Endpoints' }).click();
  await page.getByRole('tabpanel').getByRole('button', { name: 'server.0', exact: true }).waitFor();
  const lab = there.experiment(NAME);
  expect(await lab.paths({ from: 'client.0', to: 'server.0' })).toMatchObject([{ latencyMs: 30 }]);
  expect(await there.list()).toContainEqual(
    expect.objectContaining({ name: NAME, hosts: 2, topologyFile: 'from-the-browser.yaml' }),
  );
});

it('has hosts over SSH and containers as further places, and says what hosts refuse', async () => {
  await button('New experiment').click();
  await button('Example').click();
  await expect.poll(said, PATIENCE).toMatch(/^example is valid: 3 endpoints/);
  await page.getByLabel('Where').selectOption('containers (Docker)');
  await page.getByLabel('Fetch images that are missing').check();
  expect(await page.getByLabel('Hosts', { exact: true }).count()).toBe(0);
  await button('Start').click();
  await expect.poll(() => page.getByRole('alert').textContent(), PATIENCE).toMatch(/IMAGE_ABSENT|ENGINE_/);
  await page.getByLabel('Where').selectOption('hosts over SSH');
  const inventory = 'hosts:\n  near: { address: 127.0.0.1, port: 1, user: root, is: client }\n';
  await page.getByLabel('Inventory', { exact: true }).fill(inventory);
  await button('Status').click();
  const hosts = page.getByRole('list', { name: 'Hosts' });
  await page.getByRole('alert').filter({ hasText: 'HOSTS_FAILED' }).waitFor();
  await page.getByLabel('Name', { exact: true }).fill('none');
  await button('Status').click();
  await expect.poll(() => hosts.textContent(), PATIENCE).toMatch(/✕near.*SSH_REFUSED/);
  await page.screenshot({ path: join(SCREENSHOTS, 'start-hosts-1280.png'), fullPage: true });
  expect(await violationsOf(page)).toEqual([]);
  await page.setViewportSize({ width: 400, height: 860 });
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(400);
  await page.screenshot({ path: join(SCREENSHOTS, 'start-hosts-400.png'), fullPage: true });
  await page.setViewportSize({ width: 1280, height: 900 });
  await button('Close').click();
});

it('says why it can not be started', async () => {
  await button('New experiment').click();
  await editor().fill(TOPOLOGY);
  await page.getByLabel('Name', { exact: true }).fill(NAME);
  await expect.poll(said, PATIENCE).toMatch(/is valid/);
  await button('Start').click();
  await expect.poll(() => page.getByRole('alert').textContent(), PATIENCE).toContain('EXPERIMENT_EXISTS');
  await button('Close').click();
});

it('ends it, once that was confirmed, and starts one of the same name again', async () => {
  await button('End').click();
  await button('Keep it').click();
  expect(existsSync(experimentFolder(NAME))).toBe(true);
  await button('End').click();
  await button(`End ${NAME} and remove it`).click();
  // With what was refused, if anything was.
  const facts = async (): Promise<string> =>
    (await page.locator('.top-facts, [role=alert]').allTextContents()).join(' | ');
  await expect.poll(facts, PATIENCE).toContain('ended');
  await expect.poll(() => existsSync(experimentFolder(NAME)), PATIENCE).toBe(false);
  await button('New experiment').click();
  await editor().fill(TOPOLOGY);
  await page.getByLabel('Name', { exact: true }).fill(NAME);
  await expect.poll(said, PATIENCE).toMatch(/is valid/);
  await button('Start').click();
  await expect.poll(facts, PATIENCE).toContain('live');
  await button('End').waitFor();
  // Refusals are told by the browser, too.
  expect(complaints.filter((text) => !/status of (400|404|409|503)/.test(text))).toEqual([]);
});
