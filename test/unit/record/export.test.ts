import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exportArtifact } from '../../../controller/record/export/artifact.ts';
import { checkRecord, readExpected } from '../../../controller/record/export/expected.ts';
import { licenceOf } from '../../../controller/record/export/licence.ts';
import { exportParquet } from '../../../controller/record/export/parquet.ts';
import { exportCrate } from '../../../controller/record/export/ro-crate.ts';
import { flow, makeRecord, path, type Recorded } from '../../support/records.ts';

let root: string;
let to: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'netfold-export-'));
  to = join(root, 'to');
  mkdirSync(to);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const EVENT = {
  tMs: 5001.5,
  dueMs: 5000,
  untilMs: null,
  origin: 'user',
  text: 'set a--s latency=9ms',
  outcome: 'done',
};
const RUN: Recorded = {
  moment: (second) => ({
    flows: [{ ...flow('a.0', 'b.0', 8e6 + 1000 * (second % 3)), limitedBy: second % 2 ? 'a.0->s' : null }],
    paths: [path('a.0', 'b.0', 20.1)],
  }),
  events: [EVENT],
  description: {
    images: { 'a.0': { name: 'quay.io/x/y:1', id: 'sha256:ab', digests: ['quay.io/x/y@sha256:cd'] } },
  },
};

async function parquet(table: string): Promise<Record<string, unknown>[]> {
  const file = await asyncBufferFromFile(join(to, `${table}.parquet`));
  const compressors = { ZSTD: (bytes: Uint8Array) => new Uint8Array(zstdDecompressSync(bytes)) };
  return parquetReadObjects({ file, compressors });
}

