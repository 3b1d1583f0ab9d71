/** Runs a bench on Debian's kernel in an emulated machine, for machines whose own kernel lacks netem. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VirtualMachine } from '../deploy/vm/virtual-machine.ts';
import { BenchError } from './errors.ts';
import type { Interruption } from './lab.ts';
import type { Report } from './report/model.ts';

/** A complete run takes 12 minutes if nothing else runs. */
const TIME_LIMIT_MS = 60 * 60_000;
const REPORT = 'report.json';

/** The report of `node bench/main.ts WORDS`. Its progress and tables go to `onOutput` immediately. */
export async function reportFromMachine(
  words: readonly string[],
  interruption: Interruption,
  onOutput: (text: string) => void,
): Promise<Report> {
  const machine = await VirtualMachine.boot({ hostname: 'bench', memoryMb: 4096 });
  try {
    const command = ['node', 'bench/main.ts', ...words, '--json', `/results/${REPORT}`].join(' ');
    const options = { timeoutMs: TIME_LIMIT_MS, onOutput };
    const { code } = await interruption.race(() => machine.run(command, options));
    if (code !== 0)
      throw new BenchError('MACHINE_FAILED', `\`${command}\` ended with ${code} in the machine`);
    return JSON.parse(readFileSync(join(machine.results, REPORT), 'utf8')) as Report;
  } finally {
    await machine.stop();
  }
}
