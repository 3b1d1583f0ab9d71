/** `netfold check`: the content of a valid file, or all errors of an invalid one. */

import { count } from '../../proto/words.ts';
import { type Diagnostic, formatDiagnostic } from '../model/diagnostics.ts';
import type { Topology } from '../model/model.ts';

export interface CheckReport {
  readonly valid: boolean;
  /** Absent if the file is not valid. */
  readonly summary?: {
    readonly name: string;
    readonly routing: Topology['routing'];
    readonly services: number;
    readonly endpoints: number;
    readonly bridges: number;
    /** As in the file: a pair counts once. */
    readonly links: number;
    readonly events: number;
  };
  /** Warnings, and errors if the file is not valid, in the order of the file. */
  readonly diagnostics: readonly Diagnostic[];
}

export function checkReport(topology: Topology, warnings: readonly Diagnostic[]): CheckReport {
  const { name, routing, services, bridges, links, events } = topology;
  const summary = {
    name,
    routing,
    services: services.length,
    endpoints: services.reduce((sum, service) => sum + service.replicas, 0),
    bridges: bridges.length,
    links: links.length,
    events: events.length,
  };
  return { valid: true, summary, diagnostics: warnings };
}

export function failedReport(diagnostics: readonly Diagnostic[]): CheckReport {
  return { valid: false, diagnostics };
}

const ROUTING_WORDS = {
  latency: 'least latency',
  hops: 'fewest hops',
  weight: 'least weight',
  'valley-free': 'policy, without valleys',
} as const;

/** One line for each finding, then a summary line. */
export function checkText(report: CheckReport, file: string): string {
  const lines = report.diagnostics.map(formatDiagnostic);
  return [...lines, report.summary ? sentence(report.summary, file) : verdict(report.diagnostics, file)].join(
    '\n',
  );
}

function sentence(summary: NonNullable<CheckReport['summary']>, file: string): string {
  const { name, services, endpoints, bridges, links, events, routing } = summary;
  const parts = [
    count(services, 'service'),
    count(endpoints, 'endpoint'),
    count(bridges, 'bridge'),
    count(links, 'link'),
    count(events, 'event'),
  ];
  return `${file}: ${name} is valid: ${parts.join(', ')}; routing by ${ROUTING_WORDS[routing]}`;
}

function verdict(diagnostics: readonly Diagnostic[], file: string): string {
  const errors = diagnostics.filter((one) => one.severity === 'error').length;
  return `${file}: not valid: ${count(errors, 'error')}`;
}
