/** The kernel's own count of the UDP datagrams that an endpoint sent and received: exact, and cheap at any rate. */
import { readFileSync } from 'node:fs';
import { namespacePath, within } from '../../../agent/kernel/netns/namespaces.ts';
import type { Place } from '../../../controller/verify/traffic.ts';

export interface UdpCount {
  /** Given to the interface and not refused by a full queue there. */
  readonly sent: number;
  /** Arrived at the port without a listener (net/ipv4/udp.c counts them in `NoPorts`). */
  readonly arrived: number;
  readonly atMs: number;
}

/** RFC 863's discard. Without a listener, no receive buffer can overflow and falsify the count. */
export const DISCARD_PORT = 9;

export function udpCount({ namespace }: Place): UdpCount {
  return within(namespacePath(namespace), () => {
    const text = readFileSync('/proc/thread-self/net/snmp', 'utf8');
    return { ...parseUdp(text), atMs: performance.now() };
  });
}

/** The `Udp:` lines of /proc/net/snmp: names, then values. */
export function parseUdp(text: string): Pick<UdpCount, 'sent' | 'arrived'> {
  const [names, values] = text
    .split('\n')
    .filter((line) => line.startsWith('Udp:'))
    .map((line) => line.split(' '));
  const of = (name: string): number => Number(values?.[names?.indexOf(name) ?? -1]);
  return { sent: of('OutDatagrams'), arrived: of('NoPorts') };
}
