/** The parts of the stream: an experiment at an instant, and what changed between two. Pure. */
import type { z } from 'zod';
import { PART_NAMES } from '../../proto/api/v1/live-state.ts';
import type { agentSummarySchema, PartName, summarySchema } from '../../proto/api/v1/stream.ts';
import type { ControlAnswer } from '../../proto/control.ts';
import type { AgentView } from '../../proto/view.ts';
import type { PathLookup } from '../../topology/report/paths.ts';
import type { ExperimentState } from '../experiment/state.ts';
import { worst } from '../fidelity/verdict.ts';
import { type AgentReport, aliveOf, commandOf, endpointsOf, flowsOf } from './view.ts';

/** Of each part, by key: the item, and its text, by which it is compared. */
export type Parts = Readonly<Record<PartName, ReadonlyMap<string, Item>>>;

interface Item {
  readonly value: unknown;
  readonly text: string;
}

export interface Seen {
  readonly state: ExperimentState;
  readonly reports: readonly AgentReport[];
  readonly view: AgentView | undefined;
  readonly commands: ControlAnswer | undefined;
  /** Of the topology that is in force. */
  readonly pathOf: PathLookup;
}

export function partsOf({ state, reports, view, commands, pathOf }: Seen): Parts {
  const flows = flowsOf(reports, view);
  const paths = flows.flatMap(({ from, to }) => pathOf(from, to) ?? []);
  return {
    experiment: keyed([summaryOf(state, reports)], ({ name }) => name),
    agents: keyed(reports.map(agentSummary), ({ host }) => host),
    endpoints: keyed(endpointsOf(state, reports, view), ({ name }) => name),
    flows: keyed(flows, pairOf),
    paths: keyed(paths, pairOf),
    commands: keyed((commands?.history ?? []).map(commandOf), ({ id }) => id),
  };
}

const pairOf = ({ from, to }: { readonly from: string; readonly to: string }): string => `${from}>${to}`;

function keyed<Value>(values: readonly Value[], keyOf: (value: Value) => string): Map<string, Item> {
  return new Map(values.map((value) => [keyOf(value), { value, text: JSON.stringify(value) }]));
}

/** Every agent plays the same timeline; one that has begun tells it. */
function summaryOf(
  { name }: ExperimentState,
  reports: readonly AgentReport[],
): z.infer<typeof summarySchema> {
  const alive = aliveOf(reports);
  const silent = reports.length - alive.length;
  const verdicts = [
    ...alive.flatMap(({ verdict }) => verdict ?? []),
    ...Array.from({ length: silent }, () => ({ verdict: 'degraded', now: 'degraded' }) as const),
  ];
  const told = alive.find(({ nowMs }) => nowMs !== null) ?? alive[0];
  return {
    name,
    epoch: told?.epoch ?? 0,
    running: told?.state === 'running',
    nextEventMs: told?.nextEventMs ?? null,
    faults: told?.faults ?? [],
    verdict: worst(verdicts.map(({ verdict }) => verdict)),
    verdictNow: worst(verdicts.map(({ now }) => now)),
  };
}

function agentSummary(report: AgentReport): z.infer<typeof agentSummarySchema> {
  const nothing = { shaped: false, endpoints: 0, known: 0, expected: 0, corrected: 0 };
  const unknown = { cpuSeconds: 0, memoryBytes: 0, tickMeanMs: 0, clockOffsetMs: null };
  const { host, state } = report;
  if (report.state === 'unreachable')
    return { ...nothing, ...unknown, host, state, problems: [report.reason] };
  const { shaped, endpoints, known, expected, corrected = 0, cpuSeconds, memoryBytes } = report;
  return {
    ...{ host, state, shaped, known, expected, corrected, cpuSeconds, memoryBytes },
    endpoints: endpoints.length,
    problems: [...report.degraded, ...report.conflicts],
    tickMeanMs: report.ticks.meanMs,
    clockOffsetMs: report.clock.offsetMs,
  };
}

type Changes = Partial<Record<PartName, { set?: Record<string, unknown>; removed?: string[] }>>;

/** What a reader who has `before` needs to have `after`; `undefined` before: everything. */
export function changesBetween(before: Parts | undefined, after: Parts): Changes {
  const changes: Changes = {};
  for (const part of PART_NAMES) {
    const old = before?.[part];
    const set = [...after[part]].filter(([key, { text }]) => old?.get(key)?.text !== text);
    const removed = [...(old?.keys() ?? [])].filter((key) => !after[part].has(key));
    if (set.length === 0 && removed.length === 0) continue;
    changes[part] = {
      ...(set.length > 0 && { set: Object.fromEntries(set.map(([key, { value }]) => [key, value])) }),
      ...(removed.length > 0 && { removed }),
    };
  }
  return changes;
}
