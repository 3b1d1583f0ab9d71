/** The delay line's contact with the kernel, and what becomes of an experiment when its thread is lost. */
import { closeSync, mkdirSync } from 'node:fs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PacketQueue } from '../../../agent/kernel/netlink/nfqueue.ts';
import {
  createNamespaces,
  namespacePath,
  removeNamespace,
  within,
} from '../../../agent/kernel/netns/namespaces.ts';
import { DelayLine } from '../../../agent/linux/delay-line/delay-line.ts';
import { loadPrograms, type Programs } from '../../../agent/linux/programs/programs.ts';
import { packetImpairment } from '../../../proto/impairment.ts';
import { fromMillis } from '../../../proto/units.ts';
import { pollersOfThreads } from '../../support/kernel/thread-pollers.ts';

const NAME = `netfold-delay-line-test-${process.pid}`;
const LOOPBACK = {
  number: 0,
  name: 'a.0',
  namespace: namespacePath(NAME),
  ifname: 'lo',
  ifindex: 1,
  addresses: ['10.0.0.1'],
};
const PATHS = [
  { source: ['10.0.0.2'], destination: ['10.0.0.1'], ...packetImpairment({ latency: fromMillis(5) }) },
];

let programs: Programs;

beforeEach(() => {
  mkdirSync('/run/netns', { recursive: true });
  createNamespaces([NAME]);
  programs = loadPrograms(1);
});

afterEach(async () => {
  await programs.close();
  removeNamespace(NAME);
});

/** A delay line that has these endpoints. */
async function attached(...endpoints: readonly (typeof LOOPBACK)[]): Promise<DelayLine> {
  const line = new DelayLine({ seed: 1, arrivalFd: programs.arrivalFd, cores: 1 });
  for (const endpoint of endpoints) await line.attach(endpoint, false);
  return line;
}

it('reports that the kernel refuses a queue, as when another program has it already', () => {
  const first = within(LOOPBACK.namespace, () => new PacketQueue(0));
  try {
    const second = () => within(LOOPBACK.namespace, () => void new PacketQueue(0));
    expect(second).toThrow(/refused to bind packet queue 0: E(BUSY|PERM)/);
  } finally {
    first.close();
  }
});

it('reports that a queue is taken instead of delaying nothing, and can be stopped', async () => {
  const other = within(LOOPBACK.namespace, () => new PacketQueue(0));
  const line = await attached(LOOPBACK);
  try {
    await expect(line.set(LOOPBACK, PATHS)).rejects.toMatchObject({
      code: 'NETLINK_REFUSED',
      blame: 'machine',
    });
    expect(line.failure).toBeUndefined();
  } finally {
    await line.stop();
    other.close();
  }
});

it('applies messages that arrive before its queue exists, in their order', async () => {
  const line = await attached(LOOPBACK);
  await Promise.all([line.set(LOOPBACK, PATHS), line.set(LOOPBACK, []), line.set(LOOPBACK, PATHS)]);
  await line.stop();
  within(LOOPBACK.namespace, () => new PacketQueue(0)).close();
});

it('gives up and takes back what it put into an endpoint', async () => {
  const other = { ...LOOPBACK, number: 1 };
  const line = await attached(LOOPBACK, other);
  await line.set(LOOPBACK, PATHS);
  await line.set(LOOPBACK, PATHS);
  await line.stop();
  // The queue is free again, and after its end the line throws instead of waiting for ever.
  within(LOOPBACK.namespace, () => new PacketQueue(0)).close();
  expect(line.failure).toContain('nothing is delayed');
  await expect(line.set(other, PATHS)).rejects.toMatchObject({ code: 'DELAY_FAILED' });
});

it('reports the error that broke its thread, which releases its queues first', async () => {
  const line = await attached(LOOPBACK);
  await line.set(LOOPBACK, PATHS);
  expect(line.failure).toBeUndefined();
  const [poller, ...others] = pollersOfThreads();
  expect(others).toEqual([]);
  closeSync(poller!);
  // A message wakes the thread.
  await line.set(LOOPBACK, PATHS).catch(() => {});
  await vi.waitUntil(() => line.failure !== undefined, { timeout: 10_000 });
  expect(line.failure).toMatch(/^nothing is delayed or lost any more: epoll_wait\(\d+\) failed: EBADF$/);
  within(LOOPBACK.namespace, () => new PacketQueue(0)).close();
  await line.stop();
});

it('reports when paths were in force', async () => {
  const line = await attached(LOOPBACK);
  try {
    await line.set(LOOPBACK, PATHS);
    const before = performance.now();
    await line.set(LOOPBACK, []);
    const heard = performance.now();
    expect(line.changedAt).toBeGreaterThanOrEqual(before);
    expect(line.changedAt).toBeLessThanOrEqual(heard);
  } finally {
    await line.stop();
  }
});
