/** A topology that is only checked. */
import type { AnswerOf, BodyOf } from '../../../proto/api/v1/routes.ts';
import { loadTopology, TopologyError } from '../../../topology/load.ts';
import { checkReport, failedReport } from '../../../topology/report/check.ts';

/** As `netfold check`. Nothing is read for a file that names others: they would be this machine's. */
export function checked({
  topology: text,
  file,
  script,
  set,
}: BodyOf<'checkTopology'>): AnswerOf<'checkTopology'> {
  const events = script === undefined ? undefined : { file: 'script', text: script };
  const extras = set ? { set: new Map(Object.entries(set)) } : {};
  try {
    const { topology, warnings } = loadTopology(text, file, events, {}, extras);
    return checkReport(topology, warnings);
  } catch (error) {
    if (error instanceof TopologyError) return failedReport(error.diagnostics);
    throw error;
  }
}
