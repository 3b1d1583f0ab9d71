/** What a process of netfold's makes is its user's alone; what it starts for the user has the user's umask. */

const PRIVATE = 0o077;

let users: number | undefined;

/**
 * From now on, in all threads. The mode of a unix socket is the umask's from its first moment; to change it afterwards
 * leaves a gap in which others can connect. Nothing the second time.
 */
export function keepPrivate(): void {
  users ??= process.umask(PRIVATE);
}

/** Runs `start`, which starts a process, with the umask that this process was started with. */
export function withUsersUmask<Result>(start: () => Result): Result {
  if (users === undefined) return start();
  process.umask(users);
  try {
    return start();
  } finally {
    process.umask(PRIVATE);
  }
}
