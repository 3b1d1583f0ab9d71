/** Hostile members that end with their test. */
import type { ChildProcess } from 'node:child_process';
import { afterEach } from 'vitest';
import { startMember } from '../../../bench/verdict/hostile.ts';

const members = new Set<ChildProcess>();
afterEach(() => {
  for (const member of members) member.kill('SIGKILL');
  members.clear();
});

/** As `startMember`; it ends after the test at the latest. */
export function unleash(...how: Parameters<typeof startMember>): ChildProcess {
  const member = startMember(...how);
  members.add(member);
  return member;
}
