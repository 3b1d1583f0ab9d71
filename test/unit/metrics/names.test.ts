/** Names of metrics: one table, and everything that names one agrees with it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { METRICS, type MetricName } from '../../../proto/metrics/table.ts';

const ROOT = join(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const all = Object.entries(METRICS);
/** What Prometheus adds, what every sample has, and what recording of alerts makes. */
const COMMON = new Set(['experiment', 'host']);

describe('the table', () => {
  it.each(all)(
    '%s has a name as Prometheus wants it, and says what it is',
    (name, { type, help, labels = [] }) => {
      expect(name).toMatch(/^(netfold|process)_[a-z0-9_]+$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
      expect(name).not.toMatch(/_(ms|us|millis\w*|bits|kb|mb|percent)(_|$)/);
      expect(help.length).toBeGreaterThan(0);
      for (const label of labels) expect(COMMON.has(label)).toBe(false);
    },
  );

  it('is that of the documents', () => {
    const rows = [...read('docs/metrics.md').matchAll(/^\| `(\w+)` \|(.*)\| (.+) \|$/gm)];
    const told = rows.map(([, name, labels, help]) => [
      name,
      [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label),
      help,
    ]);
    expect(told).toEqual(all.map(([name, { labels = [], help }]) => [name, labels, help]));
  });
});

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Record<string, string>;
}

function alerts(): Rule[] {
  const { groups } = parse(read('deploy/metrics/alerts.yaml')) as { groups: { rules: Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

/** Every `expr` and `query` of the dashboard. */
function queries(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(queries);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    (key === 'expr' || key === 'query') && typeof inner === 'string' ? [inner] : queries(inner),
  );
}

const dashboard = (): string[] => queries(JSON.parse(read('deploy/metrics/grafana.json')));

/** Names of metrics in an expression, and the labels that select among their series. */
function named(expression: string): { name: string; labels: string[] }[] {
  return [...expression.matchAll(/\b((?:netfold|process)_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, name, selector = '']) => ({
      name: name!,
      labels: [...selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, label]) => label!),
    }),
  );
}

const known = (name: string): readonly string[] | undefined => METRICS[name as MetricName]?.labels;

describe.each([
  ['the alerts', () => alerts().map(({ expr }) => expr)],
  ['the dashboard', dashboard],
])('%s', (_, expressions) => {
  it('name only metrics and labels that there are', () => {
    const found = expressions().flatMap(named);
    expect(found.length).toBeGreaterThan(8);
    const unknown = found.filter(
      ({ name, labels }) =>
        known(name) === undefined ||
        labels.some((label) => !COMMON.has(label) && !known(name)!.includes(label)),
    );
    expect(unknown).toEqual([]);
  });
});

it('texts of alerts use only labels that the metrics of their expression have', () => {
  for (const { alert, expr, annotations } of alerts()) {
    const labels = new Set([...COMMON, ...named(expr).flatMap(({ name }) => known(name) ?? [])]);
    for (const [, label] of Object.values(annotations)
      .join(' ')
      .matchAll(/\$labels\.(\w+)/g))
      expect(labels, `${alert}: ${label}`).toContain(label);
  }
});
