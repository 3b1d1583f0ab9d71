/** What becomes of the delay line when the kernel refuses its thread something. */
import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { DelayThread } from '../../../agent/linux/delay-line/thread.ts';
import { pollersOfThreads } from '../../support/kernel/thread-pollers.ts';

it('the thread fails, and says why, when it can no longer wait', async () => {
  const thread = new DelayThread({ seed: 1 }, () => {});
  try {
    await thread.command({ kind: 'detach', queue: 0 });
    expect(thread.failure).toBeUndefined();
    const [poller, ...others] = pollersOfThreads();
    expect(others).toEqual([]);
    closeSync(poller!);
    // The thread is in its last successful wait; a message ends it.
    const last = thread.command({ kind: 'detach', queue: 0 }).catch((error: unknown) => error);
    const answer = await Promise.race([last, sleep(10_000, 'no answer', { ref: false })]);
    if (answer === undefined) await until(() => thread.failure !== undefined);
    else expect(answer).toMatchObject({ code: 'DELAY_FAILED' });
    expect(thread.failure?.message).toMatch(/^epoll_wait\(\d+\) failed: EBADF$/);
    await expect(thread.command({ kind: 'detach', queue: 0 })).rejects.toMatchObject({
      code: 'DELAY_FAILED',
      message: expect.stringMatching(/^the delay line has failed: epoll_wait\(\d+\) failed: EBADF$/),
    });
  } finally {
    await thread.stop();
  }
});

it('a thread that hangs is ended', async () => {
  const hangs = new URL('data:text/javascript,for(;;);');
  const thread = new DelayThread({ seed: 1 }, () => {}, hangs);
  const command = thread.command({ kind: 'detach', queue: 0 }).catch((error: unknown) => error);
  await thread.stop();
  expect(await command).toMatchObject({ code: 'DELAY_FAILED' });
});

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await sleep(1);
}
