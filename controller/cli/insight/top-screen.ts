/** The picture of `netfold top`, as lines that fit the terminal. Pure but for the colours. */
import { stripVTControlCharacters } from 'node:util';
import type { AgentStatus, FlowStatus } from '../../../proto/status.ts';
import { formatMicros, formatRate, fromMillis } from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import type { PathRow } from '../../fidelity/path-proofs.ts';
import type { ExperimentVerdict } from '../../fidelity/verdict.ts';
import { styled } from '../terminal/output.ts';
import { stateText, verdictLine } from '../terminal/verdict-text.ts';

export interface Snapshot {
  readonly experiment: string;
  readonly at: Date;
  readonly verdict: ExperimentVerdict;
  readonly agents: readonly AgentStatus[];
  /** Hosts whose agent does not answer. */
  readonly silent: readonly string[];
  readonly paths: readonly PathRow[];
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const SHOWN_CAUSES = 3;
/** Of the columns of numbers, behind that of names. */
const WIDTHS = [11, 11, 9] as const;
const GAP = 1;

export function screenOf(
  { experiment, at, verdict, agents, silent, paths }: Snapshot,
  { columns, rows }: Size,
): string[] {
  const flows = agents.flatMap((agent) => agent.flows).sort((a, b) => b.rateBps - a.rateBps);
  const measured = new Map(paths.map((path) => [`${path.from} ${path.to}`, path.measuredMs]));
  const head = [
    `${styled('bold', experiment)}  ${timeText(agents)}  ${count(agents.length, 'agent')}, ${count(flows.length, 'flow')}  ${at.toTimeString().slice(0, 8)}`,
    verdictLine(verdict),
    ...verdict.causes
      .filter(({ until }) => until === null)
      .slice(0, SHOWN_CAUSES)
      .map(
        ({ code, host, path, message, weight }) =>
          `  ${stateText(weight)} ${code} ${path ?? host}: ${message}`,
      ),
    ...agents.map(agentLine),
    ...silent.map((host) => `${host}: ${styled('red', 'does not answer')}`),
    '',
  ];
  const title = flowLine(['flow', 'rate', 'may use', 'TCP rtt', 'limited by'], columns);
  const room = Math.max(1, rows - head.length - 2);
  const lines = flows.slice(0, room).map((flow) => flowLine(cellsOf(flow, measured), columns));
  const more = flows.length > lines.length ? [`… and ${flows.length - lines.length} more`] : [];
  const body = flows.length === 0 ? ['no flows'] : [styled('bold', title), ...lines, ...more];
  return [...head, ...body].slice(0, rows).map((line) => cut(line, columns));
}

function timeText(agents: readonly AgentStatus[]): string {
  const now = agents.find(({ nowMs }) => nowMs !== null)?.nowMs;
  return now === undefined || now === null
    ? 'before the start'
    : `at ${formatMicros(fromMillis(Math.round(now)))}`;
}

function agentLine({ host, state, endpoints, ticks, cpuSeconds, clock }: AgentStatus): string {
  const skew =
    clock.reference !== null && clock.reference !== host && clock.offsetMs !== null
      ? `, clock ${(-clock.offsetMs).toFixed(1)} ms`
      : '';
  return `${host}: ${state}, ${count(endpoints.length, 'endpoint')}, tick ${ticks.meanMs.toFixed(2)} ms, ${cpuSeconds.toFixed(1)} s of processor${skew}`;
}

function cellsOf(
  { from, to, rateBps, shareBps, greedy, limitedBy }: FlowStatus,
  measured: ReadonlyMap<string, number | null>,
): string[] {
  const rtt = measured.get(`${from} ${to}`) ?? null;
  return [
    `${from} > ${to}`,
    shortRate(rateBps),
    shortRate(shareBps ?? Number.POSITIVE_INFINITY),
    rtt === null ? '-' : `${rtt.toFixed(1)} ms`,
    limitedBy ?? (greedy ? '-' : 'itself'),
  ];
}

/** Four digits. */
const shortRate = (bps: number): string =>
  formatRate(Number.isFinite(bps) ? Number(bps.toPrecision(4)) : bps);

/** The names and the link divide what the numbers leave. */
function flowLine([name, rate, share, rtt, link]: string[], columns: number): string {
  const left = Math.max(20, columns - WIDTHS.reduce((sum, width) => sum + width + GAP, GAP));
  const nameWidth = Math.ceil(left * 0.6);
  const numbers = [rate, share, rtt].map((cell, at) => cell!.padStart(WIDTHS[at]!));
  return [fitted(name!, nameWidth), ...numbers, fitted(link!, left - nameWidth)]
    .join(' '.repeat(GAP))
    .trimEnd();
}

const fitted = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text.padEnd(width);

/** A line that is too long loses its colours with its end. */
function cut(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line);
  return plain.length <= columns ? line : `${plain.slice(0, columns - 1)}…`;
}
