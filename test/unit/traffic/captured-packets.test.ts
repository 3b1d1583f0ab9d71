/** Traces of packets from captures: which packets, when, and how large; and files that are none. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interfaceBlock, packetBlock, sectionBlock } from '../../../controller/capture/format/pcapng.ts';
import { micros } from '../../../proto/units.ts';
import { CaptureProblem, traceOfCapture } from '../../../topology/formats/native/expand/captured-packets.ts';
import { loadTopology } from '../../../topology/load.ts';
import { A4, A6, B4, B6, udpFrame } from '../../support/frames.ts';

const [a4, b4, a6, b6] = ['10.0.0.1', '10.0.0.2', 'fd00::1', 'fd00::2'];

type Packet = readonly [atMicros: number, frame: Uint8Array];

const there = (payload: string, parts: object = {}): Buffer =>
  udpFrame({ source: A4, destination: B4, payload, ...parts });
const back = (payload: string): Buffer => udpFrame({ source: B4, destination: A4, payload });

function pcap(
  packets: readonly Packet[],
  { little = true, nanos = false, link = 1, cut = 65_535 } = {},
): Buffer {
  const word = (bytes: Buffer, at: number, value: number): void => {
    if (little) bytes.writeUInt32LE(value, at);
    else bytes.writeUInt32BE(value, at);
  };
  const head = Buffer.alloc(24);
  word(head, 0, nanos ? 0xa1b23c4d : 0xa1b2c3d4);
  word(head, 20, link);
  const records = packets.map(([at, frame]) => {
    const record = Buffer.alloc(16);
    const captured = frame.subarray(0, cut);
    word(record, 0, Math.floor(at / 1e6));
    word(record, 4, (at % 1e6) * (nanos ? 1000 : 1));
    word(record, 8, captured.length);
    word(record, 12, frame.length);
    return Buffer.concat([record, captured]);
  });
  return Buffer.concat([head, ...records]);
}

const pcapng = (packets: readonly Packet[]): Buffer =>
  Buffer.concat([
    sectionBlock('test', ''),
    interfaceBlock({ name: 'a', description: '' }, 0),
    ...packets.map(([at, bytes]) =>
      packetBlock({ interface: 0, at: micros(at), bytes, length: bytes.length, isOutgoing: true }),
    ),
  ]);

const shown = (file: Uint8Array, wanted = {}): string => {
  const { at, size, from, to, others } = traceOfCapture(file, wanted);
  const packets = Array.from(at, (time, index) => `${time} ${size[index]}`).join(', ');
  return `${from}>${to}: ${packets}; ${others}`;
};

const T = 1_700_000_000_000_000;
const TALK: readonly Packet[] = [
  [T, there('')],
  [T + 10, there('hello')],
  [T + 500, back('ok')],
  [T + 2_000_000, there('x'.repeat(1000))],
];

describe('a capture', () => {
  it.each([
    ['pcap', pcap(TALK)],
    ['pcap of the other order', pcap(TALK, { little: false })],
    ['pcap in nanoseconds', pcap(TALK, { nanos: true })],
    ['pcap with the beginnings of packets', pcap(TALK, { cut: 60 })],
    [
      'pcap of raw IP',
      pcap(
        TALK.map(([at, frame]): Packet => [at, frame.subarray(14)]),
        { link: 101 },
      ),
    ],
    ['pcapng', pcapng(TALK)],
  ])('of %s gives the packets of the first one’s direction', (_, file) => {
    expect(shown(file)).toBe(`${a4}>${b4}: 0 5, 1999990 1000; 1`);
    expect(shown(file, { from: b4 })).toBe(`${b4}>${a4}: 0 2; 2`);
    expect(shown(file, { from: a4, to: b4 })).toContain('0 5, 1999990 1000');
  });

  it('of IPv6, and of a file that was cut off in a packet', () => {
    const packets: readonly Packet[] = [
      [T, udpFrame({ source: A6, destination: B6, payload: 'abc' })],
      [T + 7, udpFrame({ source: A6, destination: B6, payload: 'abcd' })],
    ];
    expect(shown(pcap(packets))).toBe(`${a6}>${b6}: 0 3, 7 4; 0`);
    expect(shown(pcap(packets).subarray(0, -1))).toBe(`${a6}>${b6}: 0 3; 0`);
    expect(shown(pcapng(packets).subarray(0, -1))).toBe(`${a6}>${b6}: 0 3; 0`);
  });

  it('that is none, or has nothing, is refused', () => {
    expect(() => shown(Buffer.from('time,size\n1,2\n, and so on, and so on'))).toThrow('neither pcap');
    expect(() => shown(Buffer.alloc(0))).toThrow(CaptureProblem);
    expect(() => shown(pcap([]))).toThrow('no packet of IP');
    expect(() => shown(pcap(TALK), { from: '10.9.9.9' })).toThrow('from 10.9.9.9');
    expect(() => shown(pcap(TALK), { port: 1 })).toThrow('no packet of IP');
  });

  it('whose bytes are anything is read or refused', () => {
    const files = [pcap(TALK), pcapng(TALK)];
    fc.assert(
      fc.property(
        fc.constantFrom(...files),
        fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 8 }),
        (file, changes) => {
          const bytes = Buffer.from(file);
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          try {
            const { at, size } = traceOfCapture(bytes, {});
            expect(at.length).toBe(size.length);
          } catch (error) {
            if (!(error instanceof CaptureProblem)) throw error;
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a topology file', () => {
  const load = (trace: string, file: Uint8Array = pcap(TALK)) =>
    loadTopology(
      `services: { a: {}, b: {} }\nlinks: [{ from: a, to: b }]\ntraffic:\n  - { from: a, to: b, trace: ${trace} }\n`,
      'lab.yaml',
      undefined,
      undefined,
      {
        read: () => ({ problem: 'it is no text' }),
        readBytes: (path) => (path === 'call.pcap' ? { bytes: file } : { problem: 'there is none' }),
      },
    );
  it('takes a direction of it, and says what it leaves out', () => {
    const { topology, warnings, expanded } = load('call.pcap');
    expect(topology.traffic![0]).toMatchObject({ kind: 'trace', trace: 'packets: 0 5, 1999990 1000' });
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining('1 of others are left out'),
    ]);
    expect(loadTopology(expanded!(), 'lab.yaml').topology.traffic![0]!.trace).toBe(
      topology.traffic![0]!.trace,
    );
    const named = load(`{ file: call.pcap, from: ${b4}, to: ${a4} }`);
    expect([named.topology.traffic![0]!.trace, named.warnings]).toEqual(['packets: 0 2', []]);
  });
  it.each([
    ['other.pcap', 'there is none'],
    ['{ file: call.pcap, from: nobody }', 'says nothing of a capture'],
    ['{ file: call.pcap, ports: 3 }', 'says nothing of a capture'],
    ['{ from: 10.0.0.1 }', 'is not a text'],
    ['../call.pcap', 'leads out'],
  ])('%s is refused', (trace, message) => {
    expect(() => load(trace)).toThrow(message);
  });
});

describe("a link's trace", () => {
  const load = (trace: string, file: Uint8Array = pcap(TALK)) =>
    loadTopology(
      `services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, trace: ${trace} }]\n`,
      'lab.yaml',
      undefined,
      undefined,
      {
        read: () => ({ problem: 'it is no text' }),
        readBytes: (path) => (path === 'day.pcapng' ? { bytes: file } : { problem: 'there is none' }),
      },
    );
  const traceOf = ({ topology }: ReturnType<typeof load>): string | undefined => topology.links[0]!.up.trace;

  it('is what passed of one direction in each tenth of a second, frames as bandwidth counts them', () => {
    const first = load('day.pcapng', pcapng(TALK));
    // 47 and 1,042 bytes.
    expect(traceOf(first)).toBe('loop 0 2000: 0 3760, 100 0, 1900 83360');
    expect(first.warnings.map(({ message }) => message)).toContainEqual(
      expect.stringContaining('1 packets of others are left out'),
    );
    expect(traceOf(loadTopology(first.expanded!(), 'lab.yaml'))).toBe(traceOf(first));
  });
  it('counts packets without a payload as well, and has loop and phase', () => {
    const talk: readonly Packet[] = [...TALK, [T + 2_000_010, there('')], [T + 150_000, there('')]];
    const trace = `{ file: day.pcapng, from: ${a4}, to: ${b4}, loop: false, phase: 300ms }`;
    const named = load(trace, pcap(talk));
    expect(traceOf(named)).toBe('once 300 2100: 0 3760, 100 3360, 200 0, 1900 83360, 2000 3360');
    expect(named.warnings.map(({ message }) => message).join()).not.toContain('left out');
  });
  it.each([
    ['other.pcap', 'there is none'],
    ['{ file: day.pcapng, ports: 3 }', 'known keys: file, loop, phase, from, to, port'],
    ['{ file: day.csv, from: 10.0.0.1 }', 'known keys: file, loop, phase'],
    ['{ file: day.pcapng, from: nobody }', 'says nothing of a capture'],
    [`{ file: day.pcapng, from: ${b4}, to: ${a4} }`, 'are within 100 ms'],
  ])('%s is refused', (trace, message) => {
    expect(() => load(trace)).toThrow(message);
  });
});
