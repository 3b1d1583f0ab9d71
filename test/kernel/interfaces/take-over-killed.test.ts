/** An agent that is killed at any step of taking over and giving back loses nothing of anybody's. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { findLeftovers, removeLeftover } from '../../../agent/linux/take-over/leftovers.ts';
import { giveBack, takeOver } from '../../../agent/linux/take-over/take-over.ts';
import { Administered, IFINDEX } from '../../support/kernel/administered.ts';

const PROGRAM = join(import.meta.dirname, '../../support/kernel/killed-take-over.ts');
const NEVER = 1e9;

const machines: Administered[] = [];
afterEach(() => {
  for (const machine of machines.splice(0)) machine.remove();
});

function administered(step: number): Administered {
  const machine = new Administered(`killed-${process.pid}-${step}`);
  machines.push(machine);
  machine.tc('qdisc add dev eth0 root handle 1: htb default 30');
  machine.tc('class add dev eth0 parent 1: classid 1:30 htb rate 3mbit quantum 3000');
  machine.tc('qdisc add dev eth0 parent 1:30 handle 30: pfifo limit 44');
  machine.tc('filter add dev eth0 parent 1: protocol ip prio 5 u32 match ip dst 10.0.0.1 flowid 1:30');
  machine.ip('link set dev eth0 gso_max_segs 21');
  return machine;
}

/** Runs the program until it is killed before `step`; how many steps it has when it isn't. */
function runUntil(machine: Administered, step: number): number | undefined {
  const args = [PROGRAM, machine.name, String(IFINDEX), machine.journal.folder, String(step)];
  const { signal, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (signal === 'SIGKILL') return undefined;
  expect(stderr).toBe('');
  return Number(stdout);
}

/** What `netfold cleanup` does. */
function cleanUp({ journal, at }: Administered): void {
  for (const leftover of findLeftovers({ journal }))
    if ('namespace' in leftover && leftover.namespace.path === at.namespace)
      removeLeftover(leftover, journal);
}

/** What the next agent does, when its own experiment ends. */
function runAgain(machine: Administered): void {
  takeOver(machine.at, machine.journal, 'again');
  machine.shape();
  giveBack(machine.at, machine.journal);
}

test('at any step', { timeout: 600_000 }, () => {
  const whole = administered(0);
  const untouched = whole.show();
  const count = runUntil(whole, NEVER)!;
  expect(count).toBeGreaterThan(15);
  expect(whole.show()).toBe(untouched);
  for (let step = 1; step <= count; step++) {
    const machine = administered(step);
    const before = machine.show();
    expect(runUntil(machine, step)).toBeUndefined();
    const isShaped = machine.tc('qdisc show dev eth0').includes('qdisc htb 4e46:');
    if (isShaped)
      expect(machine.journal.list(), `step ${step}`).toMatchObject([{ entry: { experiment: 'x' } }]);
    if (step % 2 === 0) cleanUp(machine);
    else runAgain(machine);
    expect(machine.show(), `step ${step}`).toBe(before);
    expect(machine.journal.list(), `step ${step}`).toEqual([]);
    machine.remove();
    machines.pop();
  }
});
