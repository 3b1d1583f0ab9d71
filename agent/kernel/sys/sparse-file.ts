/** Files with holes, which take no room (fallocate(2)). */
import { ERRNO, libc, retry } from './libc.ts';

const fallocate = libc.func('int fallocate(int fd, int mode, int64_t offset, int64_t length)');

/** include/uapi/linux/falloc.h. Punching always keeps the size. */
const FALLOC_FL_KEEP_SIZE = 0x01;
const FALLOC_FL_PUNCH_HOLE = 0x02;

/**
 * Drops bytes of a file, which read as zeros from then on; all others stay where they are, also for those who write. `until` is
 * exclusive. Resolves to whether the file system can do that: tmpfs, ext4, xfs and btrfs can. In another thread, because on a
 * disk it waits until the bytes are written. Rejects with `KernelError`.
 */
export async function punchHole(descriptor: number, from: number, until: number): Promise<boolean> {
  const mode = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE;
  const words = [descriptor, mode, from, until - from] as const;
  const result = await new Promise<number>((resolve, reject) => {
    fallocate.async(...words, (error: Error | null, made: number) => (error ? reject(error) : resolve(made)));
  });
  // The error number is the other thread's: asked again here, where it can be read.
  const again = (): number => fallocate(...words) as number;
  return result === 0 || retry('fallocate', again, descriptor, [ERRNO.EOPNOTSUPP, ERRNO.ENOSYS]) === 0;
}
