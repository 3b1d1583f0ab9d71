import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadTopology } from '../../../../topology/load.ts';
import type { TcpBuffers } from '../../../../topology/path-warnings.ts';

const warned = (text: string, buffers?: TcpBuffers): string[] =>
  loadTopology(text, 'test.yaml', undefined, { buffers }).warnings.map(
    ({ line, code, message, remedy }) => `${line} ${code} ${message} (${remedy})`,
  );
const pair = (link: string): string =>
  `services: { a: {}, b: {} }\nlinks:\n  - { from: a, to: b, ${link} }\n`;

describe('jitter', () => {
  it('above a third of the latency of a path is told once, with the worst', () => {
    const [first, ...rest] = warned(pair('latency: 1ms, jitter: 50ms'));
    expect(first).toMatch(
      /^3 JITTER_LARGE a.0 to b.0 has a jitter of 50ms at a latency of 1ms: .*, and so for 1 more path \(keep/,
    );
    expect(rest).toEqual([]);
  });

  it.each(['latency: 3ms, jitter: 1ms', 'latency: 2ms, jitter: 1ms, distribution: uniform', 'jitter: 0ms'])(
    'is fine in %s',
    (link) => expect(warned(pair(link))).toEqual([]),
  );

  it('of a link is judged by the whole path', () => {
    const text = `services: { a: {}, b: {} }\nbridges: [s]\nlinks:\n  - { from: a, to: s, jitter: 2ms }\n  - { from: b, to: s, latency: 20ms }\n`;
    expect(warned(text)).toEqual([]);
  });
});

describe('a link with a shorter detour', () => {
  const MESH = `services: { a: {}, b: {}, c: {} }
bridges: [us, eu, ap]
links:
  - { from: a, to: us, latency: 1ms }
  - { from: b, to: eu, latency: 1ms }
  - { from: c, to: ap, latency: 1ms }
  - { from: us, to: eu, latency: 40ms }
  - { from: us, to: ap, latency: 60ms }
  - { from: eu, to: ap, latency: 120ms }
`;
  it('is told, with the way to keep it', () => {
    expect(warned(MESH)).toEqual([
      '9 LINK_UNUSED no path uses eu->ap: it takes 120ms, and a detour only 100ms, and so 1 more link (write routing: hops to keep direct links, or make the others longer)',
    ]);
  });

  it.each([
    ['is used when hops count', `routing: hops\n${MESH}`],
    ['is used when it is as long', MESH.replace('120ms', '100ms')],
    ['may be for another time', `${MESH}events:\n  - at 5s leave us\n`],
    [
      'is none through a service',
      MESH.replace('bridges: [us, eu, ap]', 'bridges: [eu, ap]')
        .replace('b: {}', 'b: {}, us: {}')
        .replace('  - { from: a, to: us, latency: 1ms }\n', '  - { from: a, to: eu, latency: 1ms }\n'),
    ],
  ])('%s', (_, text) => expect(warned(text)).toEqual([]));
});

it.each(['asymmetric', 'quickstart', 'ring'])('the example %s means what it says', (name) => {
  const text = readFileSync(new URL(`../../../../examples/${name}.yaml`, import.meta.url), 'utf8');
  expect(warned(text, { sendBytes: 4_194_304, receiveBytes: 6_291_456 })).toEqual([]);
});

describe('what the delay line holds', () => {
  it('is told of where a full path has more under way', () => {
    expect(warned(pair('latency: 2s, bandwidth: 1Gbps'))).toEqual([
      '3 QUEUE_SMALL a.0 to b.0 has 165,126 full frames under way at 1Gbps: where the kernel has no netem, 65,536 find room and others are dropped, and so for 1 more path (keep the rate below 396.886Mbps, or less with smaller packets, or use a kernel with netem (netfold doctor))',
    ]);
  });

  it.each([
    ['just fits', 'latency: 790ms, bandwidth: 1Gbps'],
    ['has no rate to fill it', 'latency: 30s'],
  ])('is not where it %s', (_, text) => {
    expect(warned(pair(text))).toEqual([]);
  });
});

describe('what a path holds', () => {
  const buffers = { sendBytes: 4_194_304, receiveBytes: 6_291_456 };

  it('beyond the buffers of TCP is told with the sysctls', () => {
    expect(warned(pair('latency: 150ms, bandwidth: 1Gbps'), buffers)).toEqual([
      '3 BUFFERS_SMALL one TCP flow from a.0 to b.0 reaches about 83.8861Mbps of 1Gbps: the path holds 37.5 MB, more than the socket buffers of this machine, and so for 1 more path (sysctl -w net.ipv4.tcp_wmem="4096 16384 75497472" net.ipv4.tcp_rmem="4096 131072 75497472", or use several flows)',
    ]);
  });

  it('names only what is too small', () => {
    const [warning] = warned(pair('latency: 15ms, bandwidth: 1Gbps'), buffers);
    expect(warning).toContain('sysctl -w net.ipv4.tcp_rmem="4096 131072 8388608", or');
  });

  it('is no matter within them, without a limit, or where they are not known', () => {
    expect(warned(pair('latency: 10ms, bandwidth: 1Gbps'), buffers)).toEqual([]);
    expect(warned(pair('latency: 1s'), buffers)).toEqual([]);
    expect(warned(pair('latency: 150ms, bandwidth: 1Gbps'))).toEqual([]);
  });
});

it('warnings of a large topology are few, and cost little', () => {
  const services = Array.from({ length: 3000 }, (_, n) => `  s${n}: {}`).join('\n');
  const links = Array.from(
    { length: 3000 },
    (_, n) => `  - { from: s${n}, to: r${n % 100}, latency: 1ms, jitter: 5ms }`,
  );
  const ring = Array.from(
    { length: 100 },
    (_, n) => `  - { from: r${n}, to: r${(n + 1) % 100}, latency: ${n === 0 ? 900 : 5}ms }`,
  );
  const bridges = Array.from({ length: 100 }, (_, n) => `r${n}`).join(', ');
  const text = `services:\n${services}\nbridges: [${bridges}]\nlinks:\n${[...links, ...ring].join('\n')}\n`;
  expect(
    warned(text)
      .map((one) => one.split(' ')[1])
      .sort(),
  ).toEqual(['JITTER_LARGE', 'LINK_UNUSED']);
});

describe('a rate of an endpoint', () => {
  const lab = (
    client: string,
    middle: string,
    more = '',
  ): string => `services: { client: { replicas: 2 }, server: {} }
bridges: [s1, s2]
links:
  - { from: client, to: s1, bandwidth: ${client} }
  - { from: s1, to: s2, bandwidth: ${middle} }
  - { from: server, to: s2, bandwidth: 500Kbps }
${more}`;

  it('that nothing comes near is told once, with the worst', () => {
    const head = 'services: { a: {}, b: {}, c: {} }\nbridges: [s]\nlinks:\n';
    const links = [
      'a, to: s, bandwidth: 10Gbps',
      'b, to: s, bandwidth: 10Mbps',
      'c, to: s, bandwidth: 20Mbps',
    ];
    expect(warned(`${head}${links.map((link) => `  - { from: ${link} }\n`).join('')}`)).toEqual([
      '4 RATE_UNREACHED no traffic comes near the 10Gbps of a.0->s: all paths through it together have 30Mbps, and so for 1 more link (check the units of both, or leave out the rate that is never reached)',
    ]);
  });

  it.each([
    ['is fine above a bottleneck', lab('9Mbps', '1Mbps')],
    ['is fine where another client has it, too', lab('100Mbps', '1Mbps')],
    [
      'may be what an event is about',
      lab('100Mbps', '1Mbps', 'events:\n  - at 5s set s1--s2 bandwidth=100Mbps\n'),
    ],
    ['is that of many together', star(20)],
    [
      'is unlimited',
      'services: { a: {}, b: {} }\nbridges: [s]\nlinks:\n  - { from: a, to: s }\n  - { from: b, to: s, bandwidth: 1Mbps }\n',
    ],
  ])('%s', (_, text) => expect(warned(text)).toEqual([]));

  it('of one client behind a slow link is told, also where services have many replicas', () => {
    const text = star(20).replace('bandwidth: 50Mbps', 'bandwidth: 1Mbps');
    expect(warned(text)).toEqual([
      expect.stringContaining('RATE_UNREACHED no traffic comes near the 1Gbps of'),
    ]);
  });
});

/** A server whose clients reach its rate together, though none does alone. */
function star(clients: number): string {
  return `services: { client: { replicas: ${clients} }, server: {} }
bridges: [s]
links:
  - { from: client, to: s, bandwidth: 50Mbps }
  - { from: server, to: s, bandwidth: 1Gbps }
`;
}
