/** What has happened and what is to come: events of the file, commands, causes of the verdict, on one axis of time. */
import { useState } from 'preact/hooks';
import { fromSeconds, secondsToMillis, toMillis } from '../../../proto/units.ts';
import { clock } from '../data/format.ts';
import type { Live } from '../data/live.ts';

/** Milliseconds that are seen: before and after now. `all`: from the start to the last event. */
const SPANS = { '30 s': 30, '2 min': 120, '10 min': 600 } as const;
type Span = keyof typeof SPANS | 'all';
const ROWS = ['events', 'commands', 'causes'] as const;
/** Of each kind; those nearest to now. */
const MOST_MARKS = 150;

interface Mark {
  readonly key: string;
  readonly atMs: number;
  readonly untilMs: number | null;
  readonly text: string;
  readonly row: (typeof ROWS)[number];
  readonly tone: string;
  readonly shape: string;
}

export function Timeline({ live }: { live: Live }) {
  const [span, setSpan] = useState<Span>('2 min');
  const [shown, setShown] = useState<Mark>();
  const { nowMs } = live;
  const marks = marksOf(live);
  const now = nowMs ?? 0;
  const last = Math.max(now, ...marks.map(({ atMs, untilMs }) => untilMs ?? atMs));
  const [from, to] = rangeOf(span, now, last);
  const place = (ms: number): string => `${(((ms - from) / (to - from)) * 100).toFixed(3)}%`;
  const seen = marks.filter(({ atMs, untilMs }) => atMs <= to && (untilMs ?? atMs) >= from);
  const next = live.summary?.nextEventMs ?? null;
  return (
    <section class="timeline card" aria-label="Timeline">
      <header>
        <h2>Timeline</h2>
        <span class="note told">
          {shown
            ? `${clock(shown.atMs)}  ${shown.text}`
            : next === null
              ? 'no event is to come'
              : `next event at ${clock(next)}`}
        </span>
        <label class="field inline">
          <span>Span</span>
          <select value={span} onChange={(event) => setSpan(event.currentTarget.value as Span)}>
            {[...Object.keys(SPANS), 'all'].map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
      </header>
      <div class="axis">
        <ul class="names">
          {ROWS.map((row) => (
            <li key={row}>{row}</li>
          ))}
        </ul>
        <div class="plot">
          {ticksOf(from, to).map((tick) => (
            <span class="tick" key={tick} style={{ left: place(tick) }}>
              {clock(tick, 0)}
            </span>
          ))}
          {nowMs !== null && (
            <span class="now" style={{ left: place(now) }}>
              <span>now</span>
            </span>
          )}
          {ROWS.map((row) => (
            <div class="row" key={row}>
              {nearest(
                seen.filter((mark) => mark.row === row),
                now,
              ).map((mark) => (
                <button
                  type="button"
                  key={mark.key}
                  class={`mark ${mark.tone} ${mark.atMs > now ? 'coming' : ''}`}
                  style={{ left: place(mark.atMs) }}
                  title={`${clock(mark.atMs)} ${mark.text}`}
                  aria-label={`${clock(mark.atMs)} ${mark.text}`}
                  onMouseEnter={() => setShown(mark)}
                  onFocus={() => setShown(mark)}
                  onMouseLeave={() => setShown(undefined)}
                  onBlur={() => setShown(undefined)}
                >
                  <span aria-hidden="true">{mark.shape}</span>
                </button>
              ))}
              {seen
                .filter((mark) => mark.row === row && mark.untilMs !== null)
                .slice(0, MOST_MARKS)
                .map((mark) => (
                  <span
                    key={`${mark.key} bar`}
                    class={`bar ${mark.tone}`}
                    style={{
                      left: place(Math.max(from, mark.atMs)),
                      width: `${(((Math.min(to, mark.untilMs!) - Math.max(from, mark.atMs)) / (to - from)) * 100).toFixed(3)}%`,
                    }}
                  />
                ))}
            </div>
          ))}
        </div>
      </div>
    </section>
  );
}

function marksOf({ events, state, verdict, nowMs }: Live): Mark[] {
  const ofFile = (events?.events ?? []).map(
    ({ atMs, verb, target, detail, line }, index): Mark => ({
      key: `event ${index}`,
      atMs,
      untilMs: null,
      text: `${verb} ${target}${detail === undefined ? '' : ` ${detail}`} (line ${line})`,
      row: 'events',
      tone: 'accent',
      shape: '■',
    }),
  );
  const commands = [...state.commands.values()].map(
    ({ id, atMs, untilMs, text, by, state: how }): Mark => ({
      key: `command ${id}`,
      atMs,
      untilMs,
      text: `${text} (${by}; ${how})`,
      row: 'commands',
      tone: how === 'failed' ? 'bad' : how === 'undone' ? 'dim' : 'good',
      shape: how === 'failed' ? '✕' : '◆',
    }),
  );
  const startedAt = nowMs === null ? undefined : Date.now() - nowMs;
  const causes = (verdict?.causes ?? []).flatMap(({ code, since, until, host, message }): Mark[] => {
    if (startedAt === undefined) return [];
    return [
      {
        key: `cause ${code} ${host} ${since} ${message}`,
        atMs: Date.parse(since) - startedAt,
        untilMs: until === null ? nowMs : Date.parse(until) - startedAt,
        text: `${code} ${message}`,
        row: 'causes',
        tone: 'warn',
        shape: '▲',
      },
    ];
  });
  return [...ofFile, ...commands, ...causes];
}

const nearest = (marks: readonly Mark[], now: number): readonly Mark[] =>
  marks.length <= MOST_MARKS
    ? marks
    : [...marks].sort((a, b) => Math.abs(a.atMs - now) - Math.abs(b.atMs - now)).slice(0, MOST_MARKS);

/** A third of a span is to come. */
function rangeOf(span: Span, now: number, last: number): readonly [number, number] {
  if (span === 'all') return [0, Math.max(secondsToMillis(10), last * 1.03)];
  const length = secondsToMillis(SPANS[span]);
  const from = Math.max(0, now - length * 0.66);
  return [from, from + length];
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600];

function ticksOf(from: number, to: number): number[] {
  const wanted = (to - from) / 6;
  const step =
    STEPS.map((seconds) => toMillis(fromSeconds(seconds))).find((one) => one >= wanted) ?? to - from;
  const ticks: number[] = [];
  for (let tick = Math.ceil(from / step) * step; tick <= to; tick += step) ticks.push(tick);
  return ticks;
}