describe('export', () => {
  it('to Parquet keeps every value and its type', async () => {
    const files = await exportParquet(await makeRecord(join(root, 'r'), RUN), to);
    expect(files.map(({ rows }) => rows)).toEqual([40, 40, 40, 0, 1, 0, 0]);
    const flows = await parquet('flow_sample');
    expect(flows).toHaveLength(40);
    expect(flows[1]).toEqual({
      ...{ t_ms: 1003n, source: 'a.0', destination: 'b.0', rate_bps: 8_001_000 },
      ...{ share_bps: null, limited_by: 'a.0->s' },
    });
    expect(flows[2]!.limited_by).toBeNull();
    expect(await parquet('event')).toEqual([
      { t_ms: 5001.5, due_ms: 5000, until_ms: null, origin: 'user', text: EVENT.text, outcome: 'done' },
    ]);
    expect(await parquet('epoch')).toEqual([]);
  });

  it('as an RO-Crate has all that its profiles ask for', async () => {
    const record = await makeRecord(join(root, 'r'), RUN);
    const licence = licenceOf('CC-BY-4.0');
    await exportCrate(record, to, { licence, report: '<html></html>', sketch: '<svg/>' });
    const { '@graph': graph } = JSON.parse(readFileSync(join(to, 'ro-crate-metadata.json'), 'utf8'));
    const entities = new Map<string, Record<string, unknown>>(
      graph.map((one: { '@id': string }) => [one['@id'], one]),
    );
    expect(entities.size).toBe(graph.length);
    const refs = (value: unknown): string[] => [value].flat().map((one) => (one as { '@id': string })['@id']);
    const the = (id: string): Record<string, unknown> => entities.get(id)!;
    // RO-Crate 1.3: the descriptor, and the root with name, description, date and licence.
    expect(refs(the('ro-crate-metadata.json').about)).toEqual(['./']);
    expect(refs(the('ro-crate-metadata.json').conformsTo)).toEqual(['https://w3id.org/ro/crate/1.3']);
    const crate = the('./');
    for (const property of ['name', 'description', 'datePublished', 'license'])
      expect(crate[property]).toBeTruthy();
    expect(the(refs(crate.license)[0]!)).toMatchObject({ name: 'CC-BY-4.0' });
    expect(refs(crate.conformsTo)).toEqual([
      'https://w3id.org/ro/wfrun/process/0.6',
      'https://w3id.org/ro/wfrun/workflow/0.6',
      'https://w3id.org/workflowhub/workflow-ro-crate/1.1',
    ]);
    for (const profile of refs(crate.conformsTo)) expect(the(profile)['@type']).toBe('CreativeWork');
    // Every data entity is part of the root, and a file that is there.
    for (const id of refs(crate.hasPart)) {
      expect([the(id)['@type']].flat()).toContain('File');
      expect(Number(the(id).contentSize)).toBe(statSync(join(to, decodeURIComponent(id))).size);
    }
    // Workflow RO-Crate: the main workflow and its language.
    const workflow = the(refs(crate.mainEntity)[0]!);
    expect(workflow['@type']).toEqual(['File', 'SoftwareSourceCode', 'ComputationalWorkflow']);
    expect(the(refs(workflow.programmingLanguage)[0]!)['@type']).toBe('ComputerLanguage');
    expect(the(refs(workflow.image)[0]!)['@type']).toEqual(['File', 'ImageObject']);
    // Process and Workflow Run Crate: the action, whose instrument is the workflow.
    const action = the(refs(crate.mentions)[0]!);
    expect(action['@type']).toBe('CreateAction');
    expect(refs(action.instrument)).toEqual([workflow['@id']]);
    expect([action.startTime, action.endTime]).toEqual([expect.stringMatching(/^2026/), expect.any(String)]);
    expect(refs(action.result)).toEqual(expect.arrayContaining(['run.sqlite', 'record.json']));
    for (const id of [...refs(action.object), ...refs(action.result)]) expect(entities.has(id)).toBe(true);
    for (const id of [...refs(workflow.input), ...refs(workflow.output)])
      expect(the(id)).toMatchObject({ '@type': 'FormalParameter', additionalType: expect.any(String) });
    expect(the(refs(action.containerImage)[0]!)).toMatchObject({
      ...{ '@type': 'ContainerImage', registry: 'quay.io', name: 'x/y', tag: '1', sha256: 'cd' },
    });
    expect(the('run.sqlite').sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('as an artifact has what a reviewer needs, and its expectations hold for the run itself', async () => {
    const record = await makeRecord(join(root, 'r'), RUN);
    const files = await exportArtifact(record, to, { licence: licenceOf(undefined), report: '' });
    expect(files).toEqual(['README.md', 'LICENSE', 'run.sh', 'expected.json', 'report.html']);
    expect(statSync(join(to, 'run.sh')).mode & 0o111).toBe(0o111);
    const readme = readFileSync(join(to, 'README.md'), 'utf8');
    for (const badge of ['available', 'functional', 'reusable', 'reproduced'])
      expect(readme).toContain(`| ${badge} |`);
    const expected = readExpected(join(to, 'expected.json'));
    expect(checkRecord(join(to, 'record'), expected).map(({ kind, holds }) => [kind, holds])).toEqual([
      ['verdict', true],
      ['flow', true],
      ['path', true],
      ['event', true],
    ]);
    const slower: Recorded = {
      ...RUN,
      moment: () => ({ flows: [flow('a.0', 'b.0', 7e6)], paths: [path('a.0', 'b.0', 22)] }),
      events: [{ ...EVENT, tMs: 5040 }],
    };
    const checked = checkRecord(await makeRecord(join(root, 's'), slower), expected);
    expect(checked.map(({ holds }) => holds)).toEqual([true, false, false, false]);
    const gone = checkRecord(await makeRecord(join(root, 'g')), expected);
    expect(gone.map(({ found }) => found)).toEqual(['faithful', null, null, null]);
  });

  it('refuses what is no licence and no expectation', () => {
    expect(() => licenceOf('no such/file')).toThrow(expect.objectContaining({ code: 'LICENCE_UNKNOWN' }));
    const file = join(root, 'expected.json');
    for (const text of ['{', '{}', '{"format":2}']) {
      writeFileSync(file, text);
      expect(() => readExpected(file)).toThrow(expect.objectContaining({ code: 'RECORD_EXPECTED' }));
    }
    expect(() => readExpected(join(root, 'none'))).toThrow(
      expect.objectContaining({ code: 'RECORD_EXPECTED' }),
    );
  });
});
