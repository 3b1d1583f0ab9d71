/** What the kernel refuses root: each becomes an error with the kernel's own errno, and leaves nothing open. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BatchMap, loadObject, possibleCpus, programId } from '../../../agent/kernel/bpf/libbpf.ts';
import { MessageWriter, NLM_F_REQUEST } from '../../../agent/kernel/netlink/netlink-message.ts';
import { NETLINK_NETFILTER, NetlinkSocket } from '../../../agent/kernel/netlink/netlink-socket.ts';
import { PacketQueue } from '../../../agent/kernel/netlink/nfqueue.ts';
import {
  createNamespaces,
  namespacePath,
  removeNamespace,
  within,
} from '../../../agent/kernel/netns/namespaces.ts';
import { bindMount, makeSharedMount, unmount } from '../../../agent/kernel/sys/mounts.ts';
import { openFilteredSocket } from '../../../agent/kernel/sys/packet-socket.ts';
import { send } from '../../../agent/kernel/sys/sockets.ts';

const NAME = `netfold-refusals-${process.pid}`;
const OBJECT = new URL('../../../bpf/netfold.bpf.o', import.meta.url).pathname;
const CLOSED = 2 ** 30;
const inside = <T>(action: () => T extends Promise<unknown> ? never : T): T =>
  within(namespacePath(NAME), action);

let folder: string;
let openBefore: number;

const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

beforeEach(() => {
  createNamespaces([NAME]);
  folder = mkdtempSync(join(tmpdir(), 'netfold-refusals-'));
  openBefore = openDescriptors();
});

afterEach(() => {
  removeNamespace(NAME);
  rmSync(folder, { recursive: true });
  expect(openDescriptors()).toBe(openBefore);
});

it('mounts', () => {
  const absent = join(folder, 'absent');
  expect(() => makeSharedMount(absent)).toThrow(/^mount\(.*absent\) failed: ENOENT$/);
  expect(() => bindMount(absent, folder)).toThrow(/failed: ENOENT$/);
  expect(unmount(absent)).toBe(false);
  expect(unmount(folder)).toBe(false);
  makeSharedMount(folder);
  makeSharedMount(folder);
  expect(unmount(folder)).toBe(true);
  expect(unmount(folder)).toBe(false);
});

it('a file that no namespace is mounted on', () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  expect(() => within(file, () => {})).toThrow('failed: EINVAL');
  expect(() => within(join(folder, 'absent'), () => {})).toThrow('there is no network namespace at');
});

it('BPF objects, programs and maps', () => {
  expect(possibleCpus()).toBeGreaterThan(0);
  expect(() => loadObject(join(folder, 'absent'), {})).toThrow(/refused to open .*absent: ENOENT$/);
  expect(() => loadObject(OBJECT, { absent: 1 })).toThrow(/refused to find "absent" in .*: ENOENT$/);
  // An array may not be larger than memory.
  expect(() => loadObject(OBJECT, { buffers: 0xffffffff })).toThrow(/refused to load .*: E(2BIG|NOMEM)$/);
  const object = loadObject(OBJECT, {});
  expect(() => object.programFd('absent')).toThrow('refused to find "absent"');
  expect(programId(object.programFd('count'))).toBeGreaterThan(0);
  expect(() => programId(object.mapFd('usage'))).toThrow('refused to name the BPF program');
  object.close();
  const map = new BatchMap({ fd: CLOSED, keySize: 4, valueSize: 8, capacity: 1 });
  expect(() => map.take()).toThrow('refused to read a BPF map: EBADF');
  expect(() => map.lookup(map.keys)).toThrow('refused to read an entry of a BPF map: EBADF');
  expect(() => map.update(map.keys, map.values, 1)).toThrow('refused to set 1 entries of a BPF map: EBADF');
  expect(() => map.remove(map.keys, 1)).toThrow('refused to remove entries of a BPF map: EBADF');
});

it('a socket filter that is none, and an interface that is not there', () => {
  expect(() => openFilteredSocket(1, CLOSED)).toThrow('setsockopt(SO_ATTACH_BPF) failed: EBADF');
  const object = loadObject(OBJECT, {});
  expect(() => openFilteredSocket(12_345, object.programFd('count'))).toThrow(
    'there is no interface with index 12345',
  );
  object.close();
});

it('a packet queue of another program', () => {
  const first = inside(() => new PacketQueue(0));
  expect(() => inside(() => void new PacketQueue(0))).toThrow(/bind packet queue 0: E(BUSY|PERM)/);
  first.close();
});

it('a setting of a packet queue, when it next looks for packets', () => {
  const queue = inside(() => new PacketQueue(0));
  queue.keepGsoWhole(true);
  expect(queue.receive(() => {})).toBe(0);
  // A queue that is no longer there has no settings.
  unbind(queue);
  queue.keepGsoWhole(true);
  expect(() => queue.receive(() => {})).toThrow(/refused to configure packet queue 0: ENODEV/);
  queue.close();
});

it('verdicts on packets that are gone, which is no error', () => {
  const queue = inside(() => new PacketQueue(0));
  queue.drop(12_345);
  queue.flush();
  expect(queue.receive(() => {})).toBeLessThanOrEqual(1);
  queue.close();
});

it('a whole transaction', () => {
  const socket = inside(() => new NetlinkSocket(NETLINK_NETFILTER));
  const frame = (type: number, subsystem: number) => ({
    type,
    flags: 0,
    silent: true,
    what: 'frame a transaction',
    body: (w: MessageWriter) => void w.u8(0).u8(0).u16be(subsystem),
  });
  const change = { type: (10 << 8) | 2, flags: 0, what: 'change something', body: frame(0, 0).body };
  // No subsystem has this number: the kernel answers the frame, and nothing else.
  const verdicts = socket.batch([frame(16, 255), change, frame(17, 255)]);
  expect(verdicts).toEqual([
    { what: 'change something', errno: expect.any(Number), message: expect.any(String) },
  ]);
  expect(verdicts[0]!.errno).toBeGreaterThan(0);
  socket.close();
});

/** NFQNL_CFG_CMD_UNBIND, by the socket that has bound it. */
function unbind(queue: PacketQueue): void {
  const writer = new MessageWriter(64);
  writer.message((3 << 8) | 2, NLM_F_REQUEST, (w) =>
    w
      .u8(0)
      .u8(0)
      .u16be(0)
      .attribute(1, (a) => a.u8(2).u8(0).u16be(0)),
  );
  send(queue.fd, writer.bytes);
}
