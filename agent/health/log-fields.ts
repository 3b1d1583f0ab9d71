/**
 * The fields of an agent's log: one JSON object a line, with the names of OpenTelemetry's data model of logs and of its semantic
 * conventions (opentelemetry.io/docs/specs/otel/logs/data-model). The one place that knows them: all others log plain facts.
 */
import type { LoggerOptions } from 'pino';

/** Severity numbers of that data model. */
const SEVERITIES: Readonly<Record<string, number>> = {
  ...{ trace: 1, debug: 5, info: 9, warn: 13, error: 17, fatal: 21 },
};

export interface LogSource {
  readonly experiment: string;
  readonly host: string;
  readonly level: string;
}

/** Options of pino. */
export function logOptions({ experiment, host, level }: LogSource): LoggerOptions {
  return {
    level,
    messageKey: 'body',
    nestedKey: 'attributes',
    timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
    base: {
      resource: {
        'service.name': 'netfold-agent',
        'service.namespace': experiment,
        'service.instance.id': host,
        'process.pid': process.pid,
      },
    },
    formatters: {
      level: (label) => ({ severity_text: label.toUpperCase(), severity_number: SEVERITIES[label] ?? 0 }),
      log: attributesOf,
    },
  };
}

/** An error by the names that conventions have for it, everything else by its own below `netfold`. */
export function attributesOf(facts: object): Record<string, unknown> {
  const attributes: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(facts)) {
    if (value instanceof Error) Object.assign(attributes, exception(value));
    else attributes[`netfold.${snake(key)}`] = value;
  }
  return attributes;
}

function exception(error: Error): Record<string, unknown> {
  const { code } = error as Error & { code?: unknown };
  return {
    'exception.type': error.name,
    'exception.message': error.message,
    'exception.stacktrace': error.stack,
    ...(code !== undefined && { 'error.type': code }),
  };
}

const snake = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
