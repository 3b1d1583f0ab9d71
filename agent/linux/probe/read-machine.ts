/** Reads the input of `detectMachine`. A file that can't be read counts as empty. */
import { existsSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { detectMachine, type Machine } from './platform.ts';

/** The inode of the initial PID namespace on every kernel since 3.8 (PROC_PID_INIT_INO, linux/proc_ns.h). */
const FIRST_PID_NAMESPACE = 'pid:[4026531836]';

export function readMachine(): Machine {
  return detectMachine({
    osRelease: read('/etc/os-release') || read('/usr/lib/os-release'),
    kernelRelease: release(),
    containerMark: existsSync('/.dockerenv') || existsSync('/run/.containerenv'),
    cgroup: read('/proc/self/cgroup'),
    isWholeMachine: seesAllProcesses() && sharesRootWithInit(),
  });
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function seesAllProcesses(): boolean {
  try {
    return readlinkSync('/proc/self/ns/pid') === FIRST_PID_NAMESPACE;
  } catch {
    return false;
  }
}

/** A container may share the host's process ids (`--pid=host`), but not its files. */
function sharesRootWithInit(): boolean {
  try {
    const init = statSync('/proc/1/root/.');
    const own = statSync('/');
    return init.dev === own.dev && init.ino === own.ino;
  } catch {
    // Only root may read it, and for other users the missing right is reported first.
    return true;
  }
}
