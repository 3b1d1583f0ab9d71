/** Mounts. */
import { check, ERRNO, fail, lastErrno, libc } from './libc.ts';

const raw = {
  mount: libc.func(
    'int mount(const char *source, const char *target, const char *type, ulong flags, void *data)',
  ),
  umount2: libc.func('int umount2(const char *target, int flags)'),
};

const MS_BIND = 4096;
const MS_REC = 16384;
const MS_SHARED = 1 << 20;
const MNT_DETACH = 2;

export function bindMount(source: string, target: string): void {
  check('mount', raw.mount(source, target, 'none', MS_BIND, null), target);
}

/** Makes a folder a shared mount, so that other mount namespaces see what is mounted in it, as iproute2 does for /run/netns. */
export function makeSharedMount(folder: string): void {
  if (raw.mount('', folder, 'none', MS_SHARED | MS_REC, null) === 0) return;
  // EINVAL: nothing is mounted there yet.
  if (lastErrno() !== ERRNO.EINVAL) fail('mount', folder);
  check('mount', raw.mount(folder, folder, 'none', MS_BIND | MS_REC, null), folder);
  check('mount', raw.mount('', folder, 'none', MS_SHARED | MS_REC, null), folder);
}

/** Unmounts `target` as soon as it is unused; false when nothing was mounted there. */
export function unmount(target: string): boolean {
  if (raw.umount2(target, MNT_DETACH) === 0) return true;
  const errno = lastErrno();
  if (errno === ERRNO.EINVAL || errno === ERRNO.ENOENT) return false;
  return fail('umount2', target);
}

/**
 * The same in a thread of libuv's pool: each call waits for a grace period of RCU after it has let others go on
 * (namespace_unlock, fs/namespace.c), which concurrent ones share.
 */
export function unmountLater(target: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    raw.umount2.async(target, MNT_DETACH, (error: Error | null, result: number) => {
      if (error) reject(error);
      else resolve(result === 0);
    });
    // Why it failed, only a call of this thread can tell.
  }).then((isDone) => isDone === true || unmount(target));
}
