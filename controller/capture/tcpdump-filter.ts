/** Filters in tcpdump's language, compiled by tcpdump itself: the language is libpcap's, and its users know it from there. */
import { spawnSync } from 'node:child_process';
import type { Instruction } from '../../agent/kernel/sys/sockets.ts';
import { ControllerError } from '../errors.ts';
import { MOST_CAPTURED } from './address-filter.ts';

/** The most that the kernel takes (BPF_MAXINSNS). */
const MOST_INSTRUCTIONS = 4096;

/** Throws `ControllerError`: `CAPTURE_FILTER`, `PROGRAM_MISSING`. */
export function compileFilter(expression: string): Instruction[] {
  const words = ['-ddd', '-y', 'EN10MB', '-s', String(MOST_CAPTURED), '--', expression];
  // Administrators' folders, where older systems have it, are not in every PATH.
  const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };
  const { status, stdout, stderr, error } = spawnSync('tcpdump', words, { encoding: 'utf8', env });
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT')
    throw new ControllerError(
      'PROGRAM_MISSING',
      'there is no program tcpdump in PATH, which compiles the filter',
      'sudo apt-get install tcpdump; without --filter, all packets of the path are taken',
    );
  if (error) throw error;
  if (status === 0) return parseProgram(stdout);
  const said = stderr.trim().split('\n').at(-1) ?? '';
  throw new ControllerError(
    'CAPTURE_FILTER',
    `tcpdump does not understand the filter ${JSON.stringify(expression)}: ${said.replace(/^tcpdump: /, '')}`,
    'write it as for tcpdump, e.g. "tcp port 80" (man pcap-filter)',
  );
}

/** Of what `tcpdump -ddd` prints: how many instructions, then one a line, in decimal. Throws `ControllerError` (`CAPTURE_FILTER`). */
export function parseProgram(text: string): Instruction[] {
  const [first, ...lines] = text.trim().split('\n');
  const instructions = lines.map((line) => line.trim().split(/\s+/).map(Number));
  const isWhole =
    instructions.length === Number(first) &&
    instructions.length > 0 &&
    instructions.length <= MOST_INSTRUCTIONS &&
    instructions.every((words) => words.length === 4 && words.every((word) => Number.isInteger(word)));
  if (isWhole) return instructions as unknown as Instruction[];
  throw new ControllerError(
    'CAPTURE_FILTER',
    'what tcpdump -ddd has printed is no program of BPF',
    'see tcpdump --version: netfold knows that of libpcap 1',
  );
}
