/** What happens to a host's agent, or in an endpoint beside it. Each function returns what ends it. */
import { execFile, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { agentAt, signalAll } from '../../controller/machine/processes.ts';
import { agentSocket } from '../../controller/names.ts';
import { BenchError } from '../errors.ts';
import type { Lab } from '../lab.ts';
import type { Undo } from './real-network.ts';

const socketOf = ({ experiment }: Lab, host: number): string =>
  agentSocket(experiment.name, experiment.plan.hosts[host]!.name);

function pidOf(lab: Lab, host: number): number {
  const pid = agentAt(socketOf(lab, host));
  if (pid === undefined) throw new BenchError('FAULT_FAILED', `host ${host} has no agent`);
  return pid;
}

/** SIGSTOP, until it is undone. */
export function stop(lab: Lab, host: number): Undo {
  const pid = pidOf(lab, host);
  signalAll([pid], 'SIGSTOP');
  return () => signalAll([pid], 'SIGCONT');
}

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
