/** What others have installed on an interface is restored after netfold, whatever it is; or netfold refuses it. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KernelError } from '../../../agent/kernel/sys/errors.ts';
import { giveBack, onInterface, takeOver } from '../../../agent/linux/take-over/take-over.ts';
import { needsJournal } from '../../../agent/linux/trees/model.ts';
import { snapshotTree } from '../../../agent/linux/trees/qdisc-tree.ts';
import { Administered, install, isPossible } from '../../support/kernel/administered.ts';
import { NOT_RESTORABLE, RESTORABLE } from '../../support/kernel/administrators-trees.ts';

// test/vm runs this on a kernel that has all kinds.
let counter = 0;
let machine: Administered;

beforeEach(() => {
  machine = new Administered(`administered-${process.pid}-${counter++}`);
});

afterEach(() => machine.remove());

const entries = (): string[] => readdirSync(machine.journal.folder);

describe('comes back as it was', () => {
  test.for(RESTORABLE.filter(isPossible))('$name', ({ lines }) => {
    install(machine, lines);
    const before = machine.show();
    expect(takeOver(machine.at, machine.journal, 'x')).toBe(true);
    expect(machine.show()).toBe(before);
    machine.shape();
    expect(machine.show()).not.toBe(before);
    giveBack(machine.at, machine.journal);
    expect(machine.show()).toBe(before);
    expect(entries()).toEqual([]);
  });

  test('the default of the kernel, which needs no journal', () => {
    const before = machine.show();
    expect(takeOver(machine.at, machine.journal, 'x')).toBe(false);
    expect(entries()).toEqual([]);
    machine.shape();
    giveBack(machine.at, machine.journal);
    expect(machine.show()).toBe(before);
  });

  test('a GSO limit of somebody else', () => {
    machine.ip('link set dev eth0 gso_max_segs 21');
    const before = machine.show();
    expect(takeOver(machine.at, machine.journal, 'x')).toBe(true);
    machine.shape();
    expect(machine.gsoSegments()).toBe('gso_max_segs 9');
    giveBack(machine.at, machine.journal);
    expect(machine.show()).toBe(before);
    expect(machine.gsoSegments()).toBe('gso_max_segs 21');
  });

  test('a tbf that lets one frame through at a time still lets it through', () => {
    // 1,514 bytes at 1 Gb/s are 189.25 ticks of 64 ns; 189 ticks are 1,512 bytes.
    machine.tc('qdisc add dev eth0 root handle 3: tbf rate 1gbit burst 1514 limit 30000');
    takeOver(machine.at, machine.journal, 'x');
    machine.shape();
    giveBack(machine.at, machine.journal);
    for (const line of [
      'link set eth0 gso_max_segs 1',
      'address add 10.7.0.1/24 dev eth0',
      'neighbour replace 10.7.0.2 lladdr 02:00:00:00:00:09 dev eth0',
    ])
      machine.ip(line);
    spawnSync('ip', [
      'netns',
      'exec',
      machine.name,
      'ping',
      '-c',
      '1',
      '-W',
      '0.1',
      '-s',
      '1472',
      '10.7.0.2',
    ]);
    const [, bytes, dropped] = /Sent (\d+) bytes .*dropped (\d+)/.exec(machine.tc('-s qdisc show dev eth0'))!;
    expect(Number(bytes)).toBeGreaterThanOrEqual(1514);
    expect(dropped).toBe('0');
  });

  test('what is on clsact stays where it is', () => {
    machine.tc('qdisc add dev eth0 clsact');
    machine.tc("filter add dev eth0 ingress protocol all prio 1 bpf bytecode '1,6 0 0 0' flowid 1:1");
    machine.tc('qdisc add dev eth0 root pfifo limit 7');
    const before = machine.show();
    takeOver(machine.at, machine.journal, 'x');
    machine.shape();
    giveBack(machine.at, machine.journal);
    expect(machine.show()).toBe(before);
  });
});

describe('is refused and left alone', () => {
  test.for(NOT_RESTORABLE.filter(isPossible))('$name', ({ lines, names }) => {
    install(machine, lines);
    const before = machine.show();
    expect(() => takeOver(machine.at, machine.journal, 'x')).toThrow(
      expect.objectContaining({
        code: 'QDISC_NOT_RESTORABLE',
        message: expect.stringMatching(names),
        remedy: expect.stringContaining('tc qdisc del dev eth0 root'),
      }),
    );
    expect(machine.show()).toBe(before);
    expect(entries()).toEqual([]);
  });
});

// Linux 6.1 ends the list at an fw filter that has no marks of its own.
const UNLISTED = [
  ...RESTORABLE.find(({ name }) => name.startsWith('htb'))!.lines.slice(0, 2),
  'filter add dev eth0 parent 1: protocol ip prio 2 fw',
];
if (isPossible({ lines: UNLISTED })) {
  test('filters that the kernel can not list whole are no reason to lose them', () => {
    install(machine, UNLISTED);
    expect(() => takeOver(machine.at, machine.journal, 'x')).toThrow(KernelError);
    expect(machine.tc('qdisc show dev eth0')).toContain('qdisc htb 1: root');
    expect(entries()).toEqual([]);
  });
}

describe('twice', () => {
  beforeEach(() => machine.tc('qdisc add dev eth0 root handle 5: bfifo limit 40000'));

  test("taking over doesn't write netfold's own tree down", () => {
    const before = machine.show();
    takeOver(machine.at, machine.journal, 'first');
    machine.shape();
    expect(takeOver(machine.at, machine.journal, 'second')).toBe(true);
    expect(machine.journal.list()).toMatchObject([{ entry: { experiment: 'first', ifname: 'eth0' } }]);
    giveBack(machine.at, machine.journal);
    expect(machine.show()).toBe(before);
  });

  test('giving back does no harm, also to what came afterwards', () => {
    takeOver(machine.at, machine.journal, 'x');
    machine.shape();
    giveBack(machine.at, machine.journal);
    machine.tc('qdisc replace dev eth0 root handle 6: pfifo limit 3');
    const after = machine.show();
    giveBack(machine.at, machine.journal);
    expect(machine.show()).toBe(after);
  });
});

describe('another program changes the interface in between', () => {
  beforeEach(() => machine.tc('qdisc add dev eth0 root handle 5: bfifo limit 40000'));

  test("and replaces netfold's root: both trees are kept", () => {
    takeOver(machine.at, machine.journal, 'x');
    machine.shape();
    machine.tc('qdisc replace dev eth0 root handle 6: pfifo limit 3');
    const theirs = machine.show().replace(machine.gsoSegments(), '');
    const path = machine.journal.list()[0]!.path;
    expect(() => giveBack(machine.at, machine.journal)).toThrow(
      expect.objectContaining({
        code: 'QDISC_FOREIGN',
        message: expect.stringMatching(/qdisc pfifo 6: at the root.*kept in/),
        remedy: expect.stringContaining(path),
      }),
    );
    expect(() => takeOver(machine.at, machine.journal, 'y')).toThrow(
      expect.objectContaining({ code: 'JOURNAL_CONFLICT', path }),
    );
    expect(machine.show().replace(machine.gsoSegments(), '')).toBe(theirs);
    expect(entries()).toHaveLength(1);
  });

  test("and deletes netfold's root: the tree comes back", () => {
    const before = machine.show();
    takeOver(machine.at, machine.journal, 'x');
    machine.shape();
    machine.tc('qdisc del dev eth0 root');
    expect(takeOver(machine.at, machine.journal, 'y')).toBe(true);
    giveBack(machine.at, machine.journal);
    expect(machine.show()).toBe(before);
  });

  test('and makes the interface anew', () => {
    takeOver(machine.at, machine.journal, 'x');
    machine.ip('link del eth0');
    expect(() => giveBack(machine.at, machine.journal)).toThrow(
      expect.objectContaining({ code: 'INTERFACE_GONE' }),
    );
  });
});

test("a namespace that has got another's number has none of its entries", () => {
  machine.tc('qdisc add dev eth0 root handle 5: bfifo limit 40000');
  takeOver(machine.at, machine.journal, 'x');
  const file = machine.journal.list()[0]!;
  if (!('entry' in file)) throw file.error;
  expect(machine.journal.find(file.entry.identity)).toEqual(file.entry);
  expect(file.entry.identity.namespaceCookie).toMatch(/^[1-9]\d*$/);
  expect(machine.journal.find({ ...file.entry.identity, namespaceCookie: '1' })).toBeUndefined();
});

test('handles distinguish defaults from configured qdiscs', () => {
  const tree = (): ReturnType<typeof snapshotTree> =>
    onInterface(machine.at, (socket) => snapshotTree(socket, machine.at.ifindex));
  expect(needsJournal(tree())).toBe(false);
  machine.tc('qdisc add dev eth0 root pfifo_fast');
  expect(tree().qdiscs.map(({ kind }) => kind)).toContain('pfifo_fast');
  expect(needsJournal(tree())).toBe(true);
});
