/**
 * The verdict on a whole experiment: what its agents say of the run so far, and which of them say nothing. Agents on one
 * emulated machine see the same load of it; each host is named.
 */
import { stateOf } from '../../agent/fidelity/state.ts';
import { callJson } from '../../proto/http-json.ts';
import type { AgentVerdict, Cause, VerdictState } from '../../proto/status.ts';
import type { AgentProofs } from '../../proto/view.ts';
import { agentSocket } from '../names.ts';

/** How long an agent may take to answer: a busy one takes tenths of a second; a stopped one is named within 3 s. */
export const ANSWER_MS = 2500;

/** `netfold verdict --json`. */
export interface ExperimentVerdict {
  /** Of the whole run … */
  readonly verdict: VerdictState;
  /** … and of what goes on. */
  readonly now: VerdictState;
  /** The first of the causes; without one, since when it is judged; null before that. */
  readonly since: string | null;
  readonly causes: readonly Cause[];
  /** How many older causes are no longer kept. */
  readonly forgotten: number;
}

export type Answer =
  | { readonly host: string; readonly said: AgentVerdict }
  | { readonly host: string; readonly reason: string; readonly sinceMs: number };

/** All answers together; the causes in the order of their beginning. Pure. */
export function combined(answers: readonly Answer[]): ExperimentVerdict {
  const causes = answers.flatMap((answer) => ('said' in answer ? answer.said.causes : [silent(answer)]));
  const unique = withoutTwins(causes);
  const said = answers.flatMap((answer) => ('said' in answer ? [answer.said] : []));
  const begun = said.flatMap(({ since }) => since ?? []).sort();
  return {
    verdict: worst([stateOf(unique), ...said.map(({ verdict }) => verdict)]),
    now: stateOf(unique.filter(({ until }) => until === null)),
    since: unique[0]?.since ?? begun.at(-1) ?? null,
    causes: unique,
    forgotten: said.reduce((sum, { forgotten }) => sum + forgotten, 0),
  };
}

/** The oldest first. Where several hosts say the same of another, it is one cause: since the first saw it, until the last did. */
function withoutTwins(causes: readonly Cause[]): Cause[] {
  const found: Cause[] = [];
  for (const cause of causes.toSorted((a, b) => Date.parse(a.since) - Date.parse(b.since))) {
    const at = found.findIndex((one) => isTwin(one, cause));
    if (at < 0) found.push(cause);
    else found[at] = { ...found[at]!, until: later(found[at]!.until, cause.until) };
  }
  return found;
}

const SEEN_BY_OTHERS: ReadonlySet<string> = new Set(['HOST_SILENT', 'COMMANDS_APART', 'GOSSIP_SLOW']);

function isTwin(a: Cause, b: Cause): boolean {
  const isSame = a.code === b.code && a.host === b.host && SEEN_BY_OTHERS.has(a.code);
  return isSame && (a.until === null || a.until >= b.since);
}

const later = (a: string | null, b: string | null): string | null =>
  a === null || b === null ? null : a > b ? a : b;

const ORDER: readonly VerdictState[] = ['faithful', 'degraded', 'invalid'];

/** The worst of these. */
export const worst = (states: readonly VerdictState[]): VerdictState =>
  ORDER[Math.max(0, ...states.map((state) => ORDER.indexOf(state)))]!;

function silent({ host, reason, sinceMs }: Extract<Answer, { reason: string }>): Cause {
  return {
    code: 'AGENT_SILENT',
    weight: 'degraded',
    ...{ host, path: null, until: null, unit: 'ms' },
    since: new Date(sinceMs).toISOString(),
    message: `the agent of ${host} does not answer, so nobody knows what is delivered there: ${reason}`,
    ...{ measured: ANSWER_MS, bound: ANSWER_MS },
  };
}

export type HostProofs = AgentProofs & { readonly host: string };

export interface AskedVerdict {
  readonly verdict: ExperimentVerdict;
  /** Of the agents that answered. */
  readonly proofs: readonly HostProofs[];
}

/** Asks the agents of these hosts on this machine. Never throws: who does not answer is a cause. */
export async function askVerdict(experiment: string, hosts: readonly string[]): Promise<AskedVerdict> {
  const proofs: HostProofs[] = [];
  const asked = hosts.map(async (host): Promise<Answer> => {
    const sinceMs = Date.now();
    try {
      const said = await callJson(`unix:${agentSocket(experiment, host)}`, '/verdict', undefined, ANSWER_MS);
      const { endpoints, paths, ...verdict } = said as AgentVerdict & AgentProofs;
      proofs.push({ host, endpoints, paths });
      return { host, said: verdict };
    } catch (error) {
      return { host, reason: (error as Error).message, sinceMs };
    }
  });
  return { verdict: combined(await Promise.all(asked)), proofs };
}
