/** What ping, iperf3 and the kernel print → numbers. */
import { describe, expect, it } from 'vitest';
import { echoPayloadBytes, parseEach, parseSummary } from '../../../bench/measure/traffic/pings.ts';
import { parseUdp } from '../../../bench/measure/traffic/udp-counters.ts';
import { parseServer } from '../../../controller/verify/goodput.ts';

function summary(sent: number, received: number, times: string): string {
  return `--- 10.1.0.2 ping statistics ---
${sent} packets transmitted, ${received} received, 0% packet loss, time 21ms
${times === '' ? '' : `rtt min/avg/max/mdev = ${times} ms`}
`;
}

describe('ping', () => {
  it('fills Ethernet frames of 64 and 1518 bytes', () => {
    expect(echoPayloadBytes(64)).toBe(18);
    expect(echoPayloadBytes(1518)).toBe(1472);
  });

  it('gives each of three round trips, even if it prints whole milliseconds', () => {
    const text = `26 bytes from 10.1.0.2: icmp_seq=1 ttl=63 time=601 ms
${summary(3, 3, '600.101/600.304/600.701/0.250')}`;
    const { sent, roundTripsMs } = parseSummary(text);
    expect(sent).toBe(3);
    expect(roundTripsMs.map((ms) => ms.toFixed(3))).toEqual(['600.101', '600.110', '600.701']);
  });

  it('gives those that came back', () => {
    expect(parseSummary(summary(3, 2, '1.5/2.0/2.5/0.5'))).toEqual({ sent: 3, roundTripsMs: [1.5, 2.5] });
    expect(parseSummary(summary(3, 1, '1.5/1.5/1.5/0.0'))).toEqual({ sent: 3, roundTripsMs: [1.5] });
    expect(parseSummary(summary(3, 0, ''))).toEqual({ sent: 3, roundTripsMs: [] });
  });

  it('refuses what is no summary of three', () => {
    expect(() => parseSummary('ping: socket: Operation not permitted')).toThrow(/can't read/);
    expect(() => parseSummary(summary(10, 10, '1.0/2.0/3.0/0.1'))).toThrow(/can't read/);
  });

  it('gives single lines without duplicates', () => {
    const text = `PING 10.1.0.2 (10.1.0.2) 18(46) bytes of data.
26 bytes from 10.1.0.2: icmp_seq=1 ttl=63 time=51.3 ms
26 bytes from 10.1.0.2: icmp_seq=1 ttl=63 time=59.9 ms (DUP!)
26 bytes from 10.1.0.2: icmp_seq=2 ttl=63 time=104 ms
${summary(2, 2, '51.3/77.6/104.0/26.3')}`;
    expect(parseEach(text)).toEqual([51.3, 104]);
    expect(() => parseEach('')).toThrow(/can't read/);
  });
});

const IPERF = `-----------------------------------------------------------
Server listening on 5201 (test #1)
-----------------------------------------------------------
Accepted connection from 10.1.0.1, port 40000
[ ID] Interval           Transfer     Bitrate
[  5]   0.00-1.00   sec  11.3 MBytes  99999 Kbits/sec                  (omitted)
[  5]   0.00-1.00   sec  11.4 MBytes  95640 Kbits/sec
[  5]   1.00-2.00   sec   900 KBytes  95643 Kbits/sec
[  5]   2.00-2.05   sec   580 KBytes  12345 Kbits/sec
- - - - - - - - - - - - - - - - - - - - - - - - -
[ ID] Interval           Transfer     Bitrate
[  5]   0.00-2.05   sec  23.0 MBytes  94000 Kbits/sec                  receiver
`;

describe('iperf3', () => {
  it('gives the whole seconds that count', () => {
    expect(parseServer(IPERF)).toEqual([95_640e3, 95_643e3]);
  });
});

it('reads the kernel’s count of datagrams by its names', () => {
  const text = `Icmp: InMsgs
Icmp: 9
Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors
Udp: 11 22 33 44 55
UdpLite: InDatagrams NoPorts InErrors OutDatagrams
UdpLite: 1 2 3 4
`;
  expect(parseUdp(text)).toEqual({ sent: 44, arrived: 22 });
});
