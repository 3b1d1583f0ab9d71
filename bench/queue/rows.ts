/** Rows of the queue bench: what netfold gives, beside what the router gives. */
import { mean, range } from '../measure/statistics.ts';
import { judge, reported } from '../report/judge.ts';
import type { Row } from '../report/model.ts';

/** Part of what the router gives. */
const BOUND = 0.1;
/** What waking up adds to a round trip counts little in one that waits. */
const ROUND_TRIP_MS = 0.5;
/** A flow that fills a queue loses a packet now and then: how many is a matter of its phase. */
const LOSS = 0.01;
/** The phase of a flow that fills a queue differs from round to round, also on the router. */
const MAX_ROUNDS = 3;

/** `count` is shown, not judged. */
export type Kind = 'rate' | 'loss' | 'round trip' | 'count';

const UNITS = { rate: 'bit/s', loss: 'ratio', 'round trip': 'ms', count: 'count' } as const;
const LEAST = { rate: 0, loss: LOSS, 'round trip': ROUND_TRIP_MS } as const;

/** What a measurement of one link gives: figures by name. */
export type Figures = Readonly<Record<string, Figure>>;

export interface Figure {
  readonly kind: Kind;
  readonly value: number;
  /** For what depends on the round trip of the way itself: that, without load. */
  readonly emptyMs?: number;
}

/** One round: the router's figures and netfold's, by the same names. */
export interface Round {
  readonly router: Figures;
  readonly ours: Figures;
}

/** Rows of as many rounds as it takes until all are within their bounds, three at most; says which are not yet. */
export async function inRounds(
  say: (text: string) => void,
  measure: (round: number) => Promise<Round>,
): Promise<Row[]> {
  const rounds: Round[] = [];
  for (;;) {
    rounds.push(await measure(rounds.length + 1));
    const rows = rowsOf(rounds);
    const outside = rows.filter(({ verdict }) => verdict === 'outside');
    for (const { what, target, measured, unit } of outside)
      say(`outside, in the mean of ${rounds.length}: ${what}: router ${target}, netfold ${measured} ${unit}`);
    if (rounds.length === MAX_ROUNDS || outside.length === 0) return rows;
  }
}

/**
 * BBR keeps about two products of bandwidth and shortest round trip under way (Cardwell et al., ACM Queue 2016), so a packet beside it
 * waits twice as much longer as the way itself takes longer: a router forwards in software, netfold's link does not.
 */
const EMPTY_WAYS = 2;

/**
 * Means of the rounds. The bound is a tenth of what the router gives, or its own spread: how far one of its rounds is
 * from their mean.
 */
export function rowsOf(rounds: readonly Round[]): Row[] {
  return Object.entries(rounds[0]!.router).map(([what, { kind }]) => {
    const router = rounds.map((round) => round.router[what]!.value);
    const ours = rounds.map((round) => round.ours[what]!.value);
    const target = mean(router);
    const found = {
      measured: mean(ours),
      spread: ours.length > 1 ? range(ours) : null,
      samples: ours.length,
    };
    const unit = UNITS[kind];
    if (kind === 'count')
      return {
        ...reported(what, unit, { ...found, note: `router ${target.toFixed(0)}` }),
        tries: rounds.length,
      };
    const ownSpread = Math.max(...router.map((value) => Math.abs(value - target)));
    const empty = emptyOf(rounds, what);
    const value = Math.max(BOUND * target, LEAST[kind], ownSpread) + EMPTY_WAYS * empty.differenceMs;
    const bound =
      kind === 'rate'
        ? ({ kind: 'relative', value: value / target } as const)
        : ({ kind: 'absolute', value } as const);
    return { ...judge({ what, unit, target, bound }, { ...found, ...empty.note }), tries: rounds.length };
  });
}

/** What the two ways themselves take, in the mean, without load. */
function emptyOf(rounds: readonly Round[], what: string): { differenceMs: number; note?: { note: string } } {
  const [router, ours] = (['router', 'ours'] as const).map((one) =>
    mean(rounds.map((round) => round[one][what]!.emptyMs ?? 0)),
  ) as [number, number];
  if (router === 0) return { differenceMs: 0 };
  const note = `without load: router ${router.toFixed(2)} ms, netfold ${ours.toFixed(2)} ms`;
  return { differenceMs: Math.abs(router - ours), note: { note } };
}
