/** What applications did: their processes, exits and logs. Pure. */

import { count } from '../../proto/words.ts';
import type {
  ExitExpectation,
  LogExpectation,
  NumberExpectation,
  ProcessesExpectation,
} from '../model/expectations.ts';
import type { NodeReference } from '../model/names.ts';
import { serviceOf } from '../model/names.ts';
import type { Evidence } from './evidence.ts';
import { COMPARE, statisticOf } from './measures.ts';
import { endpointOf, type Finding, instant, isIn, requireTime, scopeOf, told, Unjudged } from './scope.ts';

/** Applications start with the run: what is to hold all the time is looked at from here on. */
const STARTED_MS = 1000;

export function ofProcesses(expectation: ProcessesExpectation, evidence: Evidence): Finding {
  const { node, when, comparison, value } = expectation;
  const scope = scopeOf(when, evidence);
  const names = endpointsOf(node, evidence);
  const from = when.kind === 'run' ? Math.min(STARTED_MS, scope.toMs) : scope.fromMs;
  const counts = countsOf(names, evidence, from, Math.min(scope.toMs, evidence.endedMs));
  const isSo = (count: number): boolean => COMPARE[comparison](count, value);
  const wanted = counts.find(({ count }) => isSo(count) === (scope.how === 'once'));
  if (wanted && scope.how === 'once')
    return { outcome: 'holds', seen: `${wanted.count} ${told(wanted.tMs, scope)}` };
  if (wanted)
    return {
      outcome: 'fails',
      seen: `${wanted.count} at ${instant(wanted.tMs)}${why(names, evidence)}`,
      atMs: wanted.tMs,
    };
  requireTime(scope, evidence);
  if (counts.length === 0) throw new Unjudged('no agent told which commands run');
  const seen = [...new Set(counts.map(({ count }) => count))].join(', then ');
  if (scope.how === 'all') return { outcome: 'holds', seen };
  return { outcome: 'fails', seen: `${seen}${why(names, evidence)}`, atMs: scope.toMs };
}

const endpointsOf = (node: NodeReference, { endpoints }: Evidence): readonly string[] =>
  node.replica === undefined ? endpoints.filter((one) => serviceOf(one) === node.name) : [endpointOf(node)];

/** How many ran at the beginning of the time, and whenever that changed. */
function countsOf(
  names: readonly string[],
  { lives }: Evidence,
  fromMs: number,
  toMs: number,
): { tMs: number; count: number }[] {
  const changes = names.flatMap((name) => lives(name).map((life) => ({ ...life, name })));
  changes.sort((a, b) => a.tMs - b.tMs);
  const running = new Set<string>();
  const counts: { tMs: number; count: number }[] = [];
  for (const { tMs, name, runs } of changes) {
    if (tMs > toMs) break;
    if (runs) running.add(name);
    else running.delete(name);
    // Several endpoints change in one look.
    const at = Math.max(tMs, fromMs);
    if (counts.at(-1)?.tMs === at) counts.pop();
    counts.push({ tMs: at, count: running.size });
  }
  return counts;
}

export function ofExit({ node, code, when }: ExitExpectation, evidence: Evidence): Finding {
  const name = endpointOf(node);
  const exit = evidence.exit(name);
  const scope = scopeOf(when, evidence);
  if (!exit) {
    requireTime(scope, evidence);
    const words = evidence.neverRan(name);
    const seen = words === undefined ? 'its command runs' : `its command was never started: it ${words}`;
    return { outcome: 'fails', seen: `${seen} at ${instant(scope.toMs)}`, atMs: scope.toMs };
  }
  const seen = `${exit.how} ${told(exit.tMs, scope)}`;
  const isInTime = when.kind === 'run' || isIn(exit.tMs, scope);
  if (exit.how === `exited with ${code}` && isInTime) return { outcome: 'holds', seen };
  const early = exit.tMs < scope.fromMs ? `${exit.how} at ${instant(exit.tMs)}, before that` : seen;
  return { outcome: 'fails', seen: early, atMs: exit.tMs };
}

export function ofLog(expectation: LogExpectation, evidence: Evidence): Finding {
  if (expectation.before) return inOrder(expectation, expectation.before, evidence);
  const { node, text, contains, when } = expectation;
  const scope = scopeOf(when, evidence);
  const name = endpointOf(node);
  const hits = evidence.logged(name, text);
  const found = hits.find(({ tMs }) => isIn(tMs, scope));
  if (found && contains) return { outcome: 'holds', seen: told(found.tMs, scope) };
  if (found) return { outcome: 'fails', seen: told(found.tMs, scope), atMs: found.tMs };
  requireTime(scope, evidence);
  if (!contains) return { outcome: 'holds', seen: 'it was not written' };
  const other = hits[0] ? `it was written at ${instant(hits[0].tMs)}` : 'it was not written';
  return { outcome: 'fails', seen: `${other}${why([name], evidence)}`, atMs: scope.toMs };
}

export function ofNumber(expectation: NumberExpectation, evidence: Evidence): Finding {
  const { node, text, statistic, when, comparison, value: bound } = expectation;
  const scope = scopeOf(when, evidence);
  requireTime(scope, evidence);
  const name = endpointOf(node);
  const all = evidence.numbers(name, text).filter(({ tMs }) => isIn(tMs, scope));
  if (all.length === 0)
    return { outcome: 'fails', seen: `it wrote no number behind "${text}"${why([name], evidence)}` };
  const value = statisticOf(
    all.map((one) => one.value),
    statistic,
  );
  const seen = `${Number(value.toPrecision(6))} (of ${count(all.length, 'number')})`;
  return { outcome: COMPARE[comparison](value, bound) ? 'holds' : 'fails', seen, value };
}

/** Of one endpoint by the places of the texts, of two by their times. */
function inOrder(
  { node, text }: LogExpectation,
  before: NonNullable<LogExpectation['before']>,
  evidence: Evidence,
): Finding {
  const [name, otherName] = [endpointOf(node), endpointOf(before.node)];
  const first = evidence.logged(name, text)[0];
  const other = evidence.logged(otherName, before.text)[0];
  if (!first) return { outcome: 'fails', seen: `"${text}" was not written${why([name], evidence)}` };
  if (!other) return { outcome: 'holds', seen: `at ${instant(first.tMs)}` };
  const by = name === otherName ? 'place' : 'tMs';
  if (first[by] < other[by]) return { outcome: 'holds', seen: `at ${instant(first.tMs)}` };
  const seen = `at ${instant(first.tMs)}, and the other one at ${instant(other.tMs)}`;
  return { outcome: first[by] === other[by] ? 'inconclusive' : 'fails', seen, atMs: other.tMs };
}

/** Of those that have never run. */
function why(names: readonly string[], { neverRan }: Evidence): string {
  const words = names.flatMap((name) => {
    const said = neverRan(name);
    return said === undefined ? [] : [`${name} was never started: it ${said}`];
  });
  const [first] = words;
  if (first === undefined) return '';
  return words.length === 1 ? ` (${first})` : ` (${first}; and ${words.length - 1} more)`;
}
