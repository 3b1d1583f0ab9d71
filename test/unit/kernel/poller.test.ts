/** Waiting for descriptors, and what the kernel refuses of it. */
import { spawn } from 'node:child_process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { close } from '../../../agent/kernel/sys/descriptors.ts';
import { clearEvent, createEvent, raiseEvent } from '../../../agent/kernel/sys/events.ts';
import { Poller } from '../../../agent/kernel/sys/poller.ts';

const MILLISECOND = 1e6;
const FOR_EVER = -1;

let poller: Poller;
let event: number;

beforeEach(() => {
  poller = new Poller();
  event = createEvent();
});

afterEach(() => close(event));

it('names what is ready', () => {
  poller.add(event, 77);
  expect(poller.wait(0)).toBe(0);
  expect(poller.wait(MILLISECOND)).toBe(0);
  raiseEvent(event);
  expect(poller.wait(FOR_EVER)).toBe(1);
  expect(poller.token(0)).toBe(77);
  clearEvent(event);
  expect(poller.wait(0)).toBe(0);
  poller.remove(event);
  raiseEvent(event);
  expect(poller.wait(0)).toBe(0);
  poller.close();
});

it.each([0, MILLISECOND, FOR_EVER])('fails instead of waiting when it is closed (%d ns)', (nanoseconds) => {
  poller.add(event, 1);
  poller.close();
  expect(() => poller.wait(nanoseconds)).toThrow(/^epoll_wait\(\d+\) failed: EBADF$/);
  expect(() => poller.add(event, 1)).toThrow('failed: EBADF');
  expect(() => poller.close()).toThrow('failed: EBADF');
});

it('refuses descriptors that are closed, that it has, or that it does not have', () => {
  poller.add(event, 1);
  expect(() => poller.add(event, 2)).toThrow(/^epoll_ctl\(\d+\) failed: EEXIST$/);
  poller.remove(event);
  expect(() => poller.remove(event)).toThrow('failed: ENOENT');
  expect(() => poller.add(2 ** 30, 1)).toThrow('failed: EBADF');
  expect(() => poller.remove(2 ** 30)).toThrow('failed: EBADF');
  poller.close();
});

it('refuses a time that is none', () => {
  expect(() => poller.pause(-5)).toThrow('ppoll(-5 ns) failed: EINVAL');
  poller.close();
});

it.each<[string, (nanoseconds: number) => unknown]>([
  ['wait', (nanoseconds) => poller.wait(nanoseconds)],
  ['pause', (nanoseconds) => poller.pause(nanoseconds)],
])('signals do not end a %s', async (_, wait) => {
  let signals = 0;
  const count = (): void => void signals++;
  process.on('SIGUSR2', count);
  const sender = spawn('sh', ['-c', `for i in 1 2 3 4; do sleep 0.03; kill -USR2 ${process.pid}; done`]);
  const exited = new Promise((resolve) => sender.once('exit', resolve));
  const start = performance.now();
  wait(300 * MILLISECOND);
  const waited = performance.now() - start;
  await exited;
  process.off('SIGUSR2', count);
  poller.close();
  // While it waited no handler of this thread could run; they have been delivered nevertheless.
  expect(signals).toBeGreaterThan(0);
  expect(waited).toBeGreaterThanOrEqual(300);
});
