/** What netfold leaves on interfaces is found by its marks alone, and goes without what others have there. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NETLINK_ROUTE, NetlinkSocket } from '../../../agent/kernel/netlink/netlink-socket.ts';
import { addClsact, setHookFilter } from '../../../agent/kernel/netlink/tc-messages.ts';
import { within } from '../../../agent/kernel/netns/namespaces.ts';
import { FILTER_NAME, OWN_CLSACT_FILTER_NAME } from '../../../agent/linux/objects/names.ts';
import { loadPrograms, type Programs } from '../../../agent/linux/programs/programs.ts';
import {
  describeLeftover,
  findLeftovers,
  type Leftover,
  removeLeftover,
} from '../../../agent/linux/take-over/leftovers.ts';
import { takeOver } from '../../../agent/linux/take-over/take-over.ts';
import { Administered, IFINDEX } from '../../support/kernel/administered.ts';

let counter = 0;
let machine: Administered;
let programs: Programs;

beforeEach(() => {
  machine = new Administered(`leftovers-${process.pid}-${counter++}`);
  programs = loadPrograms(1);
});

afterEach(async () => {
  await programs.close();
  machine.remove();
});

function inMachine(protocol: number, action: (socket: NetlinkSocket) => void): void {
  const socket = within(machine.at.namespace, () => new NetlinkSocket(protocol));
  try {
    action(socket);
  } finally {
    socket.close();
  }
}

/** Those of this test; other namespaces of the machine are not its business. */
function leftovers(): Leftover[] {
  return findLeftovers({ journal: machine.journal }).filter((leftover) =>
    'namespace' in leftover
      ? leftover.namespace.path === machine.at.namespace
      : leftover.path.startsWith(machine.journal.folder),
  );
}

const described = (): string[] => leftovers().map(describeLeftover);

function removeAll(): void {
  for (const leftover of leftovers()) removeLeftover(leftover, machine.journal);
}

