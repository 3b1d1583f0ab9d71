/** A record of one million samples, as a page and as Parquet. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Moment, RunDatabase } from '../../controller/record/database.ts';
import { complete } from '../../controller/record/recorder.ts';
import { topologyHash } from '../../proto/bootstrap.ts';
import { millisToSeconds } from '../../proto/units.ts';
import { SeededRandom } from '../../topology/model/random.ts';
import type { Interruption } from '../lab.ts';
import { median, range } from '../measure/statistics.ts';
import { beyond, least, reported } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import { netfold } from './netfold.ts';

const SAMPLES = 1_000_000;
const FLOWS = 200;
const TRIES = 5;
const QUICK_TRIES = 1;
const REPORT_SECONDS = 5;
const PARQUET_SECONDS = 3;
const OPEN_SECONDS = 2;
const CHROMIUM = '/usr/bin/chromium';

export interface MillionOptions {
  readonly quick: boolean;
  readonly folder: string;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

export async function millionTable(options: MillionOptions): Promise<Table> {
  const { quick, folder, interruption, say } = options;
  say('a record of 1,000,000 samples');
  const record = join(folder, 'million');
  await writeRecord(record);
  const tries = quick ? QUICK_TRIES : TRIES;
  const page = join(folder, 'million.html');
  const timed = async (...words: string[]): Promise<number[]> => {
    const times: number[] = [];
    for (let number = 1; number <= tries; number++) {
      const began = performance.now();
      await netfold(words, folder, interruption);
      times.push(millisToSeconds(performance.now() - began));
    }
    return times;
  };
  const row = (what: string, most: number, times: readonly number[]): Row =>
    least(what, 's', most, { measured: median(times), spread: range(times), samples: times.length });
  const told = (what: string, times: readonly number[]): Row =>
    reported(what, 's', { measured: median(times), spread: range(times), samples: times.length });
  return {
    id: 'million',
    title: `a record of one million samples: ${FLOWS} flows and as many paths`,
    source: 'issue 17: report in under 5 s, export --parquet in under 3 s, the page opens in 2 s',
    method:
      'Random rates and round trips, one a second of each flow and path; the commands from their start to their end. The page: from the request until it has loaded and its charts are drawn, in Chromium without a window.',
    sampled: 'commands',
    rows: [
      row('netfold report', REPORT_SECONDS, await timed('report', record, '-o', page)),
      row(
        'netfold export --parquet',
        PARQUET_SECONDS,
        await timed('export', record, '--parquet', '-o', join(folder, 'parquet')),
      ),
      told('netfold export --csv', await timed('export', record, '--csv', '-o', join(folder, 'csv'))),
      existsSync(CHROMIUM)
        ? row('the page opens', OPEN_SECONDS, await opened(page, tries))
        : beyond(
            {
              what: 'the page opens',
              unit: 's',
              target: 0,
              bound: { kind: 'absolute', value: OPEN_SECONDS, bad: 'above' },
            },
            'there is no Chromium',
          ),
    ],
  };
}

async function opened(page: string, tries: number): Promise<number[]> {
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu'],
  });
  try {
    const times: number[] = [];
    for (let number = 1; number <= tries; number++) {
      const tab = await browser.newPage();
      const began = performance.now();
      await tab.goto(pathToFileURL(page).href, { waitUntil: 'load' });
      await tab.waitForSelector('#flow-0 canvas');
      times.push(millisToSeconds(performance.now() - began));
      await tab.close();
    }
    return times;
  } finally {
    await browser.close();
  }
}

/** Of each second, a sample of each flow, of each path, and of one agent. */
async function writeRecord(folder: string): Promise<void> {
  mkdirSync(folder);
  const random = new SeededRandom(1);
  const text = `name: million\nservices:\n  a: { replicas: ${FLOWS} }\n  b: { replicas: ${FLOWS} }\nbridges: [s]\nlinks:\n  - { from: a, to: s, latency: 5ms, bandwidth: 10Mbps }\n  - { from: b, to: s, latency: 5ms, bandwidth: 10Mbps }\n`;
  writeFileSync(join(folder, 'topology.yaml'), text);
  const names = Array.from({ length: FLOWS }, (_, n) => ({ source: `a.${n}`, destination: `b.${n}` }));
  const database = new RunDatabase(join(folder, 'run.sqlite'));
  const nothing = { events: [], epochs: [], verdicts: [], positions: [] };
  const seconds = Math.ceil(SAMPLES / (2 * FLOWS));
  const noise = (): number => random.below(1_000_000) / 1_000_000;
  for (let second = 0; second < seconds; second += 100) {
    const moments = Array.from({ length: Math.min(100, seconds - second) }, (_, n): Moment => {
      return {
        tMs: 1000 * (second + n) + 3,
        flows: names.map((ends) => ({
          ...{ ...ends, rateBps: 8e6 + 2e6 * noise(), shareBps: 10e6, limitedBy: `${ends.source}->s` },
        })),
        paths: names.map((ends) => ({ ...ends, targetMs: 20, measuredMs: 20 + noise(), lost: 0 })),
        agents: [{ host: 'host0', cpuSeconds: 0.05 * (second + n), memoryBytes: 9e7, tickMs: 1 }],
        clocks: [],
      };
    });
    database.append({ ...nothing, moments });
  }
  database.complete();
  const at = new Date(0).toISOString();
  await complete(folder, {
    ...{ format: 1, id: 'million', experiment: 'million', state: 'recording', writer: null },
    ...{ startedAt: at, beganAt: at, endedAt: null },
    versions: { netfold: '0', commit: null, node: process.versions.node },
    machine: { cpu: '', cores: 1, memoryGiB: 1, virtual: null, distribution: '', kernel: '' },
    ...{ platform: 'lab', delayBackend: 'netem', hosts: ['host0'], endpoints: 2 * FLOWS, seeds: {} },
    topology: { file: 'million.yaml', hash: topologyHash({ text }), texts: ['topology.yaml'] },
    ...{ problems: [], files: {} },
  });
}
