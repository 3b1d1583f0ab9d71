import { expect, test } from 'vitest';
import { EXEMPT_NETWORK, EXEMPTIONS } from '../../../agent/linux/objects/bpf-layout.ts';
import { exemptionBytes } from '../../../agent/linux/programs/exemption-bytes.ts';
import { formatExemption, parseExemptions, requireRoomFor } from '../../../controller/exemption.ts';
import { MOST_EXEMPTIONS } from '../../../proto/bootstrap.ts';

test('ports and networks are read, and written the same', () => {
  const all = parseExemptions('tcp:8080, UDP:53,10.0.0.0/8,192.0.2.7,2001:db8::/32,::1');
  expect(all).toEqual([
    { protocol: 'tcp', port: 8080 },
    { protocol: 'udp', port: 53 },
    { network: '10.0.0.0', bits: 8 },
    { network: '192.0.2.7', bits: 32 },
    { network: '2001:db8::', bits: 32 },
    { network: '::1', bits: 128 },
  ]);
  expect(parseExemptions(all.map(formatExemption).join(','))).toEqual(all);
});

test.each([
  '',
  'tcp',
  'tcp:0',
  'tcp:65536',
  'sctp:1',
  '8080',
  '10.0.0.0/33',
  '::/129',
  'fe80::1%eth0',
  'host',
  '10.0.0.0/',
  'tcp:1,',
])('%j names no traffic', (text) => {
  expect(() => parseExemptions(text)).toThrow(
    expect.objectContaining({ code: 'EXEMPTION_INVALID', blame: 'usage' }),
  );
});

test('there is room for so many of each kind', () => {
  const ports = Array.from({ length: MOST_EXEMPTIONS }, (_, index) => ({
    protocol: 'tcp' as const,
    port: index + 1,
  }));
  const networks = ports.map(({ port }) => ({ network: `10.0.0.${port}`, bits: 32 }));
  requireRoomFor([...ports, ...networks]);
  expect(() => requireRoomFor([...ports, { protocol: 'udp', port: 1 }])).toThrow(/17 ports and networks/);
});

test('the kernel’s table: numbers of each, ports in network order, networks without the bits that don’t count', () => {
  const bytes = exemptionBytes(parseExemptions('tcp:8080,10.1.2.3/12,2001:db8:ffff::/33'));
  const at = (offset: number, length: number): number[] => [...bytes.subarray(offset, offset + length)];
  expect(new Uint32Array(bytes.buffer, 0, 2)).toEqual(Uint32Array.of(1, 2));
  expect(at(EXEMPTIONS.port, 4)).toEqual([0x1f, 0x90, 6, 0]);
  const first = EXEMPTIONS.network;
  expect(at(first, 16)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 0]);
  expect(at(first + EXEMPT_NETWORK.mask, 16)).toEqual([...Array(12).fill(0xff), 0xff, 0xf0, 0, 0]);
  const second = first + EXEMPT_NETWORK.size;
  expect(at(second, 6)).toEqual([0x20, 0x01, 0x0d, 0xb8, 0x80, 0]);
  expect(at(second + EXEMPT_NETWORK.mask, 6)).toEqual([0xff, 0xff, 0xff, 0xff, 0x80, 0]);
});
