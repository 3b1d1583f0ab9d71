/** Live control: any command, and what became of those that were given. */
import { useState } from 'preact/hooks';
import { clock, count, milliseconds } from '../data/format.ts';
import type { Given, Live } from '../data/live.ts';
import { Field, State, type Tone } from '../parts/parts.tsx';

export type Give = (
  text: string,
  options?: { readonly for?: string; readonly at?: string },
) => Promise<boolean>;

interface Row {
  readonly id: string;
  readonly text: string;
  readonly by: string;
  readonly atMs: number;
  readonly untilMs: number | null;
  readonly state: 'pending' | 'done' | 'undone' | 'failed';
  readonly problem?: string | undefined;
  readonly hit?: readonly string[] | undefined;
}

export function Control({ live, give }: { live: Live; give: Give }) {
  const [text, setText] = useState('');
  const [length, setLength] = useState('');
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (text.trim() === '') return;
    if (await give(text.trim(), length.trim() === '' ? {} : { for: length.trim() })) setText('');
  };
  const rows = rowsOf(live);
  return (
    <section class="scroll control" tabIndex={0} aria-label="Control">
      <form class="line" onSubmit={submit}>
        <label class="field wide">
          <span>Command</span>
          <input
            type="text"
            value={text}
            placeholder="set s1--s2 latency=50ms loss=1%"
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <Field label="For" value={length} placeholder="ever" isShort onInput={setLength} />
        <button type="submit" class="main">
          Give
        </button>
      </form>
      <div class="line buttons">
        <button type="button" onClick={() => void give('heal')}>
          Heal partitions
        </button>
        <button type="button" onClick={() => void give('reset')}>
          Reset to the file
        </button>
        <span class="note">
          set, crash, leave, join, disconnect, reconnect, flap, churn, partition, run, signal …
        </span>
      </div>
      {rows.length === 0 ? (
        <p class="empty">No command was given yet.</p>
      ) : (
        <ol class="commands">
          {rows.map((row) => (
            <CommandRow key={row.id} row={row} live={live} />
          ))}
        </ol>
      )}
    </section>
  );
}

/** All commands, the latest first; of those that were given here more is known. */
function rowsOf({ state, given }: Live): Row[] {
  const known = [...state.commands.values()];
  const here = [...given].flatMap(([id, { text, atMs, state: told }]): Row[] =>
    state.commands.has(id)
      ? []
      : [
          {
            id,
            text,
            by: 'this page',
            atMs,
            untilMs: told?.untilMs ?? null,
            state: told?.state ?? 'pending',
          },
        ],
  );
  return [...known, ...here].sort((a, b) => b.atMs - a.atMs);
}

const TONES: Readonly<Record<Row['state'], Tone>> = {
  pending: 'dim',
  done: 'good',
  undone: 'dim',
  failed: 'bad',
};

function CommandRow({ row, live }: { row: Row; live: Live }) {
  const given = live.given.get(row.id);
  const late = live.lateness(row.id);
  return (
    <li>
      <State tone={TONES[row.state]}>
        <code>{row.text}</code>
      </State>
      <p class="note">
        {row.state} at {clock(row.atMs)}
        {row.untilMs !== null && ` until ${clock(row.untilMs)}`}, by {row.by}
        {row.hit && row.hit.length > 0 && `; ${row.hit.join(' ')}`}
      </p>
      {row.problem !== undefined && <p class="note bad">{row.problem}</p>}
      {given && <p class="note">{effectOf(given)}</p>}
      {late.size > 0 && (
        <p class="note">
          {[...late]
            .sort(([a], [b]) => a.localeCompare(b))
            .slice(0, 12)
            .map(([host, ms]) => `${host} ${milliseconds(ms)} after its instant`)
            .join(', ')}
          {late.size > 12 && `, and ${late.size - 12} more`}
        </p>
      )}
    </li>
  );
}

/** When it was in force everywhere, and how long that took. */
export function effectOf({ state, tookMs, problem }: Given): string {
  const hosts = new Set([...(state?.hosts ?? []).map(({ host }) => host), ...(state?.inStep ?? [])]);
  if (tookMs !== undefined) {
    if (state?.state === 'failed') return `it changed nothing: ${state.problem ?? 'no reason was told'}`;
    return `in force on ${hosts.size === 1 ? 'its only host' : `all ${count(hosts.size, 'host')}`}, ${milliseconds(tookMs)} after the click`;
  }
  const missing = [
    ...(state?.hosts ?? []).filter(({ state: one }) => !['done', 'undone', 'failed'].includes(one)),
  ].map(({ host, state: one }) => `${host} (${one})`);
  const behind = [...missing, ...(state?.behind ?? [])];
  const waiting = behind.length > 0 ? `not confirmed by ${[...new Set(behind)].join(', ')}` : 'not due yet';
  return problem === undefined ? `${waiting} …` : `${problem}; ${waiting}`;
}
