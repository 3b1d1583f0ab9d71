/** Whether echo requests were answered. Loss of a link is no outage; that nothing passes for a second is one. Pure. */
import type { ReachExpectation } from '../model/expectations.ts';
import type { Evidence, Probe } from './evidence.ts';
import {
  endpointOf,
  type Finding,
  instant,
  isIn,
  requireTime,
  type Scope,
  scopeOf,
  told,
  Unjudged,
} from './scope.ts';

const SILENCE_MS = 1000;

export function ofReach({ from, to, isReached, when }: ReachExpectation, evidence: Evidence): Finding {
  const probes = evidence.probes(endpointOf(from), endpointOf(to));
  const scope = scopeOf(when, evidence);
  if (scope.how === 'once')
    return isReached ? reachedOnce(probes, scope, evidence) : silentOnce(probes, scope, evidence);
  requireTime(scope, evidence);
  const inside = probes.filter(({ sentMs }) => isIn(sentMs, scope));
  if (inside.length === 0) throw new Unjudged('no echo request was sent in this time');
  return isReached ? reachedAlways(inside) : silentAlways(inside);
}

function reachedOnce(probes: readonly Probe[], scope: Scope, evidence: Evidence): Finding {
  const first = probes.find(({ sentMs, tookMs }) => sentMs >= scope.fromMs && tookMs !== null);
  if (first && first.sentMs <= scope.toMs) return { outcome: 'holds', seen: told(first.sentMs, scope) };
  requireTime(scope, evidence);
  if (probes.length === 0) throw new Unjudged('no echo request was sent');
  return {
    outcome: 'fails',
    seen: first ? told(first.sentMs, scope) : 'not until the end',
    atMs: scope.toMs,
  };
}

/** The silence may go on after the time in which it must begin. */
function silentOnce(probes: readonly Probe[], scope: Scope, evidence: Evidence): Finding {
  const after = probes.filter(({ sentMs }) => sentMs >= scope.fromMs);
  const silence = silencesOf(after).find(({ ms }) => ms >= SILENCE_MS);
  if (silence && silence.fromMs <= scope.toMs) return { outcome: 'holds', seen: told(silence.fromMs, scope) };
  requireTime({ ...scope, toMs: scope.toMs + SILENCE_MS }, evidence);
  if (after.length === 0) throw new Unjudged('no echo request was sent in this time');
  const seen = silence ? told(silence.fromMs, scope) : 'reached until the end';
  return { outcome: 'fails', seen, atMs: scope.toMs };
}

function reachedAlways(inside: readonly Probe[]): Finding {
  const longest = silencesOf(inside).reduce((a, b) => (b.ms > a.ms ? b : a), { ms: 0, fromMs: 0 });
  if (longest.ms < SILENCE_MS) return { outcome: 'holds', seen: 'all the time' };
  const { ms, fromMs } = longest;
  return { outcome: 'fails', seen: `not for ${instant(ms)} from ${instant(fromMs)} on`, atMs: fromMs };
}

function silentAlways(inside: readonly Probe[]): Finding {
  const answered = inside.find(({ tookMs }) => tookMs !== null);
  if (!answered) return { outcome: 'holds', seen: `none of ${inside.length} was answered` };
  return { outcome: 'fails', seen: `reached at ${instant(answered.sentMs)}`, atMs: answered.sentMs };
}

/** Runs of requests without an answer, from the first to the last of each. */
function silencesOf(probes: readonly Probe[]): { ms: number; fromMs: number }[] {
  const found: { ms: number; fromMs: number }[] = [];
  let isSilent = false;
  for (const { sentMs, tookMs } of probes) {
    if (tookMs === null && isSilent) found.at(-1)!.ms = sentMs - found.at(-1)!.fromMs;
    else if (tookMs === null) found.push({ ms: 0, fromMs: sentMs });
    isSilent = tookMs === null;
  }
  return found;
}
