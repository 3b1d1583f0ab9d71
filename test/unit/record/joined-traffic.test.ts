/** Traffic of netfold's own in joined records: each part knows the ends on its hosts. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changesSince, readDescription } from '../../../controller/record/description.ts';
import { joinParts, readPart } from '../../../controller/record/parts/join.ts';
import { joinedTraffic } from '../../../controller/record/parts/traffic.ts';
import { complete } from '../../../controller/record/recorder.ts';
import { readTraffic, writeTraffic } from '../../../controller/record/traffic-file.ts';
import type { TrafficRow } from '../../../controller/traffic-rows.ts';
import { makeRecord } from '../../support/records.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'netfold-traffic-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const ROW: TrafficRow = {
  ...{ name: 'voice', kind: 'cbr', protocol: 'udp', from: 'a.0', to: 'b.0', sources: 2 },
  ...{ sent: 0, sentBytes: 0, refused: 0, late: 0, received: 0, receivedBytes: 0 },
  ...{ lost: null, meanDelayMs: null, mostDelayMs: null },
};
const SENT = { ...ROW, sent: 100, sentBytes: 10_000, refused: 1, late: 2 };
const RECEIVED = { ...ROW, received: 98, receivedBytes: 9800, meanDelayMs: 20.5, mostDelayMs: 31 };
const WHOLE = {
  ...SENT,
  ...{ received: 98, receivedBytes: 9800, meanDelayMs: 20.5, mostDelayMs: 31, lost: 3 },
};

const at = (...endpoints: string[]) => ({
  ...{ has: (endpoint: string) => endpoints.includes(endpoint), lastMs: 60_000 },
});

describe('what two ends tell', () => {
  it('is one row, in which what was sent is the sender’s and what was received the receiver’s', () => {
    const parts = [
      { rows: [SENT], ...at('a.0') },
      { rows: [RECEIVED], ...at('b.0') },
    ];
    expect(joinedTraffic(parts)).toEqual([WHOLE]);
    expect(joinedTraffic(parts.toReversed())).toEqual([WHOLE]);
  });
  it('counts once, as the part that comes first has it', () => {
    const further = { rows: [SENT], ...at('a.0') };
    const copy = { rows: [{ ...SENT, sent: 50 }], ...at('a.0') };
    const receiver = { rows: [RECEIVED], ...at('b.0') };
    expect(joinedTraffic([further, receiver, copy, receiver])).toEqual([WHOLE]);
  });
  it('says nothing of loss where one end is missing or was cut off, nor of TCP', () => {
    expect(joinedTraffic([{ rows: [SENT], ...at('a.0') }])).toEqual([{ ...SENT, lost: null }]);
    const early = { rows: [SENT], ...at('a.0'), lastMs: 50_000 };
    const [row] = joinedTraffic([{ rows: [RECEIVED], ...at('b.0') }, early]);
    expect(row).toEqual({ ...WHOLE, lost: null });
    const tcp = { ...ROW, protocol: 'tcp', sent: 5 };
    expect(joinedTraffic([{ rows: [tcp], ...at('a.0', 'b.0') }])[0]!.lost).toBeNull();
  });
  it('keeps entries and pairs apart', () => {
    const other = { ...SENT, to: 'c.0' };
    const rows = joinedTraffic([{ rows: [SENT, other], ...at('a.0') }]);
    expect(rows.map(({ to }) => to)).toEqual(['b.0', 'c.0']);
  });
});

describe('a joined record', () => {
  const part = async (host: string, endpoint: string, rows: readonly TrafficRow[]): Promise<string> => {
    const folder = await makeRecord(join(root, `${host}@1`), {
      description: {
        ...{ hosts: [host], placement: { [endpoint]: host }, run: { experiment: 'wan', start: 'x' } },
      },
    });
    writeTraffic(folder, rows);
    await complete(folder, readDescription(folder));
    return folder;
  };

  it('has the traffic of all parts, with its hash', async () => {
    const parts = [await part('host-a', 'a.0', [SENT]), await part('host-b', 'b.0', [RECEIVED])];
    const folder = await joinParts(parts.map(readPart), join(root, 'all'));
    expect(readTraffic(folder)).toEqual([WHOLE]);
    const description = readDescription(folder);
    expect(description.files['traffic.json']).toMatch(/^[0-9a-f]{64}$/);
    expect(await changesSince(folder, description)).toEqual([]);
    expect(description.problems).toEqual([]);
  });
  it('has none where no part has, and names a file that can’t be read', async () => {
    const parts = [await part('host-a', 'a.0', [SENT]), await part('host-b', 'b.0', [])];
    writeFileSync(join(parts[0]!, 'traffic.json'), '[{"name": 1}]');
    const folder = await joinParts(parts.map(readPart), join(root, 'all'));
    expect(existsSync(join(folder, 'traffic.json'))).toBe(false);
    expect(readDescription(folder).problems).toContainEqual(
      expect.stringMatching(/^the traffic that host-a@1 tells of: .*traffic\.json can't be read/),
    );
  });
});
