/** What is different in a desired state since it was installed last. */
import { expect, test } from 'vitest';
import { DesiredState } from '../../../agent/enforce/desired-state.ts';
import { NO_PATH, type ShapedClass } from '../../../agent/enforce/interface-state.ts';

const shaped = (minor: number, bytesPerSecond = 1000): ShapedClass => ({
  ...{ minor, bytesPerSecond, burstBytes: 1514, bufferBytes: 0 },
  queue: { kind: 'bfifo', limit: 24_224 },
});
const NOTHING = { gsoSegments: 44, classes: [], goneClasses: [], targets: new Map(), goneTargets: [] };

function installed(): DesiredState {
  const desired = new DesiredState();
  desired.setClass(shaped(2));
  desired.setTarget('10.0.0.2', 2);
  desired.markAll();
  desired.markNothing();
  return desired;
}

test('edits count once it is said that they do; first all of it is dirty', () => {
  const desired = new DesiredState();
  desired.setClass(shaped(2));
  expect([desired.isSet, desired.change]).toEqual([false, undefined]);
  desired.markAll();
  expect([desired.isSet, desired.change]).toEqual([true, undefined]);
  expect([...desired.state.classes.keys()]).toEqual([2]);
});

test('what was edited is dirty, in the order of the edits and as it is in the end, until all is installed', () => {
  const desired = installed();
  expect(desired.change).toEqual(NOTHING);
  expect(desired.isDirty).toBe(false);
  desired.setClass(shaped(3));
  expect(desired.isDirty).toBe(true);
  desired.setClass(shaped(2, 5));
  desired.setClass(shaped(3, 7));
  desired.setTarget('10.0.0.3', 3);
  desired.deleteTarget('10.0.0.2');
  desired.setGsoSegments(1);
  expect(desired.change).toEqual({
    ...NOTHING,
    gsoSegments: 1,
    classes: [shaped(3, 7), shaped(2, 5)],
    targets: new Map([['10.0.0.3', 3]]),
    goneTargets: ['10.0.0.2'],
  });
  desired.deleteClass(2);
  desired.setTarget('10.0.0.2', NO_PATH);
  expect(desired.change).toMatchObject({
    classes: [shaped(3, 7)],
    goneClasses: [2],
    targets: new Map([
      ['10.0.0.3', 3],
      ['10.0.0.2', NO_PATH],
    ]),
    goneTargets: [],
  });
  desired.markNothing();
  expect(desired.change).toEqual({ ...NOTHING, gsoSegments: 1 });
  expect(desired.isDirty).toBe(false);
  desired.setGsoSegments(2);
  expect(desired.isDirty).toBe(true);
});

test('a state that is replaced is dirty as a whole, and is a copy', () => {
  const desired = installed();
  const classes = new Map([[5, shaped(5)]]);
  const targets = new Map<string, number>();
  desired.replace({ foreignRoot: 'none', classifier: false, gsoSegments: 0, classes, targets });
  classes.clear();
  expect(desired.change).toBeUndefined();
  expect(desired.state).toMatchObject({ foreignRoot: 'none', classes: new Map([[5, shaped(5)]]) });
});
