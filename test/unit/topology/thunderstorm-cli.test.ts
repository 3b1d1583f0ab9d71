import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { netfold } from '../../support/lab/cli.ts';
import { YAML } from './thunderstorm-support.ts';

// Each test waits for processes; a busy machine takes its time to start them.
vi.setConfig({ testTimeout: 60_000 });

let folder: string;
let net: string;
let storm: string;
let bad: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-storm-'));
  [net, storm, bad] = ['net.yaml', 'storm.tdl', 'bad.tdl'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(net, YAML);
  writeFileSync(storm, 'at 10s s1--s2 set latency=40.0 up=2Mbps\nat 20s client crash 6\n');
  writeFileSync(bad, 'at 10s client crash\nat 10s clint crash\n');
});

afterAll(() => rmSync(folder, { recursive: true }));

describe.concurrent('--events', () => {
  test('is part of what check checks', async () => {
    const good = await netfold('check', net, '--events', storm);
    expect([good.code, good.stdout]).toEqual([0, expect.stringContaining('2 events')]);
    const wrong = await netfold('check', net, '--events', bad);
    expect(wrong.code).toBe(1);
    expect(wrong.stdout).toContain(`${bad}:2:8: error: event: there is no service or bridge "clint"`);
  });

  test('is part of the timeline', async () => {
    const { stdout } = await netfold('timeline', net, '--events', storm, '--json');
    const rows = JSON.parse(stdout);
    expect(rows).toHaveLength(7);
    expect(rows[0]).toEqual({
      atMs: 10_000,
      epoch: 1,
      verb: 'set',
      target: 's1--s2',
      detail: 'latency=40ms up=2Mbps',
      file: storm,
      line: 1,
    });
  });

  test('is part of paths and shares at an instant', async () => {
    const ends = ['--from', 'client.0', '--to', 'server.0'];
    const latencies = await Promise.all(
      ['9s', '10s'].map(async (at) => {
        const { stdout } = await netfold('paths', net, '--events', storm, ...ends, '--at', at, '--json');
        return JSON.parse(stdout)[0].latencyMs;
      }),
    );
    expect(latencies).toEqual([16, 46]);
    const flows = ['--flows', 'client.0>server.0', '--at', '10s', '--json'];
    const { stdout } = await netfold('share', net, '--events', storm, ...flows);
    expect(JSON.parse(stdout)).toMatchObject([{ rateBps: 2e6 }]);
  });

  test('names the file that can not be read', async () => {
    const { code, stderr } = await netfold('timeline', net, '--events', join(folder, 'none.tdl'));
    expect(code).toBe(1);
    expect(stderr).toContain("none.tdl can't be read: there is no such file");
  });
});
