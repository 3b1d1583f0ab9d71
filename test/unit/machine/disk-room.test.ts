import { statfsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { neededRoom, requireDiskRoom } from '../../../controller/machine/disk-room.ts';

it('each host has the text, as JSON writes it', () => {
  const one = neededRoom({ hosts: 1, endpoints: 2, text: '' });
  const text = neededRoom({ hosts: 1, endpoints: 2, text: 'a"b\n' });
  const two = neededRoom({ hosts: 2, endpoints: 2, text: 'a"b\n' });
  expect(text.bytes - one.bytes).toBe(6);
  expect(two.bytes - text.bytes).toBeGreaterThan(6);
  expect(two.files).toBeGreaterThan(text.files);
});

it('what does not fit is refused with numbers and a remedy, also where the folder is not made yet', () => {
  const folder = '/tmp/no-such-folder/below';
  const { bavail, bsize } = statfsSync('/tmp');
  expect(() => requireDiskRoom(folder, { bytes: 1, files: 1 })).not.toThrow();
  const much = 2 * bavail * bsize;
  expect(() => requireDiskRoom(folder, { bytes: much, files: 1 })).toThrow(
    expect.objectContaining({
      code: 'NO_ROOM',
      message: expect.stringMatching(`^the file system of ${folder} has room for \\d+ bytes, .* ${much}$`),
      remedy: 'make room, and see what takes it: df /tmp',
    }),
  );
});
