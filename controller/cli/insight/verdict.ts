/** `netfold verdict`: whether a run is what its topology says, as the agents have seen it. */
import type { Command } from 'commander';
import { EXIT_CODE } from '../../../proto/errors.ts';
import { findExperiment, readState } from '../../experiment/state.ts';
import { type PathRow, pathRows } from '../../fidelity/path-proofs.ts';
import { askVerdict, type ExperimentVerdict } from '../../fidelity/verdict.ts';
import { apiOption, caOption, namedBy, sameNameOption } from '../options/name-option.ts';
import { print, printJson, styled, table } from '../terminal/output.ts';
import { causeLines, clockTime, verdictLine } from '../terminal/verdict-text.ts';

interface VerdictOptions {
  readonly json?: boolean;
  readonly paths?: boolean;
  readonly name?: string;
  readonly api?: string;
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
    .addOption(apiOption())
    .addOption(caOption())
    .action(showVerdict);
}

async function showVerdict(given: string | undefined, options: VerdictOptions): Promise<void> {
  const name = namedBy(given, options.name);
  const { experiment, verdict, rows } =
    options.api === undefined ? await verdictHere(name) : await verdictAt(options.api, name);
  const paths = options.paths ? rows : undefined;
  if (options.json) printJson({ experiment, ...verdict, ...(paths && { paths }) });
  else {
    print(`${styled('bold', experiment)}: ${verdictLine(verdict)}`);
    for (const line of causeLines(verdict.causes)) print(`  ${line}`);
    if (paths) print(paths.length === 0 ? 'no path has been used lately' : pathTable(paths));
  }
  if (verdict.verdict !== 'faithful') process.exitCode = EXIT_CODE.internal;
}

interface Asked {
  readonly experiment: string;
  readonly verdict: ExperimentVerdict;
  readonly rows: readonly PathRow[];
}

async function verdictHere(name: string | undefined): Promise<Asked> {
  const experiment = await findExperiment(name);
  const hosts = (readState(experiment)?.hosts ?? []).map((host) => host.name);
  const { verdict, proofs } = await askVerdict(experiment, hosts);
  return { experiment, verdict, rows: pathRows(proofs) };
}

async function verdictAt(api: string, name: string | undefined): Promise<Asked> {
  const { connectApi, experimentAt } = await import('../options/api-option.ts');
  const client = connectApi(api);
  const experiment = await experimentAt(client, name);
  const { paths: rows, ...verdict } = await client.call('getVerdict', { params: { experiment } });
  return { experiment, verdict, rows };
}

function pathTable(paths: readonly PathRow[]): string {
  const rows = paths.map((row) => {
    const { from, to, inForceSince, readBackAt, worksSince, roundTripMs, measuredMs, retransmitted, probes } =
      row;
    return [
      `${from} > ${to}`,
      timeOr(inForceSince, 'not yet'),
      timeOr(readBackAt, 'not yet'),
      timeOr(worksSince, '-'),
      milliseconds(roundTripMs),
      milliseconds(measuredMs),
      retransmitted === null ? '-' : String(retransmitted),
      probes ? `${milliseconds(probes.latestMs)}, ${probes.lost} of ${probes.sent} lost` : '-',
    ];
  });
  return table(
    [
      ...['path', 'in force since', 'read back at', 'works since', 'round trip', 'TCP measures'],
      ...['sent again', 'probes'],
    ],
    rows,
    [4, 5, 6],
  );
}

const timeOr = (date: string | null, otherwise: string): string =>
  date === null ? otherwise : clockTime(date);
const milliseconds = (ms: number | null): string => (ms === null ? '-' : `${ms.toFixed(2)} ms`);
