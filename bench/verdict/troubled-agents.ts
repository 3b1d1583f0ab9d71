/** What happens to a host's agent. Each function returns what ends it. */
import { execFile, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { PROMISE_MS } from '../../agent/linux/delay-line/attendance.ts';
import { controlAgents } from '../../controller/experiment/control.ts';
import { askVerdict } from '../../controller/fidelity/verdict.ts';
import { agentAt, signalAll } from '../../controller/machine/processes.ts';
import { agentSocket } from '../../controller/names.ts';
import { millisToSeconds } from '../../proto/units.ts';
import { BenchError } from '../errors.ts';
import { boundMemory, boundProcessor, type ProcessorBound } from '../faults/shortages.ts';
import type { Lab } from '../lab.ts';
import { parseSchedstat, processMemory } from '../measure/cpu/cpu-times.ts';
import type { Undo } from './real-network.ts';

/** Of half a second, an agent runs for a tenth: packets, ticks and events wait for it, and every question is answered in time. */
const STOPPED_MS = 450;
const RUNNING_MS = 50;
/** Packets wait for it until its promise has run out, and pass by after that. */
const PAUSED_MS = PROMISE_MS + 1500;
/** Between two commands, neither in step with the stops. */
const COMMANDS_MS = 370;
/** The agent uses more than the four fifths that are near its bound, and gets the rest. */
const USED_PART = 0.9;

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

/** SIGSTOP, and SIGCONT when it is over: others have taken it for dead, and packets have passed its queues by. */
export async function pause(lab: Lab, host: number): Promise<Undo> {
  const undo = stop(lab, host);
  await sleep(PAUSED_MS);
  await undo();
  return () => {};
}

/** Stops it and lets it go on, again and again. */
export function slowDown(lab: Lab, host: number): Undo {
  const pid = pidOf(lab, host);
  let isOver = false;
  const turns = (async () => {
    while (!isOver) {
      signalAll([pid], 'SIGSTOP');
      await sleep(STOPPED_MS);
      signalAll([pid], 'SIGCONT');
      await sleep(RUNNING_MS);
    }
  })();
  return () => {
    isOver = true;
    return turns;
  };
}

/** A hundred packets a second each way meanwhile. */
export function slowDownBesidePings(lab: Lab, host: number, from: string, to: string): Undo {
  const words = [
    'netns',
    'exec',
    lab.place(from).namespace,
    'ping',
    '-q',
    '-i',
    '0.01',
    lab.place(to).address,
  ];
  const pings = spawn('ip', words, { stdio: 'ignore' });
  const undo = slowDown(lab, host);
  return () => {
    pings.kill('SIGKILL');
    return undo();
  };
}

/** Events come by the agent of another host meanwhile: `texts` in turn. */
export function slowDownBesideEvents(lab: Lab, host: number, other: number, texts: readonly string[]): Undo {
  const { name, plan } = lab.experiment;
  const undo = slowDown(lab, host);
  let isOver = false;
  const commands = (async () => {
    for (let turn = 0; !isOver; turn++) {
      await controlAgents(name, plan.hosts[other]!.name, { text: texts[turn % texts.length]! });
      await sleep(COMMANDS_MS);
    }
  })();
  // Told when it is undone.
  commands.catch(() => {});
  return async () => {
    isOver = true;
    await undo();
    await commands;
  };
}

/** In a control group whose limit is little more than what it uses. Only where `canBoundMemory`. */
export function nearMemory(lab: Lab, host: number): Undo {
  const pid = pidOf(lab, host);
  return boundMemory(pid, Math.round(processMemory(pid).nowBytes / USED_PART));
}

/** Its main thread alone, which has what it wants until a part is set. Only where `canBoundProcessor`. */
export const nearProcessor = (lab: Lab, host: number): ProcessorBound => boundProcessor(pidOf(lab, host));

/** What the main thread takes while it is asked so often is measured for so long … */
const ASKED_MS = 25;
const MEASURED_MS = 2000;
/** … and it gets this part of that, or the least that the kernel takes: it never rests, and answers all the same. */
const TOO_LITTLE = 0.5;
const LEAST_PART = 0.01;
/** What is more than this part of it is not little enough. */
const ENOUGH = 0.6;

/** It is asked, and gets less of a processor than it needs for that. Only where `canBoundProcessor`. */
export async function crowd(lab: Lab, host: number): Promise<Undo> {
  const { name, plan } = lab.experiment;
  const pid = pidOf(lab, host);
  let isOver = false;
  const asking = (async () => {
    while (!isOver) {
      await askVerdict(name, [plan.hosts[host]!.name]);
      await sleep(ASKED_MS);
    }
  })();
  const end = (): Promise<void> => {
    isOver = true;
    return asking;
  };
  try {
    const before = mainThreadSeconds(pid);
    await sleep(MEASURED_MS);
    const needed = (mainThreadSeconds(pid) - before) / millisToSeconds(MEASURED_MS);
    const part = Math.max(LEAST_PART, TOO_LITTLE * needed);
    const message = `the agent needs only ${(needed * 100).toFixed(1)} % of a processor`;
    if (part > ENOUGH * needed) throw new BenchError('FAULT_FAILED', message);
    const bound = nearProcessor(lab, host);
    bound.set(part);
    return () => {
      bound.end();
      return end();
    };
  } catch (error) {
    await end();
    throw error;
  }
}

const mainThreadSeconds = (pid: number): number =>
  parseSchedstat(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8'));

/** The only map of this type that an agent has is that of its counters (bpf/maps.h). */
const PER_CPU_HASH = 5;
/** BPF_MAP_GET_FD_BY_ID and BPF_MAP_FREEZE of bpf(2): from then on, no process may take anything from the map. */
const FREEZE = `my $bpf = (POSIX::uname())[4] eq "x86_64" ? 321 : 280;
my $attr = pack("L3", $ARGV[0], 0, 0) . "\\0" x 116; my $fd = syscall($bpf, 14, $attr, 128); die "$!" if $fd < 0;
$attr = pack("L", $fd) . "\\0" x 124; die "$!" if syscall($bpf, 22, $attr, 128) < 0;`;

/** Its counters can't be read any more, for good: rules are in force, and shares stay as they are. */
export async function freezeCounters(lab: Lab, host: number): Promise<Undo> {
  const folder = `/proc/${pidOf(lab, host)}/fdinfo`;
  const ids = readdirSync(folder).flatMap((fd) => {
    const text = readFileSync(`${folder}/${fd}`, 'utf8');
    const isMeant = Number(/^map_type:\s*(\d+)$/m.exec(text)?.[1]) === PER_CPU_HASH;
    return isMeant ? (/^map_id:\s*(\d+)$/m.exec(text)?.[1] ?? []) : [];
  });
  const [id] = new Set(ids);
  if (id === undefined) throw new BenchError('FAULT_FAILED', `the agent of host ${host} has no counters`);
  await promisify(execFile)('perl', ['-MPOSIX', '-e', FREEZE, id]);
  return () => {};
}
