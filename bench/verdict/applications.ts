/** Programs on the machine or in an endpoint that disturb a run. Each function returns what ends it. */
import { execFile, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { BenchError } from '../errors.ts';
import type { Lab } from '../lab.ts';
import type { Undo } from './real-network.ts';

/** Programs that use all processors of the machine. */
export function useProcessors(): Undo {
  const programs = Array.from({ length: 2 * availableParallelism() }, () =>
    spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' }),
  );
  return () => {
    for (const program of programs) program.kill('SIGKILL');
  };
}

/** One frame of IPv4 a millisecond, which PACKET_QDISC_BYPASS (packet(7)) sends past the queue. */
const PAST_QUEUE = `use Time::HiRes "sleep"; socket(my $s, 17, 3, 0) or die $!;
setsockopt($s, 263, 20, pack("l", 1)) or die $!;
my ($index) = \`ip -o link show dev eth0\` =~ /^(\\d+)/;
my $frame = "\\xff" x 6 . "\\x02" . "\\0" x 5 . "\\x08\\0" . "E" . "\\0" x 99;
for (1..200) { send($s, $frame, 0, pack("SnlSCCa8", 17, 0, $index, 0, 0, 0, "")); sleep(0.001); }`;

/** An application with raw sockets sends past its path. */
export async function sendPastQueue({ place }: Lab, endpoint: string): Promise<Undo> {
  const { namespace } = place(endpoint);
  await promisify(execFile)('ip', ['netns', 'exec', namespace, 'perl', '-e', PAST_QUEUE]);
  return () => {};
}

/** Datagrams without end. */
const FLOOD = `use Socket; socket(my $s, PF_INET, SOCK_DGRAM, 0); my $to = pack_sockaddr_in(9, inet_aton($ARGV[0]));
while (1) { send($s, "x" x 64, 0, $to) for 1..500; }`;
const FULL_AFTER_MS = 30_000;
const POLL_MS = 50;

/** More is under way to the endpoint than its queue holds. Resolves when the kernel has dropped the first, for which only the delay line has a queue. */
export async function fillQueue({ place }: Lab, from: string, to: string): Promise<Undo> {
  const { address, namespace } = place(to);
  // Who is not root is bounded by the room of its socket, and waits.
  const user = ['setpriv', '--reuid=nobody', '--clear-groups', 'perl', '-e', FLOOD, address];
  const flood = spawn('ip', ['netns', 'exec', place(from).namespace, ...user], { stdio: 'ignore' });
  const undo = () => flood.kill('SIGKILL');
  try {
    const deadline = performance.now() + FULL_AFTER_MS;
    while ((await droppedIn(namespace)) === 0) {
      if (performance.now() > deadline)
        throw new BenchError('FAULT_FAILED', `the queue of ${to} is never full`);
      await sleep(POLL_MS);
    }
  } catch (error) {
    undo();
    throw error;
  }
  return undo;
}

/** nfnetlink_queue of proc: number, reader, packets, how they are copied (two fields), dropped since there was no room. */
async function droppedIn(namespace: string): Promise<number> {
  const words = ['netns', 'exec', namespace, 'cat', '/proc/net/netfilter/nfnetlink_queue'];
  const { stdout } = await promisify(execFile)('ip', words);
  const dropped = stdout.split('\n').map((line) => Number(line.trim().split(/\s+/)[5] ?? 0));
  return dropped.reduce((sum, one) => sum + one, 0);
}
