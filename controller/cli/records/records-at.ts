/** Records of experiments that run on another machine (`--api`): what its `netfold serve` says of them. */
import { MAX_RECORD_ROWS } from '../../../proto/api/v1/record.ts';
import type { AnswerOf } from '../../../proto/api/v1/routes.ts';
import { NetfoldError } from '../../../proto/errors.ts';
import type { Description } from '../../record/description.ts';
import type { RecordSummary } from '../../record/read.ts';
import { connectApi, experimentAt } from '../options/api-option.ts';

export type RecordAt = Omit<RecordSummary, 'folder'> & Pick<AnswerOf<'getRecord'>, 'files'>;

/** Of the experiment of that name. Throws `EXPERIMENT_UNKNOWN`, `RECORD_UNKNOWN`. */
export async function recordAt(api: string, name: string): Promise<RecordAt> {
  const client = connectApi(api);
  const experiment = await experimentAt(client, name);
  return recordOf(await client.call('getRecord', { params: { experiment } }));
}

/** Of all experiments that run there, and are recorded. */
export async function recordsAt(api: string): Promise<RecordAt[]> {
  const client = connectApi(api);
  const experiments = await client.call('listExperiments', {});
  const asked = experiments.map(async ({ name: experiment }) => {
    try {
      return [recordOf(await client.call('getRecord', { params: { experiment } }))];
    } catch (error) {
      // Also of one that has ended since.
      const isNone =
        error instanceof NetfoldError && ['RECORD_UNKNOWN', 'EXPERIMENT_UNKNOWN'].includes(error.code);
      if (!isNone) throw error;
      return [];
    }
  });
  return (await Promise.all(asked)).flat();
}

/** `record.json` as that machine's netfold has read it. */
const recordOf = ({ id: _, description, ...rest }: AnswerOf<'getRecord'>): RecordAt => ({
  ...rest,
  description: description as unknown as Description,
});

/** Whether older events may be missing. */
export const isCut = ({ events }: RecordAt): boolean => events.length === MAX_RECORD_ROWS;
