import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { receiveFrom } from '../../../agent/kernel/sys/datagrams.ts';
import { close } from '../../../agent/kernel/sys/descriptors.ts';
import { bind, socket } from '../../../agent/kernel/sys/sockets.ts';
import { serviceManager } from '../../../agent/service/service-manager.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;

let folder: string;
const descriptors: number[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-notify-'));
});
afterEach(() => {
  for (const fd of descriptors.splice(0)) close(fd);
  rmSync(folder, { recursive: true });
});

/** A socket as systemd has it. Returns what it has received so far. */
function manager(path: string): () => string[] {
  const fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  descriptors.push(fd);
  bind(fd, Buffer.from(`\x01\0${path.startsWith('@') ? `\0${path.slice(1)}` : `${path}\0`}`, 'latin1'));
  return () => {
    const heard: string[] = [];
    const data = Buffer.alloc(256);
    for (
      let size = receiveFrom(fd, data, Buffer.alloc(110));
      size >= 0;
      size = receiveFrom(fd, data, Buffer.alloc(110))
    )
      heard.push(data.toString('utf8', 0, size));
    return heard;
  };
}

it.each([
  ['a path', (): string => join(folder, 'notify')],
  ['a name in the abstract namespace', (): string => `@netfold-test-${process.pid}`],
])('a manager that listens at %s hears that an agent is ready, ticks and ends', async (_, where) => {
  const clock = new ManualClock();
  const heard = manager(where());
  const env = {
    NOTIFY_SOCKET: where(),
    WATCHDOG_USEC: '3000000',
    WATCHDOG_PID: `${process.pid}`,
    PATH: '/bin',
  };
  const told = serviceManager(env, process.pid);
  expect(env).toEqual({ PATH: '/bin' });
  told.ready();
  let ticks = 0;
  const stop = told.watch(clock, () => ticks);
  ticks = 20;
  await clock.advance(1000);
  expect(heard()).toEqual(['READY=1', 'WATCHDOG=1']);
  // It hangs.
  await clock.advance(5000);
  expect(heard()).toEqual([]);
  ticks++;
  await clock.advance(1000);
  stop();
  ticks++;
  await clock.advance(5000);
  told.ending();
  expect(heard()).toEqual(['WATCHDOG=1', 'STOPPING=1']);
});

it.each([
  [{ WATCHDOG_PID: '1' }, 'another process is watched'],
  [{ WATCHDOG_USEC: '0' }, 'nothing is watched'],
  [{ WATCHDOG_USEC: 'soon' }, 'the time is none'],
])('with %j the watchdog is not fed: %s', async (more, _why) => {
  const clock = new ManualClock();
  const heard = manager(join(folder, 'notify'));
  const env = { NOTIFY_SOCKET: join(folder, 'notify'), WATCHDOG_USEC: '3000000', ...more };
  let ticks = 0;
  serviceManager(env, process.pid).watch(clock, () => ticks++);
  await clock.advance(10_000);
  expect(heard()).toEqual([]);
});

it('without a manager, or one that is gone, nothing is said and nothing fails', () => {
  serviceManager({}, 1).ready();
  serviceManager({ NOTIFY_SOCKET: join(folder, 'nobody') }, 1).ready();
  serviceManager({ NOTIFY_SOCKET: `/${'x'.repeat(200)}` }, 1).ending();
});
