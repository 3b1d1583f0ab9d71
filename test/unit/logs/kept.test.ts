import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fairSize, keepLogs, keptRuns, logIn } from '../../../controller/logs/kept.ts';
import { nodesNamed } from '../../../controller/logs/sources.ts';

const LIMITS = { runs: 3, bytesOfRun: 1000, bytes: 3000 };

let folder: string;
let root: string;
let logFolder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-kept-'));
  root = join(folder, 'kept');
  logFolder = join(folder, 'logs');
  mkdirSync(logFolder);
});
afterEach(() => rmSync(folder, { recursive: true }));

const log = (node: string, text: string): void => writeFileSync(logIn(logFolder, node), text);
const state = (second: number, endpoints = ['web.0', 'web.1']) => ({
  startedAt: `2026-11-29T06:00:0${second}.000Z`,
  endpoints: endpoints.map((name) => ({ name })),
});
const end = (name: string, second: number): void =>
  keepLogs({ name, state: state(second), logFolder }, root, LIMITS);
const kept = (name?: string): string[] => keptRuns(name, root).map((run) => run.startedAt.slice(17, 19));

describe('logs of runs that have ended', () => {
  it('are there with endpoints in the order of the topology', () => {
    log('web.1', 'one\n');
    log('web.0', '');
    end('lab', 1);
    const [run] = keptRuns('lab', root);
    expect(run).toMatchObject({ name: 'lab', nodes: ['web.0', 'web.1'] });
    expect(readFileSync(logIn(run!.folder, 'web.1'), 'utf8')).toBe('one\n');
    expect(keptRuns('other', root)).toEqual([]);
  });

  it('of the same name stay beside each other, and a second removal of one run changes nothing', () => {
    log('web.0', 'first\n');
    end('lab', 1);
    log('web.0', 'second\n');
    end('lab', 2);
    log('web.0', 'half remo');
    end('lab', 2);
    const texts = keptRuns('lab', root).map((run) => readFileSync(logIn(run.folder, 'web.0'), 'utf8'));
    expect(texts.sort()).toEqual(['first\n', 'second\n']);
  });

  it('are kept without a state file, and not at all if nothing was written', () => {
    log('web.0', '');
    end('lab', 1);
    keepLogs({ name: 'lab', logFolder: join(folder, 'missing') }, root, LIMITS);
    expect(kept()).toEqual([]);
    log('web.0', 'text\n');
    keepLogs({ name: 'lab', logFolder }, root, LIMITS);
    expect(keptRuns('lab', root)[0]!.nodes).toEqual(['web.0']);
  });

  it('go, the oldest first, beyond so many runs', () => {
    log('web.0', 'text\n');
    for (const second of [1, 2, 3, 4]) {
      end('lab', second);
      settle(second);
    }
    end('lab', 5);
    expect(kept()).toEqual(['05', '04', '03']);
  });

  it('go beyond so many bytes, but never the last run', () => {
    log('web.0', `${'x'.repeat(899)}\n`);
    for (const second of [1, 2]) {
      end('lab', second);
      settle(second);
    }
    keepLogs({ name: 'lab', state: state(3), logFolder }, root, { ...LIMITS, bytes: 1900 });
    settle(3);
    expect(kept()).toEqual(['03', '02']);
    keepLogs({ name: 'lab', state: state(4), logFolder }, root, { ...LIMITS, bytes: 10 });
    expect(kept()).toEqual(['04']);
  });

  it('keep whole lines of the end of a long log, and short logs whole', () => {
    log('web.0', 'short\n');
    log('web.1', Array.from({ length: 1000 }, (_, i) => `line ${i}\n`).join(''));
    end('lab', 1);
    const [run] = keptRuns('lab', root);
    expect(readFileSync(logIn(run!.folder, 'web.0'), 'utf8')).toBe('short\n');
    const lines = readFileSync(logIn(run!.folder, 'web.1'), 'utf8').split('\n');
    expect(lines[0]).toMatch(/^\[netfold: the first 7,\d{3} bytes were not kept\]$/);
    expect(lines[1]).toMatch(/^line [89]\d\d$/);
    expect(lines.slice(-2)).toEqual(['line 999', '']);
  });

  it('ignore folders that are damaged, and leave no drafts', () => {
    mkdirSync(join(root, 'broken@1'), { recursive: true });
    writeFileSync(join(root, 'broken@1', 'run.json'), '{');
    log('web.0', 'text\n');
    end('lab', 1);
    expect(kept()).toEqual(['01']);
    expect(readdirSync(root)).toHaveLength(2);
  });
});

/** Gives the run that ended last an instant of its own: the tests end several within one millisecond. */
function settle(second: number): void {
  const run = keptRuns(undefined, root).find(({ startedAt }) => startedAt === state(second).startedAt)!;
  const file = join(run.folder, 'run.json');
  const written = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...written, endedAt: run.startedAt }));
}

describe('sizes', () => {
  it.each([
    [[10, 20], 100, 100],
    [[10, 500, 500], 110, 50],
    [[100, 100, 100, 100], 100, 25],
    [[], 100, 100],
  ])('of %j within %i are at most %i each', (sizes, total, most) => {
    expect(fairSize(sizes, total)).toBe(most);
  });
});

describe('a node', () => {
  const nodes = ['web.0', 'web.1', 'webmail', 'db'];

  it.each([
    ['web', ['web.0', 'web.1']],
    ['web.1', ['web.1']],
    ['db', ['db']],
    ['we', []],
  ])('named %s is %j', (name, expected) => {
    expect(nodesNamed(name, nodes)).toEqual(expected);
  });
});
