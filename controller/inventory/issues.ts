/** zod's issues as findings: place, field, value and remedy. */
import type { z } from 'zod';
import type { Path, Place } from '../../topology/formats/native/yaml/document.ts';
import { type Findings, quote } from '../../topology/model/diagnostics.ts';
import { suggest } from '../../topology/model/names.ts';
import { EXPECTED, HOST_KEYS, NEED_KEYS, WAY_KEYS } from './schema.ts';

type Issue = z.core.$ZodIssue;

/** Enough to find the cause. */
const MAX_ISSUES = 50;

/** By the outermost key; others are those of hosts. */
const KEYS_BELOW: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['needs', NEED_KEYS],
  ['ways', WAY_KEYS],
]);

export interface Labels {
  readonly at: (path: Path) => Place;
  readonly field: (path: Path) => string;
}

export function reportIssues(
  issues: readonly Issue[],
  root: unknown,
  labels: Labels,
  findings: Findings,
): void {
  for (const issue of issues.slice(0, MAX_ISSUES)) {
    const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys.slice(0, MAX_ISSUES)) {
        const known = KEYS_BELOW.get(path[0]) ?? HOST_KEYS;
        const remedy = suggest(key, known, `known keys: ${known.join(', ')}`);
        const at = [...path, key];
        findings.error(
          'KEY_UNKNOWN',
          labels.at(at),
          labels.field(at),
          `there is no key ${quote(key)} here`,
          remedy,
        );
      }
      continue;
    }
    const value = valueAt(root, path);
    const isUnit = issue.code === 'custom' && issue.params?.remedy !== undefined;
    const message = isUnit
      ? issue.message
      : `${value === undefined ? 'nothing' : quote(value)} ${problemOf(issue)}`;
    const remedy = isUnit ? String(issue.params?.remedy) : expectation(path);
    findings.error(isUnit ? 'UNIT' : 'VALUE_INVALID', labels.at(path), labels.field(path), message, remedy);
  }
}

/** That of the innermost key with one. */
function expectation(path: Path): string {
  const key = path.toReversed().find((step) => typeof step === 'string' && Object.hasOwn(EXPECTED, step));
  return key === undefined ? 'write a mapping of settings, e.g. { address: 192.0.2.7 }' : EXPECTED[key]!;
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, step)
        ? (value as Record<string | number, unknown>)[step]
        : undefined,
    root,
  );
}

function problemOf(issue: Issue): string {
  if (issue.code === 'too_small') return `is ${issue.inclusive ? 'less than' : 'not above'} ${issue.minimum}`;
  if (issue.code === 'too_big') return `is more than ${issue.maximum}`;
  if (issue.code === 'invalid_type' && issue.expected === 'string')
    return 'is not a text; write its unit, or quotes';
  return 'is not what belongs here';
}