function nft(...args: string[]): string {
  const done = spawnSync('ip', ['netns', 'exec', machine.name, 'nft', ...args], { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(done.stderr);
  return done.stdout;
}

/** netfold's filter at ingress, in a foreign clsact or in one of its own. */
function addFilter(name = FILTER_NAME): void {
  inMachine(NETLINK_ROUTE, (socket) => {
    if (name === OWN_CLSACT_FILTER_NAME) socket.run([addClsact(IFINDEX)]);
    socket.run([setHookFilter(IFINDEX, 'ingress', programs.arrivalFd, { name, priority: 1 })]);
  });
}

function addTable(): void {
  nft('add', 'table', 'inet', 'netfold');
}

test('an interface that netfold has never seen has none', () => {
  machine.tc('qdisc add dev eth0 root handle 1: htb default 1');
  machine.tc('qdisc add dev eth0 clsact');
  machine.tc("filter add dev eth0 ingress protocol all prio 7 bpf bytecode '1,6 0 0 0' flowid 1:1");
  expect(described()).toEqual([]);
});

describe('without any file', () => {
  test("netfold's root goes, the kernel's default comes, and GSO packets are as long as before", () => {
    const before = machine.show();
    machine.shape();
    expect(described()).toEqual([`the HTB root of eth0 in ${machine.name}`]);
    removeAll();
    expect(machine.show()).toBe(before);
    expect(described()).toEqual([]);
    removeAll();
    expect(machine.show()).toBe(before);
  });

  test("netfold's filter goes from somebody else's clsact, theirs of the same priority stay", () => {
    machine.tc('qdisc add dev eth0 clsact');
    machine.tc(
      "filter add dev eth0 ingress protocol all prio 1 handle 5 bpf bytecode '1,6 0 0 0' flowid 1:1",
    );
    machine.tc("filter add dev eth0 egress protocol ip prio 3 bpf bytecode '1,6 0 0 0' flowid 1:2");
    const before = machine.show();
    addFilter();
    expect(machine.show()).toContain('netfold');
    expect(described()).toEqual([`the filters at clsact of eth0 in ${machine.name}`]);
    removeAll();
    expect(machine.show()).toBe(before);
  });

  test("somebody else's clsact stays also when nothing is left in it", () => {
    machine.tc('qdisc add dev eth0 clsact');
    const before = machine.show();
    addFilter();
    removeAll();
    expect(machine.show()).toBe(before);
    expect(machine.show()).toContain('clsact');
  });

  test("netfold's own clsact goes with its filter", () => {
    const before = machine.show();
    addFilter(OWN_CLSACT_FILTER_NAME);
    expect(machine.show()).toContain('clsact');
    removeAll();
    expect(machine.show()).toBe(before);
  });

  test("netfold's own clsact stays for the filters that others have put there", () => {
    addFilter(OWN_CLSACT_FILTER_NAME);
    machine.tc("filter add dev eth0 egress protocol ip prio 3 bpf bytecode '1,6 0 0 0' flowid 1:2");
    removeAll();
    expect(machine.tc('filter show dev eth0 egress')).toContain('flowid 1:2');
    expect(machine.tc('filter show dev eth0 ingress')).toBe('');
  });

  test("netfold's nftables table goes, somebody else's stays", () => {
    nft('add', 'table', 'inet', 'theirs');
    nft('add', 'table', 'ip', 'netfold');
    const before = nft('list', 'ruleset');
    addTable();
    expect(described()).toEqual([`the nftables table inet netfold in ${machine.name}`]);
    removeAll();
    expect(nft('list', 'ruleset')).toBe(before);
  });
});

test('all at once, with the journal: everything is as it was', () => {
  machine.tc('qdisc add dev eth0 clsact');
  machine.tc("filter add dev eth0 egress protocol ip prio 3 bpf bytecode '1,6 0 0 0' flowid 1:2");
  machine.tc('qdisc add dev eth0 root handle 5: bfifo limit 40000');
  const before = machine.show();
  takeOver(machine.at, machine.journal, 'x');
  machine.shape();
  addFilter();
  addTable();
  expect(leftovers().map(({ what }) => what)).toEqual(['filters', 'table', 'root']);
  removeAll();
  expect(machine.show()).toBe(before);
  expect(leftovers()).toEqual([]);
  expect(machine.journal.list()).toEqual([]);
});

describe('where it looks', () => {
  test('in namespaces without a name, as long as a process is in them', async () => {
    machine.shape();
    const inside = spawn('ip', ['netns', 'exec', machine.name, 'sleep', '60'], { stdio: 'ignore' });
    try {
      await once(inside, 'spawn');
      // Of a file that has gone, it would find no namespace to be in.
      const { ino } = statSync(`/run/netns/${machine.name}`);
      await eventually(() => (statSync(`/proc/${inside.pid}/ns/net`).ino === ino ? [ino] : []));
      // The file goes, the namespace stays.
      spawnSync('ip', ['netns', 'del', machine.name]);
      const found = await eventually(() =>
        findLeftovers().filter(
          (one) => describeLeftover(one) === `the HTB root of eth0 in process ${inside.pid}`,
        ),
      );
      expect(found).toHaveLength(1);
      removeLeftover(found[0]!, machine.journal);
      const path = `/proc/${inside.pid}/ns/net`;
      const gone = findLeftovers().filter((one) => 'namespace' in one && one.namespace.path === path);
      expect(gone).toEqual([]);
    } finally {
      inside.kill('SIGKILL');
      await once(inside, 'exit');
    }
  });

  test('not in namespaces that go as a whole', () => {
    machine.shape();
    const skip = (name: string): boolean => name === machine.name;
    const inodes = leftovers().map((one) => ('namespace' in one ? one.namespace.inode : 0));
    expect(inodes).toHaveLength(1);
    const found = findLeftovers({ skip }).filter(
      (one) => 'namespace' in one && inodes.includes(one.namespace.inode),
    );
    expect(found).toEqual([]);
  });
});

describe('in the journal', () => {
  beforeEach(() => {
    machine.tc('qdisc add dev eth0 root handle 5: bfifo limit 40000');
    takeOver(machine.at, machine.journal, 'x');
  });

  test('an interface that was not given back to its end is found without a root of netfold', () => {
    const before = machine.show();
    machine.tc('qdisc del dev eth0 root');
    expect(described()).toEqual([`what was not put back on eth0 in ${machine.name}`]);
    removeAll();
    expect(machine.show()).toBe(before);
    expect(described()).toEqual([]);
  });

  test('an entry from before the last start goes, and nothing is put back from it', () => {
    const file = machine.journal.list()[0]!;
    if (!('entry' in file)) throw file.error;
    const identity = { ...file.entry.identity, bootId: 'earlier' };
    rmSync(file.path);
    machine.journal.write({ ...file.entry, identity });
    machine.tc('qdisc del dev eth0 root');
    const before = machine.show();
    expect(described()).toEqual(['the journal entry of eth0 from before the last start']);
    removeAll();
    expect(machine.show()).toBe(before);
    expect(machine.journal.list()).toEqual([]);
  });

  test('a file that can not be read is named and kept', () => {
    const path = join(machine.journal.folder, 'broken.json');
    writeFileSync(path, '{"version":1');
    const broken = leftovers().find(({ what }) => what === 'unreadable')!;
    expect(describeLeftover(broken)).toBe(`the journal file ${path}`);
    expect(() => removeLeftover(broken, machine.journal)).toThrow(
      expect.objectContaining({ code: 'JOURNAL_UNREADABLE', path }),
    );
    expect(machine.journal.list()).toHaveLength(2);
  });
});

/** The process needs some time to enter its namespace. */
async function eventually<T>(look: () => T[]): Promise<T[]> {
  for (const deadline = performance.now() + 10_000; performance.now() < deadline; ) {
    const found = look();
    if (found.length > 0) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return [];
}
