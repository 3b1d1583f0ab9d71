/** Packets of several machines' captures as one file: moved to one clock, in order, and known again at the other end. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CaptureWriter, FileSink } from '../../../controller/capture/capture-files.ts';
import { describeInterface, interfaceFacts } from '../../../controller/capture/format/interface-facts.ts';
import type { WrittenPacket } from '../../../controller/capture/format/pcapng.ts';
import { exportPackets } from '../../../controller/capture/from-record.ts';
import type { Description } from '../../../controller/record/description.ts';
import { exportCaptureIndexes } from '../../../controller/record/export/captures.ts';
import { fromMillis } from '../../../proto/units.ts';
import { A4, B4, type FrameParts, udpFrame } from '../../support/frames.ts';
import { readPcapng } from '../../support/pcapng.ts';
import { makeRecord } from '../../support/records.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'netfold-matching-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Of makeRecord. */
const BEGAN = Date.parse('2026-01-01T00:00:00.000Z');
/** By so much the clock of host-b is behind that of host-a, which all follow. */
const BEHIND_MS = 3000;
const LAST_MS = 60_000;

const PART: Omit<NonNullable<Description['parts']>[number], 'id' | 'hosts' | 'startedAt'> = {
  ...{ endedAt: null, state: 'complete', versions: { netfold: '0', commit: null, node: '24' } },
  machine: { cpu: 'x', cores: 2, memoryGiB: 1, virtual: null, distribution: 'd', kernel: 'k' },
};
const JOINED: Partial<Description> = {
  hosts: ['host-a', 'host-b'],
  placement: { 'a.0': 'host-a', 'b.0': 'host-b' },
  clocks: {
    'host-a': { reference: 'host-a', offsetMs: null, errorMs: null },
    'host-b': { reference: 'host-a', offsetMs: BEHIND_MS, errorMs: 0.25 },
  },
  parts: [
    { id: 'a', hosts: ['host-a'], startedAt: '2026-01-01T00:00:00.000Z', ...PART },
    { id: 'b', hosts: ['host-b'], startedAt: '2026-01-01T00:00:04.000Z', ...PART },
  ],
};

type Seen = Partial<FrameParts> & Pick<WrittenPacket, 'comment'> & { readonly ms: number };

/** Of one endpoint: what it sent and received, by the clock of all; the file has that of its machine. */
function capture(
  record: string,
  end: 'a' | 'b',
  packets: readonly Seen[],
  { filter, dropped = 0 }: { readonly filter?: string; readonly dropped?: number } = {},
): void {
  const [host, address, behind] =
    end === 'a' ? (['host-a', A4, 0] as const) : (['host-b', B4, BEHIND_MS] as const);
  const facts = { name: `${end}.0`, experiment: 'wan', host, addresses: [address.join('.')] };
  mkdirSync(join(record, 'captures'), { recursive: true });
  const interfaces = [
    { name: facts.name, description: describeInterface(facts), ...(filter !== undefined && { filter }) },
  ];
  const head = { program: 'netfold 1', comment: '', interfaces };
  const writer = new CaptureWriter(new FileSink(join(record, 'captures', `${end}.pcapng`), {}), head, {});
  // Something at the beginning and the end, between which it was watched.
  const idle = (ms: number): Seen => ({
    ms,
    comment: undefined,
    source: address,
    destination: [10, 0, 0, 99],
  });
  for (const { ms, comment, ...parts } of [idle(0), ...packets, idle(LAST_MS)]) {
    const bytes = udpFrame({ source: A4, destination: B4, ...parts });
    const at = fromMillis(BEGAN + ms - behind);
    const isOutgoing = (parts.source ?? A4).join() === address.join();
    writer.write({ interface: 0, at, bytes, length: bytes.length, isOutgoing, comment });
  }
  writer.close(fromMillis(BEGAN), [{ received: 9, dropped }]);
}

interface Told {
  readonly lines: readonly string[];
  readonly ends: object;
}

/** `ENDPOINT MS COMMENT`, but for what marks beginning and end. */
async function joined(make: (record: string) => void): Promise<Told> {
  const record = await makeRecord(join(root, 'wan@1-joined'), { description: JOINED });
  make(record);
  const { file, ends, captures } = exportPackets(record, root, 'netfold 1');
  expect(captures).toBe(2);
  const { packets } = readPcapng(file);
  const lines = packets.map(
    (one) => `${one.interface} ${Math.round(one.seconds * 1000 - BEGAN)} ${one.comment ?? '-'}`,
  );
  return { lines: lines.filter((line) => !/^\S+ (0|60000) -$/.test(line)), ends };
}

const sent = (ms: number, more: Partial<Seen> = {}): Seen => ({ ms, comment: undefined, ...more });
const arrived = (ms: number, comment: string | undefined, more: Partial<Seen> = {}): Seen => ({
  ...{ ms, comment, ...more },
});

