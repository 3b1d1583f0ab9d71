/** What the kernel refuses becomes a `KernelError` with the kernel's own errno: each by a call that it really refuses. */
import { closeSync, openSync } from 'node:fs';
import { expect, it } from 'vitest';
import { close, open } from '../../../agent/kernel/sys/descriptors.ts';
import { KernelError } from '../../../agent/kernel/sys/errors.ts';
import { clearEvent, createEvent, raiseEvent } from '../../../agent/kernel/sys/events.ts';
import { errnoName } from '../../../agent/kernel/sys/libc.ts';
import { mapMemory } from '../../../agent/kernel/sys/memory.ts';
import { openFilesLimit, setOpenFilesLimit } from '../../../agent/kernel/sys/open-files.ts';
import {
  AF_NETLINK,
  attachSocketFilter,
  bind,
  getSocketOption,
  namespaceCookie,
  receive,
  receiveMany,
  SOCK_RAW,
  send,
  setNetlinkOption,
  setReceiveTimeout,
  socket,
} from '../../../agent/kernel/sys/sockets.ts';
import { setns } from '../../../agent/kernel/sys/thread-namespace.ts';
import { inChild } from '../../support/kernel/in-child.ts';

/** No process has so many descriptors. */
const CLOSED = 2 ** 30;
const DATA = new Uint8Array(8);

/** The name of the errno that the call fails with. */
function errnoOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(KernelError);
    expect((error as Error).message).toMatch(/^\w+\(.*\) failed: E[A-Z]+$/);
    return errnoName((error as KernelError).errno);
  }
  return 'none';
}

/** With a descriptor of a file that is none of what the call needs. */
function withFile<T>(path: string, use: (fd: number) => T): T {
  const fd = openSync(path, 'r');
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

it.each<[string, () => unknown, string]>([
  ['open', () => open('/no/such/file'), 'ENOENT'],
  ['close', () => close(CLOSED), 'EBADF'],
  ['setns', () => setns(CLOSED), 'EBADF'],
  ['setns', () => withFile('/dev/null', setns), 'EINVAL'],
  ['mmap', () => mapMemory(0), 'EINVAL'],
  ['mmap', () => mapMemory(2 ** 52), 'ENOMEM'],
  ['write', () => raiseEvent(CLOSED), 'EBADF'],
  ['read', () => clearEvent(CLOSED), 'EBADF'],
  ['read', () => withFile('/', clearEvent), 'EISDIR'],
  ['socket', () => socket(CLOSED, SOCK_RAW, 0), 'EAFNOSUPPORT'],
  ['bind', () => bind(CLOSED, DATA), 'EBADF'],
  ['bind', () => withFile('/dev/null', (fd) => bind(fd, DATA)), 'ENOTSOCK'],
  ['setsockopt', () => attachSocketFilter(CLOSED, 0), 'EBADF'],
  ['setsockopt', () => setReceiveTimeout(CLOSED, 1), 'EBADF'],
  ['getsockopt', () => getSocketOption(CLOSED, 6, 11, DATA, 'TCP_INFO'), 'EBADF'],
  ['getsockopt', () => namespaceCookie(CLOSED), 'EBADF'],
  ['send', () => send(CLOSED, DATA), 'EBADF'],
  ['send', () => withFile('/dev/null', (fd) => send(fd, DATA)), 'ENOTSOCK'],
  ['recv', () => receive(CLOSED, DATA), 'EBADF'],
  ['recvmmsg', () => receiveMany(CLOSED, 0n, 1), 'EBADF'],
  ['prlimit', () => setOpenFilesLimit(2 ** 40), 'EPERM'],
])('%s is refused (%#)', (_, call, errno) => {
  expect(errnoOf(call)).toBe(errno);
});

it('refuses an option that netlink does not have', () => {
  const fd = socket(AF_NETLINK, SOCK_RAW, 0);
  try {
    expect(errnoOf(() => setNetlinkOption(fd, 12_345))).toBe('ENOPROTOOPT');
    // Nothing waits, which is no failure.
    expect(receiveMany(fd, mapMemory(64).address, 1)).toBe(0);
  } finally {
    close(fd);
  }
});

it('an event that is not raised can be reset', () => {
  const fd = createEvent();
  try {
    clearEvent(fd);
    raiseEvent(fd);
    clearEvent(fd);
    clearEvent(fd);
  } finally {
    close(fd);
  }
});

it('mapped memory can be written to', () => {
  const { address, memory } = mapMemory(4096);
  expect(address).toBeGreaterThan(0n);
  expect(memory.byteLength).toBe(4096);
  new Uint8Array(memory).fill(1);
});

it('knows how many files may be open', () => {
  const { soft, hard } = openFilesLimit();
  expect(soft).toBeGreaterThan(0);
  expect(hard).toBeGreaterThanOrEqual(soft);
});

it('says what to do when no more files may be open, and takes nothing for absent then', () => {
  const imports = {
    'agent/kernel/sys/descriptors.ts': ['open'],
    'agent/kernel/sys/events.ts': ['createEvent'],
    'agent/kernel/sys/open-files.ts': ['setOpenFilesLimit'],
    'agent/kernel/sys/poller.ts': ['Poller'],
    'agent/kernel/sys/process-table.ts': ['isRunning'],
    'agent/kernel/sys/sockets.ts': ['socket'],
    'agent/kernel/netns/namespaces.ts': ['within'],
  };
  const errors = inChild(
    imports,
    `setOpenFilesLimit(1);
    answer([
      () => open('/dev/null'),
      () => socket(16, 3, 0),
      () => createEvent(),
      () => new Poller(),
      () => within('/proc/self/ns/net', () => {}),
      () => isRunning({ pid: process.ppid, startTime: 0 }),
    ].map((action) => errorOf(action).message));`,
  );
  expect(errors).toEqual([
    'open(/dev/null) failed: EMFILE',
    'socket(domain 16) failed: EMFILE',
    'eventfd(new) failed: EMFILE',
    'epoll_create1(new) failed: EMFILE',
    'open(/proc/thread-self/ns/net) failed: EMFILE',
    expect.stringMatching(/^EMFILE: too many open files/),
  ]);
});

it('without privileges it says which are needed', () => {
  const imports = {
    'agent/kernel/sys/sockets.ts': ['forceReceiveBuffer', 'socket'],
    'agent/kernel/sys/thread-namespace.ts': ['unshareNetwork'],
  };
  const errors = inChild(
    imports,
    `if (process.getuid() === 0) process.setuid(65534);
    const fd = socket(16, 3, 0);
    answer([errorOf(() => unshareNetwork()), errorOf(() => forceReceiveBuffer(fd, 1 << 24))]);`,
  );
  const remedy = 'run as root, outside of a restricted container';
  expect(errors).toEqual([
    { code: 'NO_PERMISSION', message: 'unshare(CLONE_NEWNET) failed: EPERM', remedy },
    { code: 'NO_PERMISSION', message: 'setsockopt(SO_RCVBUFFORCE) failed: EPERM', remedy },
  ]);
});
