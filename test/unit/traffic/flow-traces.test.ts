/** Flows of a file: whose they are, when, and how large; and files that are none. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadTopology } from '../../../topology/load.ts';
import { TopologyError } from '../../../topology/model/diagnostics.ts';

/** `more`: other keys of the entry. */
function load(csv: string, more = '', after = '') {
  const text = `services: { a: { replicas: 2 }, b: {} }
links: [{ from: a, to: b, latency: 1ms }]
traffic:
  - { flows: f.csv${more} }
${after}`;
  return loadTopology(text, 'lab.yaml', undefined, undefined, {
    read: (file) => (file === 'f.csv' ? { text: csv } : { problem: 'there is none' }),
  });
}

/** What is said of the first thing that is wrong: file, line and message. */
function refusal(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    return (error as Error).message.replace(/^(.*?:\d+):\d+: error: [\w.[\]]+: /, '$1: ');
  }
  return 'nothing is wrong';
}

const shown = (csv: string, more = ''): string[] =>
  load(csv, more).topology.traffic!.map(({ name, protocol, flows }) => `${name} ${protocol} ${flows}`);

describe('flows', () => {
  it('become an entry for each pair and protocol, in order of time, from the first one on', () => {
    const csv = `time,from,to,bytes,protocol,duration
12.5,a.0,b,3000,tcp,4

10,b,a.1,700,UDP,2
11,a.0,b,1000,6,0
`;
    expect(shown(csv)).toEqual([
      'a.0>b tcp flows: 1000000 1000 0, 2500000 3000 4000000',
      'b>a.1 udp flows: 0 700 2000000',
    ]);
    expect(shown(csv, ', name: day, start: 3s, stop: 1m').map((line) => line.split(' ')[0])).toEqual([
      'day',
      'day',
    ]);
    expect(load(csv, ', start: 3s').topology.traffic!.map(({ kind, start }) => [kind, start])).toEqual([
      ['flows', 3e6],
      ['flows', 3e6],
    ]);
  });

  it('have other separators, units and columns', () => {
    expect(shown('n;to;from;time_ms;bytes\r\n1;b;"a.0";2.5;10\r\n2;b;a.0;1;20\r\n')).toEqual([
      'a.0>b tcp flows: 0 20 0, 1500 10 0',
    ]);
  });

  it('are what nfdump writes of NetFlow and IPFIX, between the ends that are named', () => {
    const csv = `ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt
2026-01-31 12:00:01,2026-01-31 12:00:02,1.500,10.0.0.1,10.0.0.2,40000,80,TCP,...AP.SF,0,0,10,5000
2026-01-31 12:00:00.250,2026-01-31 12:00:02,0.000,10.0.0.2,10.0.0.1,53,40001,UDP,........,0,0,1,90
2026-01-31 12:00:00,2026-01-31 12:00:02,0.000,10.0.0.2,10.9.9.9,53,40001,UDP,........,0,0,1,90
2026-01-31 12:00:00,2026-01-31 12:00:02,0.000,10.0.0.2,10.0.0.1,0,0,ICMP,........,0,0,1,90
Summary
flows,bytes,packets,avg_bps,avg_pps,avg_bpp
4,5270,13,1,1,1
`;
    const ends = ', ends: { 10.0.0.1: a.0, 10.0.0.2: b }';
    expect(shown(csv, ends)).toEqual(['a.0>b tcp flows: 750000 5000 1500000', 'b>a.0 udp flows: 0 90 0']);
    expect(load(csv, ends).warnings.map(({ message }) => message)).toEqual([
      '2 flows are sent, 2 of other ends or protocols are left out',
    ]);
  });

  it('are also what it writes with milliseconds, and numbers of protocols', () => {
    const csv = `ts,td,sa,da,pr,ibyt
2026-02-02 02:40:00.250,           0.000,        10.0.0.2,        10.0.0.1,17   ,     228
2026-02-02 02:40:00.000,           0.700,        10.0.0.1,        10.0.0.2,6    ,    5280
`;
    const found = shown(csv, ', ends: { 10.0.0.1: a.0, 10.0.0.2: b }');
    expect(found).toEqual(['b>a.0 udp flows: 250000 228 0', 'a.0>b tcp flows: 0 5280 700000']);
  });

  it('are in the file that agents read', () => {
    const { topology, expanded } = load(
      'time,from,to,bytes\n0,a.0,b,10\n',
      ', name: day',
      'events: [at 5s start day]',
    );
    const again = loadTopology(expanded!(), 'lab.yaml').topology;
    const bare = (one: typeof topology) => one.traffic!.map(({ position: _, ...rest }) => rest);
    expect(bare(again)).toEqual(bare(topology));
    expect(topology.traffic![0]!.start).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([
    ['', 'f.csv:1: there is no column time, from, to, bytes'],
    ['time,from,to\n1,a,b', 'f.csv:1: there is no column bytes'],
    ['time,from,to,bytes\n', 'f.csv:1: the file has no flow'],
    ['time,from,to,bytes\n1,a.0,b,10\nx,a.0,b,10', 'f.csv:3: "x" is no number'],
    ['time,from,to,bytes\n\n1,a.0,b', 'f.csv:3: the row has 3 cells, and the heading 4'],
    ['time,from,to,bytes\n1,a.0,b,0', 'f.csv:2: 0 bytes are no flow'],
    ['time,from,to,bytes\n1,a.0,b,1.5', 'f.csv:2: 1.5 bytes are no flow'],
    ['time,from,to,bytes,protocol\n1,a.0,b,9,udp', 'f.csv:2: nothing says how long'],
    ['time,from,to,bytes\n1,a.0,b,9\n2,a.0,nobody,9', 'f.csv:3: there is no "nobody"'],
    ['time,from,to,bytes\n1,b,b,9', 'f.csv:2: traffic to itself'],
    ['time,from,to,bytes\n1,a.0,b,9\n90000,b,a.0,9', 'f.csv:3: the flows begin more than a day'],
    ['time,from,to,bytes,duration\n1,a.0,b,9,90000', 'f.csv:2: the flow lasts longer than a day'],
    ['ts,sa,da,ibyt\n31.1.2026,a.0,b,9', 'f.csv:2: "31.1.2026" is no date'],
  ])('%j is refused', (csv, message) => {
    expect(refusal(() => load(csv))).toContain(message);
  });

  it.each([
    [', rate: 2Mbps', 'lab.yaml:4: "rate" is not for flows of a file'],
    [', from: a.0', 'lab.yaml:4: "from" is not for flows of a file'],
    [', ends: [a.0]', 'lab.yaml:4: this names no endpoints'],
    [', ends: { 10.0.0.1: nobody, b: b }', 'there is no "nobody"'],
  ])('with %s are refused', (more, message) => {
    expect(refusal(() => load('time,from,to,bytes\n1,10.0.0.1,b,10\n', more))).toContain(message);
  });

  it('of a file that is not there are refused, and what follows them keeps its place', () => {
    const text = `services: { a: {}, b: {} }
links: [{ from: a, to: b }]
traffic:
  - { flows: f.csv }
  - { from: a, to: c, rate: 1Mbps }
`;
    expect(() => loadTopology(text, 'lab.yaml')).toThrow('no other file can be read here');
    const read = () => ({ text: 'time,from,to,bytes\n1,a,b,10\n1,b,a,10\n' });
    const whole = (): unknown => loadTopology(text, 'lab.yaml', undefined, undefined, { read });
    expect(refusal(whole)).toContain('lab.yaml:5: there is no "c"');
  });

  it('of any text are read or refused', () => {
    const cell = fc.constantFrom(
      '1',
      '0',
      '-1',
      '',
      'a.0',
      'b',
      'udp',
      '1e9',
      '99999999999999',
      '"',
      '2026-01-31 12:00:00',
    );
    const row = fc.array(cell, { maxLength: 7 }).map((cells) => cells.join(','));
    const heading = fc.constantFrom(
      'time,from,to,bytes',
      'ts,sa,da,ibyt,pr,td',
      'time_us,from,to,bytes,protocol,duration_ms',
    );
    fc.assert(
      fc.property(heading, fc.array(row, { maxLength: 6 }), (first, rows) => {
        try {
          load([first, ...rows].join('\n'));
        } catch (error) {
          if (!(error instanceof TopologyError)) throw error;
        }
      }),
      { numRuns: 300 },
    );
  });
});