describe('packets of two machines', () => {
  it('are by one clock, and say what became of them', async () => {
    const { lines, ends } = await joined((record) => {
      capture(record, 'a', [
        sent(1000),
        sent(1100, { id: 8 }),
        sent(1200, { id: 9 }),
        sent(1300, { id: 10 }),
      ]);
      capture(record, 'b', [
        arrived(1030, 'at the interface 29ms before'),
        arrived(1101, 'lost here: not delivered within 3s', { id: 8 }),
        arrived(1340, 'at the interface 39ms before', { id: 10 }),
        arrived(1345, 'a copy, delivered again', { id: 10 }),
      ]);
    });
    expect(lines).toEqual([
      'a.0 1000 delivered at b.0 after 30ms',
      'b.0 1030 sent by a.0 30ms before, at the interface 29ms before',
      'a.0 1100 lost at b.0: at its interface after 1ms, not delivered',
      'b.0 1101 sent by a.0 1ms before, lost here: not delivered within 3s',
      'a.0 1200 lost: not at the interface of b.0 within 5s',
      'a.0 1300 delivered at b.0 after 40ms, and again after 45ms: duplicated',
      'b.0 1340 at the interface 39ms before',
      'b.0 1345 a copy, delivered again',
    ]);
    expect(ends).toEqual({ sent: 4, arrived: 2, lost: 2, unknown: 0 });
  });

  it.each<[string, (record: string) => void, RegExp]>([
    [
      'where the end was not watched yet',
      (record) => {
        capture(record, 'a', [sent(LAST_MS - 100)]);
        capture(record, 'b', []);
      },
      /its end was not surely watched/,
    ],
    [
      'where it had no room',
      (record) => {
        capture(record, 'a', [sent(1000)]);
        capture(record, 'b', [], { dropped: 3 });
      },
      /the capture there has missed packets/,
    ],
    [
      'where other packets were taken',
      (record) => {
        capture(record, 'a', [sent(1000)]);
        capture(record, 'b', [], { filter: 'icmp' });
      },
      /another filter was used there/,
    ],
    [
      'of what may be delivered in pieces',
      (record) => {
        capture(record, 'a', [sent(1000, { length: 9000 })]);
        capture(record, 'b', []);
      },
      /a train of packets/,
    ],
    [
      'of which several are alike',
      (record) => {
        capture(record, 'a', [sent(1000), sent(1001)]);
        capture(record, 'b', [arrived(1030, undefined)]);
      },
      /one of 2 that are alike, of which 1 arrived/,
    ],
  ])('are not said to be lost %s', async (_, make, comment) => {
    const { lines, ends } = await joined(make);
    expect(lines[0]).toMatch(comment);
    expect(ends).toMatchObject({ lost: 0 });
  });

  it('keep what their own file says of them', async () => {
    const { lines } = await joined((record) => {
      capture(record, 'a', [sent(1000, { comment: 'arrived at b.0 after 7ms' })]);
      capture(record, 'b', [arrived(1030, undefined)]);
    });
    expect(lines).toEqual(['a.0 1000 arrived at b.0 after 7ms', 'b.0 1030 -']);
  });

  it('have their instants in indexes by the same clock', async () => {
    const record = await makeRecord(join(root, 'wan@1-joined'), { description: JOINED });
    capture(record, 'b', [arrived(1030, undefined)]);
    exportCaptureIndexes(record, root);
    const [, ...rows] = readFileSync(join(root, 'capture_flow.csv'), 'utf8').split('\r\n');
    expect(rows.find((row) => row.includes('10.0.0.1,1000'))).toMatch(/,1030,1030,\d+,\d+$/);
  });
});

describe('an export of packets', () => {
  it('is refused where there are none, and leaves nothing of a file that is none', async () => {
    const record = await makeRecord(join(root, 'lab@1'));
    expect(() => exportPackets(record, root, 'n')).toThrow(
      expect.objectContaining({ code: 'RECORD_PACKETS' }),
    );
    mkdirSync(join(record, 'captures'));
    writeFileSync(join(record, 'captures', 'x.pcapng'), 'nothing of the kind, but long enough');
    const to = join(root, 'to');
    mkdirSync(to);
    expect(() => exportPackets(record, to, 'n')).toThrow(
      expect.objectContaining({ code: 'RECORD_UNREADABLE' }),
    );
    expect(() => readFileSync(join(to, 'packets.pcapng'))).toThrow(/ENOENT/);
  });
  it('knows an interface by its description alone', () => {
    const facts = { name: 'a.0', experiment: 'x', host: 'h', addresses: ['10.0.0.1', 'fd00::1'] };
    expect(interfaceFacts(describeInterface(facts))).toEqual(facts);
    expect(interfaceFacts('eth0 of a laptop')).toBeUndefined();
  });
});
