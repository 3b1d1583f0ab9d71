/**
 * A program that takes an interface over, shapes it and restores it. It is killed before the nth step that changes
 * anything: a file of the journal, or the kernel's state.
 *
 *   node killed-take-over.ts NAMESPACE IFINDEX JOURNAL STEP
 *
 * Prints the number of steps if it reaches its end.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { NetlinkSocket, type Request, type Verdict } from '../../../agent/kernel/netlink/netlink-socket.ts';
import { namespacePath } from '../../../agent/kernel/netns/namespaces.ts';
import { Journal } from '../../../agent/linux/take-over/journal.ts';
import { giveBack, takeOver } from '../../../agent/linux/take-over/take-over.ts';

const [name, ifindex, folder, last] = process.argv.slice(2);
let steps = 0;

function step(): void {
  if (++steps === Number(last)) process.kill(process.pid, 'SIGKILL');
}

/** Half of a text is written before the step: the program may be killed while it writes. */
const { writeSync, fsyncSync, renameSync, rmSync } = fs;
fs.writeSync = ((fd: number, text: string) => {
  writeSync(fd, text.slice(0, text.length / 2));
  step();
  return writeSync(fd, text.slice(text.length / 2));
}) as typeof fs.writeSync;
fs.fsyncSync = (fd) => {
  step();
  fsyncSync(fd);
};
fs.renameSync = (from, to) => {
  step();
  renameSync(from, to);
};
fs.rmSync = (path, options) => {
  step();
  rmSync(path, options);
};
syncBuiltinESMExports();

const batch = NetlinkSocket.prototype.batch;
NetlinkSocket.prototype.batch = function (requests: readonly Request[]): Verdict[] {
  return requests.flatMap((request) => {
    step();
    return batch.call(this, [request]);
  });
};

function shape(command: string, line: string): void {
  step();
  const { status, stderr } = spawnSync(command, ['-n', name!, ...line.split(' ')], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

const at = { namespace: namespacePath(name!), ifindex: Number(ifindex) };
const journal = new Journal(folder!);
takeOver(at, journal, 'x');
shape('tc', 'qdisc replace dev eth0 root handle 4e46: htb default 0');
shape('tc', 'class add dev eth0 parent 4e46: classid 4e46:7 htb rate 3mbit');
shape('ip', 'link set dev eth0 gso_max_segs 9');
giveBack(at, journal);
console.log(steps);
