/** All benches, one after the other, each in a process of its own, so that none inherits the memory of another. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { print, step } from '../controller/cli/terminal/output.ts';
import { count } from '../proto/words.ts';
import type { Bench } from './bench.ts';
import { BenchError } from './errors.ts';

const MAIN = join(import.meta.dirname, 'main.ts');
const INTERRUPTED = 130;

/** If a bench fails, the others still run. Throws `BENCHES_FAILED` or `INTERRUPTED` at the end. */
export async function runAll(
  benches: readonly Bench[],
  words: readonly string[],
  quick: boolean,
): Promise<void> {
  step(forecast(benches, quick, new Date()));
  const failed: string[] = [];
  for (const { name } of benches) {
    print(`\n${name}\n`);
    const code = await runOne([name, ...words]);
    if (code === INTERRUPTED) throw new BenchError('INTERRUPTED', `${name}: the measurements were given up`);
    if (code !== 0) failed.push(`${name} (exit ${code})`);
  }
  if (failed.length > 0) throw new BenchError('BENCHES_FAILED', `not measured: ${failed.join(', ')}`);
}

/** `10 benches, about 65 minutes, until 14:20` */
export function forecast(benches: readonly Bench[], quick: boolean, now: Date): string {
  const minutes = benches.reduce((sum, one) => sum + (quick ? one.minutes.quick : one.minutes.whole), 0);
  const until = new Date(now.getTime() + minutes * 60_000);
  const clock = until.toLocaleTimeString('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  return `${benches.length} benches, about ${count(Math.ceil(minutes), 'minute')}, until ${clock}`;
}

/** Ctrl-C reaches the bench as well; this process waits until the bench has removed its lab. */
async function runOne(words: readonly string[]): Promise<number> {
  const stay = (): void => {};
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const child = spawn(process.execPath, [MAIN, ...words], { stdio: 'inherit' });
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGINT', stay);
  for (const signal of signals.slice(1)) process.on(signal, pass);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve(code ?? INTERRUPTED));
    });
  } finally {
    process.off('SIGINT', stay);
    for (const signal of signals.slice(1)) process.off(signal, pass);
  }
}
