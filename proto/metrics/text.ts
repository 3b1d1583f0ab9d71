/** Samples → the text that Prometheus reads (its exposition format, version 0.0.4). */
import { Counter, Gauge, Registry } from 'prom-client';
import { METRICS, type MetricName, type Sample } from './table.ts';

export const CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** Of every sample, beside those of its metric. */
const COMMON_LABELS = ['experiment', 'host'];

/** A metric without samples is left out, and so are samples that another version of netfold has. Of one series, samples are added up. */
export async function exposition(samples: readonly Sample[]): Promise<string> {
  const registry = new Registry();
  const made = new Map<MetricName, Gauge | Counter>();
  for (const { name, labels, value } of samples) {
    if (!Object.hasOwn(METRICS, name)) continue;
    const metric = made.get(name) ?? make(name, registry);
    made.set(name, metric);
    metric.inc({ ...labels }, value === '+Inf' ? Number.POSITIVE_INFINITY : value);
  }
  return registry.metrics();
}

function make(name: MetricName, registry: Registry): Gauge | Counter {
  const { type, help, labels = [] } = METRICS[name];
  const settings = { name, help, labelNames: [...COMMON_LABELS, ...labels], registers: [registry] };
  return type === 'counter' ? new Counter(settings) : new Gauge(settings);
}
