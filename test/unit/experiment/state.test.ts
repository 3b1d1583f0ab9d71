import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ControllerError } from '../../../controller/errors.ts';
import { findExperiment, readState, reserveExperiment } from '../../../controller/experiment/state.ts';

/** No experiment on any machine has this name. */
const UNUSED = 'unit-test-that-never-runs';

test.each(['', '-x', '_x', 'a.b', 'a/b', '..', '../x', 'a b', 'ä', 'x\n', 'x'.repeat(41)])(
  '"%s" is no name for an experiment, and makes no folder',
  (name) => {
    let error: unknown;
    try {
      reserveExperiment(name);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ControllerError);
    expect(error).toMatchObject({ code: 'NAME_INVALID', blame: 'usage' });
    expect((error as Error).message).toContain(`"${name}"`);
    if (name.length > 2) expect(existsSync(`/run/netfold/${name}`)).toBe(false);
  },
);

test('an experiment without a state file has no state', () => {
  expect(readState(UNUSED)).toBeUndefined();
});

test('an experiment that does not exist is not found, by its name', () => {
  expect(() => findExperiment(UNUSED)).toThrow(`there is no experiment "${UNUSED}"`);
});
