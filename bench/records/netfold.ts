/** netfold's own command, as users start it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { BenchError } from '../errors.ts';
import type { Interruption } from '../lab.ts';

const NETFOLD = join(import.meta.dirname, '../../bin/netfold');

export interface Started {
  readonly child: ChildProcess;
  /** What it has printed. */
  readonly said: () => string;
  /** Resolves with its exit code. */
  readonly ended: Promise<number>;
}

/** `records`: where records are kept that have no folder of their own, so that those of the user stay. */
export function startNetfold(words: readonly string[], records: string): Started {
  const env = { ...process.env, NETFOLD_RECORDS: records };
  const child = spawn(NETFOLD, words, { stdio: ['ignore', 'pipe', 'pipe'], env });
  const pieces: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece: Buffer) => pieces.push(piece));
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
  return { child, said: () => Buffer.concat(pieces).toString(), ended };
}

/** Until it has ended; after a signal, until it has taken away what it made. Throws `BenchError`. */
export async function netfold(
  words: readonly string[],
  records: string,
  interruption: Interruption,
  codes: readonly number[] = [0],
): Promise<string> {
  const { child, said, ended } = startNetfold(words, records);
  try {
    const code = await interruption.race(() => ended);
    if (codes.includes(code)) return said();
    const last = said().trim().split('\n').slice(-3).join('; ');
    throw new BenchError('COMMAND_FAILED', `netfold ${words[0]} ended with ${code}: ${last}`);
  } finally {
    child.kill('SIGINT');
    await ended;
  }
}
