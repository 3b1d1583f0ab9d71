/** Captures that make no sense are refused before anything is looked at. */
import { expect, it } from 'vitest';
import { placeInRecord } from '../../../controller/capture/into-record.ts';
import { netfold } from '../../support/lab/cli.ts';

it.each([
  [[], 'capture needs an endpoint'],
  [['a', '--all'], '--all is of all endpoints'],
  [['a', 'b', '-w', 'x', '--files', '2'], '--files needs --size'],
  [['a', 'b', '--record', '-w', '-'], '--record keeps a file'],
  [['a', 'b', '--size', '1MB'], '--size needs a file'],
])('capture %j', async (words, said) => {
  const { code, stderr } = await netfold('capture', ...words);
  expect([code, stderr]).toEqual([2, expect.stringContaining(said)]);
});

it('a run that is not recorded has no place for packets', () => {
  expect(() => placeInRecord('no-such-experiment')).toThrow(
    expect.objectContaining({ code: 'CAPTURE_RECORD' }),
  );
});
