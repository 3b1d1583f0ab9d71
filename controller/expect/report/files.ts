/** Results as files and lines that others read: JUnit XML, TAP, annotations of GitHub. */
import { formatMicros, fromMillis } from '../../../proto/units.ts';
import type { Judgement } from '../../../topology/judge/judge.ts';
import type { RunResult } from '../result.ts';

/** The moment it broke, and what was seen. */
export const sentenceOf = ({ seen, atMs }: Judgement): string =>
  atMs === null ? seen : `${seen} (broke at ${formatMicros(fromMillis(Math.round(atMs)))})`;

/** One suite for each run, one case for each expectation. An inconclusive one is an error, not a failure, in JUnit's words. */
export function junitOf(results: readonly RunResult[]): string {
  const suites = results.map(({ file, run, seconds, judgements }) => {
    const count = (outcome: Judgement['outcome']): number =>
      judgements.filter((one) => one.outcome === outcome).length;
    const cases = judgements.map((judgement) => {
      const { expectation, outcome } = judgement;
      const name = `<testcase classname="${attribute(file)}" name="${attribute(expectation.line)}" file="${attribute(file)}" line="${expectation.position.line}"`;
      if (outcome === 'holds') return `    ${name}/>`;
      const tag = outcome === 'fails' ? 'failure' : 'error';
      return `    ${name}><${tag} message="${attribute(sentenceOf(judgement))}"/></testcase>`;
    });
    return [
      `  <testsuite name="${attribute(run > 1 ? `${file}, run ${run}` : file)}" tests="${judgements.length}" failures="${count('fails')}" errors="${count('inconclusive')}" time="${seconds.toFixed(3)}">`,
      ...cases,
      '  </testsuite>',
    ].join('\n');
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites name="netfold">',
    ...suites,
    '</testsuites>',
    '',
  ].join('\n');
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** What XML 1.0 can't hold in any form becomes a question mark. */
const attribute = (text: string): string =>
  text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '?')
    .replace(/[&<>"]/g, (one) => ENTITIES[one]!)
    .replace(/[\t\n\r]/g, (one) => `&#${one.codePointAt(0)};`);

/** Test Anything Protocol, version 14. */
export function tapOf(results: readonly RunResult[]): string {
  const all = results.flatMap(({ file, judgements }) => judgements.map((judgement) => ({ file, judgement })));
  const lines = all.map(({ file, judgement }, index) => {
    const { expectation, outcome } = judgement;
    const name = `${file}: ${expectation.line}`.replace(/[\\#]/g, (one) => `\\${one}`).replaceAll('\n', ' ');
    const point = `${outcome === 'holds' ? 'ok' : 'not ok'} ${index + 1} - ${name}`;
    if (outcome === 'holds') return point;
    return `${point}\n  ---\n  outcome: ${outcome}\n  seen: ${JSON.stringify(sentenceOf(judgement))}\n  ...`;
  });
  return ['TAP version 14', `1..${all.length}`, ...lines, ''].join('\n');
}

/** A line for each that does not hold, which GitHub shows in the file. */
export function annotationsOf(results: readonly RunResult[]): string[] {
  return results.flatMap(({ judgements }) =>
    judgements
      .filter(({ outcome }) => outcome !== 'holds')
      .map((judgement) => {
        const { expectation, outcome } = judgement;
        const { file, line, column } = expectation.position;
        const level = outcome === 'fails' ? 'error' : 'warning';
        const place = `file=${property(file)},line=${line},col=${column}`;
        return `::${level} ${place},title=netfold::${data(`${expectation.line}: ${sentenceOf(judgement)}`)}`;
      }),
  );
}

const data = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
