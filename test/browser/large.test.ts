/**
 * The page alone with a network that is too large to be drawn. Its server is played here: 4,000 real endpoints are more than a test
 * machine has room for. What a page costs is printed, not judged: other work on the machine makes it vary.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page, WebSocketRoute } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PAGE, PAGE_POLICY, readProgram } from '../../controller/ui/page.ts';
import type { AnswerOf } from '../../proto/api/v1/routes.ts';
import { complaintsOf, openBrowser, SCREENSHOTS } from './page.ts';

const BRIDGES = 400;
const ENDPOINTS = 3600;
const FLOWS = 500;
const PERIOD_MS = 200;
const PATIENCE = { timeout: 60_000 };

const endpoint = (number: number): string => `e.${number % ENDPOINTS}`;
const bridgeOf = (number: number): string => `b${(number % ENDPOINTS) % BRIDGES}`;
const receiver = (sender: number): number => (sender * 37 + 900) % ENDPOINTS;

function topology(): AnswerOf<'getTopology'> {
  const pairs = [
    ...Array.from({ length: ENDPOINTS }, (_, number) => [endpoint(number), bridgeOf(number)] as const),
    ...Array.from({ length: BRIDGES - 1 }, (_, number) => [`b${number + 1}`, `b${number >> 2}`] as const),
  ];
  const facts = { latencyMs: 5, jitterMs: 0, loss: 0, bandwidthBps: 1e8 };
  return {
    ...{ file: 'large.yaml', nowMs: 0, epoch: 0, routing: 'latency', partitions: [] },
    nodes: [
      ...Array.from({ length: ENDPOINTS }, (_, number) => {
        return { name: endpoint(number), kind: 'endpoint' as const, service: 'e' };
      }),
      ...Array.from({ length: BRIDGES }, (_, number) => {
        return { name: `b${number}`, kind: 'bridge' as const, service: null };
      }),
    ],
    links: pairs.flatMap(([a, b]) => [
      { name: `${a}->${b}`, from: a, to: b, ...facts },
      { name: `${b}->${a}`, from: b, to: a, ...facts },
    ]),
  };
}

/** By `from>to`, what `make` gives for each flow. */
function ofFlows(make: (from: string, to: string, sender: number) => object): object {
  const rows = Array.from({ length: FLOWS }, (_, sender) => {
    const [from, to] = [endpoint(sender), endpoint(receiver(sender))];
    return [`${from}>${to}`, { from, to, ...make(from, to, sender) }];
  });
  return Object.fromEntries(rows);
}

const flows = (turn: number): object =>
  ofFlows((_, __, sender) => {
    const rateBps = 1e6 * (1 + ((sender * 7 + turn * 13) % 100) / 100);
    return { rateBps, shareBps: 2e6, greedy: true, limitedBy: null, host: 'host0' };
  });

function snapshot(): object {
  const paths = ofFlows((from, to, sender) => {
    return { links: [`${from}->${bridgeOf(sender)}`, `${bridgeOf(receiver(sender))}->${to}`] };
  });
  const endpoints = Array.from({ length: ENDPOINTS }, (_, number) => {
    const name = endpoint(number);
    return [name, { name, service: 'e', host: 'host0', addresses: ['10.0.0.1'], process: null }];
  });
  const verdicts = { verdict: 'faithful', verdictNow: 'faithful' };
  return {
    ...{ type: 'snapshot', nowMs: 0, flows: { set: flows(0) }, paths: { set: paths } },
    experiment: { set: { large: { name: 'large', epoch: 0, faults: [], nextEventMs: null, ...verdicts } } },
    endpoints: { set: Object.fromEntries(endpoints) },
  };
}

const VERDICT = { verdict: 'faithful', now: 'faithful', since: null, causes: [], forgotten: 0, paths: [] };
const ANSWERS: Readonly<Record<string, unknown>> = {
  '/api/v1/experiments': [{ name: 'large' }],
  '/api/v1/experiments/large/topology': topology(),
  '/api/v1/experiments/large/events': { nowMs: 0, events: [], omitted: 0 },
  '/api/v1/experiments/large/verdict': VERDICT,
};

function play(socket: WebSocketRoute): void {
  let turn = 0;
  socket.send(JSON.stringify(snapshot()));
  const timer = setInterval(() => {
    turn++;
    socket.send(JSON.stringify({ type: 'change', nowMs: turn * PERIOD_MS, flows: { set: flows(turn) } }));
  }, PERIOD_MS);
  socket.onClose(() => clearInterval(timer));
}

let browser: Browser;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  browser = await openBrowser();
  page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: 'dark' });
  complaints = complaintsOf(page);
  await page.route('**/*', (route) => {
    const { pathname } = new URL(route.request().url());
    const headers = { 'content-security-policy': PAGE_POLICY };
    if (pathname === '/') return route.fulfill({ contentType: 'text/html', body: PAGE, headers });
    if (pathname === '/dashboard.js')
      return route.fulfill({ contentType: 'text/javascript', body: readProgram() });
    return route.fulfill({ contentType: 'application/json', body: JSON.stringify(ANSWERS[pathname]) });
  });
  await page.routeWebSocket(/\/stream$/, play);
});

afterAll(() => browser?.close());

it('shows 4,000 nodes as a matrix and as lists, of which only the rows in sight are made', async () => {
  const start = performance.now();
  await page.goto('http://127.0.0.1:9/');
  await page.getByText(`${FLOWS} flows`).waitFor(PATIENCE);
  console.log(`4,000 nodes, 500 flows: first picture after ${(performance.now() - start).toFixed(0)} ms`);
  expect(await page.getByRole('button', { name: 'Graph', exact: true }).isDisabled()).toBe(true);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable');
  const busySeconds = async (): Promise<number> => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')!.value;
  };
  const [before, from] = [await busySeconds(), performance.now()];
  await page.waitForTimeout(5000);
  const seconds = (performance.now() - from) / 1000;
  console.log(
    `its thread is busy for ${(((await busySeconds()) - before) / seconds).toFixed(2)} of the time`,
  );
  await page.screenshot({ path: join(SCREENSHOTS, 'large-1440.png') });
  await page.getByRole('tab', { name: 'Endpoints' }).click();
  const rows = page.getByRole('tabpanel').getByRole('row');
  await expect.poll(() => rows.count(), PATIENCE).toBeGreaterThan(5);
  expect(await rows.count()).toBeLessThan(100);
  await page.getByRole('searchbox').fill('e.3599');
  await expect.poll(() => rows.count(), PATIENCE).toBe(2);
  expect(complaints).toEqual([]);
}, 120_000);
