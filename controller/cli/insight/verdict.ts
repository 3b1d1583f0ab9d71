/** `netfold verdict`: whether a run is what its topology says, as the agents have seen it. */
import type { Command } from 'commander';
import { EXIT_CODE } from '../../../proto/errors.ts';
import { findExperiment, readState } from '../../experiment/state.ts';
import { type PathRow, pathRows } from '../../fidelity/path-proofs.ts';
import { askVerdict } from '../../fidelity/verdict.ts';
import { namedBy, sameNameOption } from '../options/name-option.ts';
import { print, printJson, styled, table } from '../terminal/output.ts';
import { causeLines, clockTime, verdictLine } from '../terminal/verdict-text.ts';

interface VerdictOptions {
  readonly json?: boolean;
  readonly paths?: boolean;
  readonly name?: string;
}

export function addVerdictCommand(program: Command): void {
  program
    .command('verdict [experiment]')
    .description('whether a running experiment is faithful so far: since when not, where, and why')
    .option(
      '--paths',
      'also the paths in use: since when their rules are in force, and what TCP measures there',
    )
    .option('--json', 'print JSON')
    .addOption(sameNameOption())
    .action(showVerdict);
}

async function showVerdict(given: string | undefined, options: VerdictOptions): Promise<void> {
  const experiment = await findExperiment(namedBy(given, options.name));
  const hosts = (readState(experiment)?.hosts ?? []).map(({ name }) => name);
  const { verdict, proofs } = await askVerdict(experiment, hosts);
  const paths = options.paths ? pathRows(proofs) : undefined;
  if (options.json) printJson({ experiment, ...verdict, ...(paths && { paths }) });
  else {
    print(`${styled('bold', experiment)}: ${verdictLine(verdict)}`);
    for (const line of causeLines(verdict.causes)) print(`  ${line}`);
    if (paths) print(paths.length === 0 ? 'no path has been used lately' : pathTable(paths));
  }
  if (verdict.verdict !== 'faithful') process.exitCode = EXIT_CODE.internal;
}

function pathTable(paths: readonly PathRow[]): string {
  const rows = paths.map((row) => {
    const { from, to, inForceSince, readBackAt, roundTripMs, measuredMs, retransmitted } = row;
    return [
      `${from} > ${to}`,
      timeOr(inForceSince, 'not yet'),
      timeOr(readBackAt, 'not yet'),
      milliseconds(roundTripMs),
      milliseconds(measuredMs),
      retransmitted === null ? '-' : String(retransmitted),
    ];
  });
  return table(
    ['path', 'in force since', 'read back at', 'round trip', 'TCP measures', 'sent again'],
    rows,
    [3, 4, 5],
  );
}

const timeOr = (date: string | null, otherwise: string): string =>
  date === null ? otherwise : clockTime(date);
const milliseconds = (ms: number | null): string => (ms === null ? '-' : `${ms.toFixed(2)} ms`);
