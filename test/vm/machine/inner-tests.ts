/** Runs tests of the checkout inside a machine, and reports which of them did not pass. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { lastLines } from '../../../deploy/setup/processes.mjs';
import type { VirtualMachine } from '../../../deploy/vm/virtual-machine.ts';

const LAST_LINES = 30;
/** Labs start in several times as long, and agents with them. */
const TEST_TIMEOUT_MS = 180_000;

/** What we read of Vitest's JSON report. */
const reportSchema = z.object({
  success: z.boolean(),
  testResults: z.array(
    z.object({
      name: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(
        z.object({
          fullName: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()).nullish(),
        }),
      ),
    }),
  ),
});

export interface InnerOutcome {
  readonly passed: readonly string[];
  /** One text for each test that failed, each file that could not be loaded, and each test that was skipped. */
  readonly wrong: readonly string[];
}

export interface InnerTests {
  /** Path in the checkout. */
  readonly file: string;
  /** Part of the names of the tests to run; absent: all. */
  readonly only?: string;
}

/** Runs one file of the kernel tests. Throws `MachineError` when it takes longer than `timeoutMs`. */
export async function runInner(
  machine: VirtualMachine,
  { file, only }: InnerTests,
  timeoutMs: number,
): Promise<InnerOutcome> {
  const report = join(machine.results, 'report.json');
  rmSync(report, { force: true });
  const chosen = only === undefined ? '' : `--testNamePattern '${only}'`;
  const { code, output } = await machine.run(
    `vitest run --configLoader native --project 'kernel*' --reporter=default --reporter=json \
      --outputFile.json=/results/report.json --testTimeout=${TEST_TIMEOUT_MS} ${chosen} ${file}`,
    { timeoutMs },
  );
  let text: string;
  try {
    text = readFileSync(report, 'utf8');
  } catch {
    return {
      passed: [],
      wrong: [`vitest ended with ${code} and without a report:\n${lastLines(output, LAST_LINES)}`],
    };
  }
  const outcome = judgeReport(JSON.parse(text), only);
  if (code === 0 || outcome.wrong.length > 0) return outcome;
  return { ...outcome, wrong: [`vitest ended with ${code}:\n${lastLines(output, LAST_LINES)}`] };
}

/**
 * @param only tests without this in their name were left out on purpose
 * @returns never both lists empty: a run without a test is wrong
 */
export function judgeReport(report: unknown, only?: string): InnerOutcome {
  const files = reportSchema.parse(report).testResults;
  const tests = files.flatMap(({ assertionResults }) => assertionResults);
  const chosen = tests.filter(({ fullName }) => only === undefined || fullName.includes(only));
  const passed = chosen.filter(({ status }) => status === 'passed').map(({ fullName }) => fullName);
  const wrong = chosen
    .filter(({ status }) => status !== 'passed')
    .map(({ fullName, status, failureMessages }) =>
      [`${status}: ${fullName}`, ...(failureMessages ?? [])].join('\n'),
    );
  for (const { name, message, assertionResults } of files)
    if (assertionResults.length === 0) wrong.push(`${name}: ${message ?? 'no test'}`);
  if (passed.length + wrong.length === 0)
    wrong.push(only === undefined ? 'no test' : `no test is named "${only}"`);
  return { passed, wrong };
}
