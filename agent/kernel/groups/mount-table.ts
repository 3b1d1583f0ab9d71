/** What is mounted in this process's mount namespace (proc_pid_mountinfo(5)). */

export interface Mount {
  readonly type: string;
  readonly folder: string;
  /** Of the file system, not of the mount. */
  readonly options: readonly string[];
}

/** `text`: as `/proc/self/mountinfo`, in whose order later mounts hide earlier ones. */
export function parseMounts(text: string): Mount[] {
  return text
    .split('\n')
    .map(parseMount)
    .filter((mount) => mount !== undefined);
}

function parseMount(line: string): Mount | undefined {
  const [before, after] = line.split(' - ');
  const folder = before?.split(' ')[4];
  const [type, , options] = after?.split(' ') ?? [];
  if (folder === undefined || type === undefined || options === undefined) return undefined;
  // A backslash and three octal digits stand for a space and the like.
  const plain = folder.replace(/\\([0-7]{3})/g, (_, digits) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
  return { type, folder: plain, options: options.split(',') };
}
