/** What several parts of a run tell of the same: events, the verdict, lines of what happened. Pure. */
import { fromMillis } from '../../../proto/units.ts';

type Row = readonly unknown[];

/**
 * Rows `t_ms, due_ms, until_ms, origin, text, outcome`: each event once. It is in force when the last host had it; its outcome is that
 * of a part that knows one.
 */
export function joinedEvents(parts: readonly (readonly Row[])[]): Row[] {
  const known = new Map<string, unknown[]>();
  for (const row of parts.flat()) {
    const [tMs, dueMs, untilMs, origin, text, outcome] = row;
    const key = JSON.stringify([dueMs, untilMs, origin, text]);
    const other = known.get(key);
    if (!other) known.set(key, [...row]);
    else {
      other[0] = latest(other[0], tMs);
      if (other[5] === 'pending' || other[5] === null) other[5] = outcome ?? other[5];
    }
  }
  return [...known.values()].sort((a, b) => (a[1] as number) - (b[1] as number));
}

const latest = (a: unknown, b: unknown): unknown =>
  a === null ? b : b === null ? a : Math.max(a as number, b as number);

const WORSE = ['faithful', 'degraded', 'invalid'];

/** Rows `t_ms, state, code, host, message`, each once. The state that follows is the worst of those that the parts are in then. */
export function joinedVerdicts(parts: readonly (readonly Row[])[]): Row[] {
  const all = parts.flatMap((rows, part) => rows.map((row) => ({ row, part })));
  all.sort((a, b) => (a.row[0] as number) - (b.row[0] as number));
  const states = parts.map(() => 'faithful');
  const known = new Set<string>();
  return all.flatMap(({ row, part }) => {
    const [tMs, state, ...rest] = row;
    states[part] = state as string;
    const key = JSON.stringify([tMs, ...rest]);
    if (known.has(key)) return [];
    known.add(key);
    const worst = WORSE.findLast((one) => states.includes(one)) ?? 'faithful';
    return [[tMs, worst, ...rest]];
  });
}

/** Lines of JSON of several files, each once, in the order of their instants. One that was cut off is left out. */
export function linesInOrder(texts: readonly string[]): string[] {
  const lines = [...new Set(texts.flatMap((text) => text.split('\n')))];
  return lines
    .flatMap((line) => {
      const at = instantOf(line);
      return at === undefined ? [] : [{ line, at }];
    })
    .sort((a, b) => a.at - b.at)
    .map(({ line }) => line);
}

/** In microseconds; what has none was before the timeline. `undefined`: it is no line of JSON. */
function instantOf(line: string): number | undefined {
  try {
    const { atMicros, dueMs, nowMs } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    if (typeof atMicros === 'number') return atMicros;
    const ms = typeof dueMs === 'number' ? dueMs : nowMs;
    return typeof ms === 'number' ? fromMillis(ms) : -1;
  } catch {
    return undefined;
  }
}
