import { closeSync, openSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LogWriter } from '../../../agent/health/log-writer.ts';

/** A disk with room for so many bytes. */
class Disk {
  room: number;
  text = '';

  constructor(room: number) {
    this.room = room;
  }

  readonly write = (_: number, bytes: Buffer): number => {
    if (this.room === 0)
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const written = Math.min(this.room, bytes.length);
    this.room -= written;
    this.text += bytes.subarray(0, written).toString();
    return written;
  };
}

test('lines that find no room are told of once, and written in their order when there is room', () => {
  const disk = new Disk(10);
  const lines = new LogWriter(1, disk.write);
  let failures = 0;
  lines.onFailure = () => failures++;
  for (const line of ['first\n', 'second\n', 'third\n']) lines.write(line);
  expect(disk.text).toBe('first\nseco');
  expect(failures).toBe(1);
  expect(() => lines.flush()).toThrow('ENOSPC');
  disk.room = 1000;
  lines.flush();
  expect(disk.text).toBe('first\nsecond\nthird\n');
  expect(lines.isBehind).toBe(false);
  disk.room = 0;
  lines.write('fourth\n');
  expect(failures).toBe(2);
});

test('of more lines than it keeps, the log says how many are missing', () => {
  const disk = new Disk(0);
  const lines = new LogWriter(1, disk.write);
  for (let number = 0; number < 1000; number++) lines.write(`${'x'.repeat(1023)}\n`);
  disk.room = 10 ** 6;
  lines.flush();
  const written = disk.text.trimEnd().split('\n');
  expect(written).toHaveLength(257);
  expect(JSON.parse(written.at(-1)!)).toEqual({ msg: '744 lines were lost: no room for the log' });
});

test('a device that is full throws nothing at who writes a line', () => {
  const full = openSync('/dev/full', 'w');
  try {
    const lines = new LogWriter(full);
    lines.write('a line\n');
    expect(lines.isBehind).toBe(true);
    expect(() => lines.flush()).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
  } finally {
    closeSync(full);
  }
});
