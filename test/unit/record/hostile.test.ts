/** Records that were damaged, edited, or made by somebody who means no good: a coded error, or a page that does no harm. */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAsRun } from '../../../controller/record/again.ts';
import { RunDatabase } from '../../../controller/record/database.ts';
import { readDescription } from '../../../controller/record/description.ts';
import { exportCaptureIndexes } from '../../../controller/record/export/captures.ts';
import { exportCsv } from '../../../controller/record/export/csv.ts';
import { exportParquet } from '../../../controller/record/export/parquet.ts';
import { readRecord } from '../../../controller/record/read.ts';
import { reportData } from '../../../controller/record/report/data.ts';
import { reportPage } from '../../../controller/record/report/page.ts';
import { flow, makeRecord, path } from '../../support/records.ts';

let root: string;
let record: string;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'netfold-hostile-'));
  record = await makeRecord(join(root, 'lab@1'), {
    moment: () => ({ flows: [flow('a.0', 'b.0', 1e6)], paths: [path('a.0', 'b.0', 21)] }),
  });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const UNREADABLE = expect.objectContaining({ code: 'RECORD_UNREADABLE' });

function change(sql: string): void {
  const database = new DatabaseSync(join(record, 'run.sqlite'));
  database.exec(sql);
  database.close();
}

function describeAs(change: (description: Record<string, unknown>) => void): void {
  const file = join(record, 'record.json');
  const description = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  change(description);
  writeFileSync(file, JSON.stringify(description));
}

const everything = async (): Promise<string> => {
  readRecord(record);
  exportCsv(record, root);
  await exportParquet(record, root);
  return reportPage(reportData(record), (name) => name);
};

describe('a record', () => {
  it('that is whole can be read in every way', async () => {
    expect((await everything()).includes('a.0 → b.0')).toBe(true);
  });

  it.each([
    ['has no table', 'DROP TABLE epoch'],
    ['has no column', 'ALTER TABLE flow_sample RENAME COLUMN rate_bps TO other'],
    ['has a view instead of a table', 'DROP TABLE event; CREATE VIEW event AS SELECT 1 AS t_ms'],
    ['has text where numbers are', "INSERT INTO flow_sample VALUES (1, 'a', 'b', 'much', NULL, NULL)"],
    ['has bytes where text is', "INSERT INTO flow_sample VALUES (1, x'ff00', 'b', 1.0, NULL, NULL)"],
    [
      'has a time that no clock has',
      "INSERT INTO agent_sample VALUES (9223372036854775807, 'h', 1.0, 1, 1.0)",
    ],
  ])('whose database %s is refused', async (_, sql) => {
    change(sql);
    expect(() => readRecord(record)).toThrow(UNREADABLE);
    expect(() => reportData(record)).toThrow(UNREADABLE);
    await expect(exportParquet(record, root)).rejects.toThrow(UNREADABLE);
  });

  it('that was cut off in the middle is refused, with what to do', () => {
    truncateSync(join(record, 'run.sqlite'), 9000);
    expect(() => reportData(record)).toThrow(UNREADABLE);
    writeFileSync(join(record, 'run.sqlite'), 'no database');
    expect(() => readRecord(record)).toThrow(UNREADABLE);
    rmSync(join(record, 'run.sqlite'));
    expect(() => readRecord(record)).toThrow(/missing/);
    writeFileSync(
      join(record, 'record.json'),
      readFileSync(join(record, 'record.json'), 'utf8').slice(0, 200),
    );
    expect(() => readDescription(record)).toThrow(UNREADABLE);
  });

  it.each([['../../etc/passwd'], ['/etc/passwd'], ['..'], ['.hidden'], ['']])(
    'does not name the file %j as its topology',
    (name) => {
      describeAs(({ topology }) => {
        (topology as { texts: string[] }).texts = [name];
      });
      expect(() => readDescription(record)).toThrow(UNREADABLE);
    },
  );

  it('of another version is refused if it is later', () => {
    describeAs((description) => {
      description.format = 99;
    });
    expect(() => readDescription(record)).toThrow(/format 99/);
    describeAs((description) => {
      description.format = 0;
    });
    expect(() => readDescription(record)).toThrow(UNREADABLE);
  });

  it('whose topology was edited says so, and is reported without what it can not draw', async () => {
    const description = readDescription(record);
    expect(isAsRun({ folder: record, description })).toBe(true);
    writeFileSync(join(record, 'topology.yaml'), 'services: [nonsense');
    expect(isAsRun({ folder: record, description })).toBe(false);
    // As a whole, a page that fails would fill the screen.
    expect((await everything()).includes("The topology can't be read")).toBe(true);
  });

  it('with names that are markup makes a page that has none of theirs', async () => {
    const evil = '</script><script>alert(1)</script>"\'<img src=x onerror=alert(1)>';
    change(
      `INSERT INTO flow_sample VALUES (500, '${evil.replaceAll("'", "''")}', 'b.0', 9e9, NULL, NULL);
       INSERT INTO path_sample VALUES (500, '${evil.replaceAll("'", "''")}', 'b.0', 1.0, 2.0, 0.0);
       INSERT INTO event VALUES (1.0, 1.0, NULL, '${evil.replaceAll("'", "''")}', '${evil.replaceAll("'", "''")}', NULL);
       INSERT INTO verdict VALUES (1.0, 'degraded', 'X', 'h', '${evil.replaceAll("'", "''")}');
       INSERT INTO agent_sample VALUES (500, '${evil.replaceAll("'", "''")}', 1.0, 1, 1.0);`,
    );
    describeAs((description) => {
      description.experiment = evil;
      description.problems = [evil];
      description.processes = { [evil]: evil };
    });
    const page = await everything();
    expect(['<img', '<script>alert'].filter((text) => page.includes(text))).toEqual([]);
    expect(page.match(/<\/script>/g)).toHaveLength(3);
  });

  it('with pipes and links where files should be is read without them', async () => {
    mkdirSync(join(record, 'captures'));
    symlinkSync('/etc/passwd', join(record, 'captures', 'link.pcapng'));
    for (const name of ['captures/pipe.pcapng', 'traffic.json', 'verify.json'])
      execFileSync('mkfifo', [join(record, name)]);
    expect((await everything()).includes('a.0 → b.0')).toBe(true);
    expect(exportCaptureIndexes(record, root)).toEqual([]);
  });

  it('has one writer: another one waits for nobody, and takes nothing', () => {
    const path = join(root, 'run.sqlite');
    const first = new RunDatabase(path);
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    const nothing = { moments: [], events: [], epochs: [], verdicts: [] };
    const positions = [{ host: 'host0', incarnation: 1, next: 1 }];
    expect(() => first.append({ ...nothing, positions })).toThrow(/locked/);
    other.exec('ROLLBACK');
    first.append({ ...nothing, positions });
    expect(first.positions()).toHaveLength(1);
    other.close();
    first.close();
  });
});
