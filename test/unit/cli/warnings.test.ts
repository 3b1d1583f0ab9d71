import { expect, it } from 'vitest';
import { warningLines } from '../../../controller/cli/options/files.ts';
import type { Diagnostic } from '../../../topology/model/diagnostics.ts';

const warning = (code: Diagnostic['code'], line: number): Diagnostic => ({
  ...{ severity: 'warning', code, file: 'x.yaml', line, column: 1, field: '' },
  ...{ message: `line ${line}`, remedy: 'mend it' },
});

it('shows few of hundreds of one kind, and says how many others there are', () => {
  const many = Array.from({ length: 200 }, (_, index) => warning('EVENT_OVERLAP', index + 1));
  const others = [
    warning('JITTER_LARGE', 300),
    ...[301, 302, 303].map((line) => warning('VALUE_CLAMPED', line)),
  ];
  expect(warningLines([...many, ...others])).toEqual([
    ...[1, 2, 3, 300, 301, 302, 303].map((line) => `x.yaml:${line}: line ${line} (mend it)`),
    'more warnings of the same kinds: 197 EVENT_OVERLAP (netfold check x.yaml --json lists all)',
  ]);
  expect(warningLines(others)).toHaveLength(4);
  expect(warningLines([])).toEqual([]);
});
