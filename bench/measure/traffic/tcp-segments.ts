/** The kernel's own count of TCP segments that an endpoint has sent: a packet that is split later counts as its frames. */
import { readFileSync } from 'node:fs';
import { namespacePath, within } from '../../../agent/kernel/netns/namespaces.ts';
import type { Place } from '../../../controller/verify/traffic.ts';

/** Acknowledgements are among them, but not what was sent a second time. */
export function segmentsSent({ namespace }: Place): number {
  return within(namespacePath(namespace), () =>
    parseSegments(readFileSync('/proc/thread-self/net/snmp', 'utf8')),
  );
}

/** The `Tcp:` lines of /proc/net/snmp: names, then values. */
export function parseSegments(text: string): number {
  const [names, values] = text
    .split('\n')
    .filter((line) => line.startsWith('Tcp:'))
    .map((line) => line.split(' '));
  return Number(values?.[names?.indexOf('OutSegs') ?? -1]);
}
