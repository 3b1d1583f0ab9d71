import { describe, expect, it, test } from 'vitest';
import { decodeTimex } from '../../../agent/kernel/sys/clock-discipline.ts';
import {
  judgeClock,
  judgeCpus,
  judgeDocker,
  judgeMemory,
  judgeSsh,
} from '../../../controller/machine/environment.ts';

test('one processor is too few', () => {
  expect(judgeCpus(1)).toEqual({ reason: 'there is 1' });
  expect(judgeCpus(2)).toEqual({ found: '2' });
});

test('memory is what is available, and less than an agent takes is too little', () => {
  expect(judgeMemory(199_900_000, 2e9)).toEqual({ reason: '199 MB of 2.0 GB available' });
  expect(judgeMemory(200_000_000, 4.12e9)).toEqual({ found: '200 MB of 4.1 GB available' });
});

describe('Docker', () => {
  it('is there when its daemon answers', () => {
    expect(judgeDocker({ code: 0, stdout: '28.2.2\n', stderr: '' })).toEqual({ found: '28.2.2' });
  });
  it('is missing with the reason of the command, not its warnings', () => {
    const stderr = 'WARNING: Error loading config file\nCannot connect to the Docker daemon\n';
    expect(judgeDocker({ code: 1, stdout: '\n', stderr })).toEqual({
      reason: 'Cannot connect to the Docker daemon',
    });
  });
  it('is missing without its command, and when nothing answers', () => {
    expect(judgeDocker({ code: 'ENOENT', stdout: '', stderr: '' })).toEqual({
      reason: 'there is no command docker',
    });
    expect(judgeDocker({ code: 'no answer', stdout: '', stderr: '' })).toEqual({
      reason: 'docker version: no answer',
    });
  });
});

describe('SSH', () => {
  test.each([
    ['OpenSSH_9.2p1 Debian-2+deb12u7, OpenSSL 3.0.17\n', { found: 'OpenSSH_9.2p1' }],
    ['OpenSSH_10.0p2, LibreSSL 4.1.0\n', { found: 'OpenSSH_10.0p2' }],
    ['Dropbear v2022.83\n', { reason: 'ssh is not OpenSSH; it says "Dropbear v2022.83"' }],
  ])('%j', (stderr, outcome) => {
    expect(judgeSsh({ code: 0, stdout: '', stderr })).toEqual(outcome);
  });
  it('is missing without its command', () => {
    expect(judgeSsh({ code: 'ENOENT', stdout: '', stderr: '' })).toEqual({
      reason: 'there is no command ssh',
    });
  });
});

describe('the clock', () => {
  const TIME_OK = 0;
  const TIME_ERROR = 5;
  const STA_PLL = 0x1;
  const STA_UNSYNC = 0x40;
  /** struct timex, in the middle of other memory: maxerror is a long at 24, status an int at 40. */
  function timex(maxErrorMicros: number, status: number): Uint8Array {
    const memory = new ArrayBuffer(8 + 208);
    const view = new DataView(memory, 8);
    view.setBigInt64(24, BigInt(maxErrorMicros), true);
    view.setInt32(40, status, true);
    return new Uint8Array(memory, 8);
  }

  it.each([
    [TIME_OK, STA_PLL, true],
    [TIME_ERROR, STA_PLL, false],
    [TIME_OK, STA_PLL | STA_UNSYNC, false],
  ])('in state %i with status %i: synchronised %s', (state, status, synchronised) => {
    expect(decodeTimex(state, timex(12_345, status))).toEqual({ synchronised, maxErrorMicros: 12_345 });
  });

  it('is within what the kernel was told', () => {
    expect(judgeClock({ synchronised: true, maxErrorMicros: 12_345 })).toEqual({ found: 'within 12.3 ms' });
  });
  it('is wrong when nobody keeps it right', () => {
    expect(judgeClock({ synchronised: false, maxErrorMicros: 16_000_000 })).toMatchObject({
      reason: expect.stringContaining('TIME_ERROR'),
    });
  });
});
