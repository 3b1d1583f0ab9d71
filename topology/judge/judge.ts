/** Whether a run has satisfied an expectation, and what was seen instead. Pure. */
import type { Expectation } from '../model/expectations.ts';
import { ofExit, ofLog, ofNumber, ofProcesses } from './applications.ts';
import type { Evidence } from './evidence.ts';
import { ofMeasure } from './measures.ts';
import { ofReach } from './reach.ts';
import { type Finding, Unjudged } from './scope.ts';

export interface Judgement extends Finding {
  readonly expectation: Expectation;
  readonly atMs: number | null;
}

/** What fails in a run that was not faithful is inconclusive; what holds, holds. */
export function judge(expectation: Expectation, evidence: Evidence): Judgement {
  const { atMs = null, ...found } = findingOf(expectation, evidence);
  const doubt = evidence.doubts[0];
  if (found.outcome !== 'fails' || doubt === undefined) return { expectation, ...found, atMs };
  return {
    ...{ expectation, ...found },
    outcome: 'inconclusive',
    seen: `${found.seen}; but the run was not faithful: ${doubt}`,
    atMs,
  };
}

function findingOf(expectation: Expectation, evidence: Evidence): Finding {
  try {
    return judged(expectation, evidence);
  } catch (error) {
    if (!(error instanceof Unjudged)) throw error;
    return { outcome: 'inconclusive', seen: error.message };
  }
}

function judged(expectation: Expectation, evidence: Evidence): Finding {
  switch (expectation.what) {
    case 'reach':
      return ofReach(expectation, evidence);
    case 'processes':
      return ofProcesses(expectation, evidence);
    case 'exit':
      return ofExit(expectation, evidence);
    case 'log':
      return ofLog(expectation, evidence);
    case 'number':
      return ofNumber(expectation, evidence);
    case 'verdict': {
      const [doubt] = evidence.doubts;
      if (doubt !== undefined) throw new Unjudged(`not faithful: ${doubt}`);
      return { outcome: 'holds', seen: 'faithful' };
    }
    default:
      return ofMeasure(expectation, evidence);
  }
}
