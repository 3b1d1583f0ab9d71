import { expect, test } from 'vitest';
import { Strays } from '../../../agent/enforce/strays.ts';

test('endpoints whose packets were dropped where their links end are named while they send such packets', () => {
  const strays = new Strays();
  const names = ['a.0', 'b.0', 'c.0'];
  strays.observe(new Map());
  expect(strays.problems(names)).toEqual([]);
  strays.observe(
    new Map([
      [0, 7],
      [2, 9],
    ]),
  );
  expect(strays.problems(names)).toEqual([
    expect.stringMatching(/^a\.0: 7 packets of the last 5 s had not passed the endpoint's queue/),
    expect.stringMatching(/^c\.0: 9 packets/),
  ]);
  strays.observe(
    new Map([
      [0, 7],
      [2, 10],
    ]),
  );
  expect(strays.problems(names)).toEqual([expect.stringMatching(/^c\.0: 1 packets/)]);
  // The counters of an endpoint that is attached again begin at 0.
  strays.observe(new Map([[2, 4]]));
  expect(strays.problems(names)).toEqual([]);
});
