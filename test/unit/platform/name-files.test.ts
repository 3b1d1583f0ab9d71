/** Files that endpoints have in place of the machine's. */
import { expect, test } from 'vitest';
import { nameServers } from '../../../controller/platform/lab/lab-plan.ts';
import { resolverText, switchText } from '../../../controller/platform/lab/name-files.ts';

test('resolv.conf names the own servers, and searches nowhere else', () => {
  const lines = (ipv4: boolean): string[] => resolverText(nameServers({ ipv4 })).split('\n').slice(1);
  expect(lines(true)).toEqual(['nameserver 127.0.0.53', 'search .', '']);
  expect(lines(false)).toEqual(['nameserver ::1', 'nameserver 127.0.0.53', 'search .', '']);
});

test.each([
  ['hosts:          files dns', 'hosts:          files dns'],
  ['hosts: files dns # as usual', 'hosts: files dns # as usual'],
  ['hosts: files mdns4_minimal [NOTFOUND=return] dns', 'hosts: files dns'],
  ['hosts: mymachines resolve [!UNAVAIL=return] files myhostname dns', 'hosts: files dns'],
  ['hosts: dns', 'hosts: files dns'],
  ['passwd: files systemd', 'passwd: files systemd'],
])('nsswitch.conf: %s', (before, after) => {
  const around = (line: string): string => `passwd:\tfiles\n${line}\nnetworks: files\n`;
  expect(switchText(around(before))).toBe(around(after));
});
