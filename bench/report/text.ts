/** A report for the terminal, and as Markdown. Pure. */
import { cells, HEADING, NUMERIC, titleOf } from './cells.ts';
import type { MachineFacts } from './machine.ts';
import { type Report, type Table, tally } from './model.ts';

/** The last line of every report. */
export function summary({ tables }: Pick<Report, 'tables'>): string {
  const { within, judged, beyond } = tally(tables);
  const line = `${within} of ${judged} rows within their bounds`;
  return beyond === 0 ? line : `${line} (${beyond} more need a faster machine)`;
}

export type DrawTable = (
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  numeric: readonly number[],
) => string;

/** Everything but the summary; `draw` aligns columns, as the command line's `table` does. */
export function terminalText(report: Report, draw: DrawTable): string {
  const tables = report.tables.map((table) =>
    [
      titleOf(table),
      `  ${table.method}`,
      `  samples: ${table.sampled}`,
      '',
      draw(HEADING, table.rows.map(cells), NUMERIC),
    ].join('\n'),
  );
  return [`${machineLine(report.machine)}${quickness(report)}`, ...tables].join('\n\n');
}

/** A figure that was saved beside the Markdown. */
export interface DrawnFigure {
  readonly file: string;
  readonly title: string;
}

export function markdown(report: Report, figures: readonly DrawnFigure[] = []): string {
  const { bench, date, machine, seconds } = report;
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  const head = [
    `# ${bench}: ${summary(report)}`,
    `Measured ${date} in ${Math.round(seconds)} s${quickness(report)} by \`npm run bench -- ${bench}\`.`,
    `${machineLine(machine)}. ${versions.join(', ')}.`,
    '✓ within its bound, ✗ outside, – needs a faster machine. Tries: a row that is outside is measured once more.',
  ];
  const pictures = figures.map(({ file, title }) => `![${title}](${file})`);
  return `${[...head, ...pictures, ...report.tables.map(section)].join('\n\n')}\n`;
}

function section(table: Table): string {
  const line = (row: readonly string[]): string => `| ${row.map(escapeBar).join(' | ')} |`;
  const rule = HEADING.map((_, column) => ((NUMERIC as readonly number[]).includes(column) ? '---:' : '---'));
  return [
    `## ${titleOf(table)}`,
    '',
    `After ${table.source}. ${table.method}`,
    `Samples: ${table.sampled}.`,
    '',
    line(HEADING),
    `| ${rule.join(' | ')} |`,
    ...table.rows.map((row) => line(cells(row))),
  ].join('\n');
}

function escapeBar(cell: string): string {
  return cell.replaceAll('|', '\\|');
}

function quickness({ quick }: Report): string {
  return quick ? ' (quick: a look, not a result)' : '';
}

function machineLine({ cpu, cores, memoryGiB, virtual, distribution, kernel }: MachineFacts): string {
  const where = virtual === null ? '' : `, virtual (${virtual})`;
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB${where}, ${distribution}, Linux ${kernel}`;
}
