/** The verdict: whether the run counts, and why not. */
import type { Live } from '../data/live.ts';
import { State, type Tone } from '../parts/parts.tsx';

export type Judgement = 'faithful' | 'degraded' | 'invalid';

export const judgementTone = (judgement: Judgement | undefined): Tone =>
  judgement === undefined
    ? 'dim'
    : judgement === 'faithful'
      ? 'good'
      : judgement === 'degraded'
        ? 'warn'
        : 'bad';

const time = (date: string): string => new Date(date).toLocaleTimeString('en-GB');

export function VerdictPanel({ live }: { live: Live }) {
  const { verdict } = live;
  const summary = live.summary;
  if (!verdict) return <p class="empty">The agents are being asked.</p>;
  // The newest first; what goes on before what has ended.
  const causes = verdict.causes
    .toReversed()
    .sort((a, b) => Number(a.until !== null) - Number(b.until !== null));
  return (
    <section class="scroll verdict" tabIndex={0} aria-label="Verdict">
      <dl class="facts">
        <dt>Now</dt>
        <dd>
          <State tone={judgementTone(summary?.verdictNow ?? verdict.now)}>
            {summary?.verdictNow ?? verdict.now}
          </State>
        </dd>
        <dt>The run so far</dt>
        <dd>
          <State tone={judgementTone(verdict.verdict)}>{verdict.verdict}</State>
          {verdict.since !== null && <span class="note"> since {time(verdict.since)}</span>}
        </dd>
      </dl>
      {causes.length === 0 ? (
        <p class="empty">No cause: everything that was looked at is as the topology says.</p>
      ) : (
        <ol class="causes">
          {causes.map((cause) => (
            <li
              key={`${cause.code} ${cause.host} ${cause.path} ${cause.since}`}
              class={cause.until ? 'over' : ''}
            >
              <State tone={cause.until ? 'dim' : cause.weight === 'invalid' ? 'bad' : 'warn'}>
                <strong>{cause.code}</strong>
              </State>
              <span class="note">
                {cause.path ?? cause.host}, {time(cause.since)}
                {cause.until ? ` to ${time(cause.until)}` : ', goes on'}
              </span>
              <p>{cause.message}</p>
            </li>
          ))}
        </ol>
      )}
      {verdict.forgotten > 0 && <p class="note">{verdict.forgotten} older causes are no longer kept.</p>}
    </section>
  );
}
