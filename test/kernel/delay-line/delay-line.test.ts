/** The delay line's contact with the kernel, and what becomes of an experiment when its thread is lost. */
import { mkdirSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { PacketQueue } from '../../../agent/kernel/netlink/nfqueue.ts';
import {
  createNamespaces,
  namespacePath,
  removeNamespace,
  within,
} from '../../../agent/kernel/netns/namespaces.ts';
import { DelayLine } from '../../../agent/linux/delay-line/delay-line.ts';
import { loadPrograms, type Programs } from '../../../agent/linux/programs/programs.ts';

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
  { source: ['10.0.0.2'], destination: ['10.0.0.1'], latencyMicros: 5000, jitterMicros: 0, loss: 0 },
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

it('hears when the kernel refuses a queue, as when somebody has it already', () => {
  const first = within(LOOPBACK.namespace, () => new PacketQueue(0));
  try {
    const second = () => within(LOOPBACK.namespace, () => void new PacketQueue(0));
    expect(second).toThrow(/refused to bind packet queue 0: E(BUSY|PERM)/);
  } finally {
    first.close();
  }
});

it('says that a queue is taken instead of delaying nothing, and can be stopped', async () => {
  const other = within(LOOPBACK.namespace, () => new PacketQueue(0));
  const line = new DelayLine({ seed: 1, arrivalFd: programs.arrivalFd });
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

it('takes what it is told before its queue is there as one word after the other', async () => {
  const line = new DelayLine({ seed: 1, arrivalFd: programs.arrivalFd });
  await Promise.all([line.set(LOOPBACK, PATHS), line.set(LOOPBACK, []), line.set(LOOPBACK, PATHS)]);
  await line.stop();
  within(LOOPBACK.namespace, () => new PacketQueue(0)).close();
});

it('gives up and takes back what it put into an endpoint', async () => {
  const line = new DelayLine({ seed: 1, arrivalFd: programs.arrivalFd });
  await line.set(LOOPBACK, PATHS);
  await line.set(LOOPBACK, PATHS);
  await line.stop();
  // The queue is free again, and after its end the line says so instead of waiting for ever.
  within(LOOPBACK.namespace, () => new PacketQueue(0)).close();
  expect(line.failure).toContain('nothing is delayed');
  await expect(line.set({ ...LOOPBACK, number: 1 }, PATHS)).rejects.toMatchObject({ code: 'DELAY_FAILED' });
});

it('says when paths were in force', async () => {
  const line = new DelayLine({ seed: 1, arrivalFd: programs.arrivalFd });
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
