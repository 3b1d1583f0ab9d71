/**
 * The parts of the stream: an experiment at an instant, and what changed between two. Pure.
 *
 * Work follows what has changed. An item that is as before stays the same object, and so does a part of which nothing has changed;
 * both are compared by reference from then on. An item becomes text once, when the first reader needs it: rates of 500 flows are
 * five texts of 500 flows a second, and none of the 4,000 endpoints beside them.
 */
import type { z } from 'zod';
import { PART_NAMES } from '../../proto/api/v1/live-state.ts';
import type { agentSummarySchema, PartName, summarySchema } from '../../proto/api/v1/stream.ts';
import type { ControlAnswer } from '../../proto/control.ts';
import type { AgentView } from '../../proto/view.ts';
import type { PathLookup } from '../../topology/report/paths.ts';
import type { ExperimentState } from '../experiment/state.ts';
import { worst } from '../fidelity/verdict.ts';
import { type AgentReport, aliveOf, commandOf, endpointsOf, flowsOf } from './view.ts';

type Part = ReadonlyMap<string, Item>;

/** By key. What is the same object in two of them is the same. */
export type Parts = Readonly<Record<PartName, Part>>;

class Item {
  readonly value: unknown;
  #text: string | undefined;

  constructor(value: unknown) {
    this.value = value;
  }

  get text(): string {
    this.#text ??= JSON.stringify(this.value);
    return this.#text;
  }
}

export interface Seen {
  readonly state: ExperimentState;
  readonly reports: readonly AgentReport[];
  readonly view: AgentView | undefined;
  readonly commands: ControlAnswer | undefined;
  /** Of the topology that is in force. */
  readonly pathOf: PathLookup;
}

/** The parts of one experiment, time after time. Holds those of the last time, and what they were made of. */
export class PartsMaker {
  #before: Parts | undefined;
  /** Of endpoints and commands, which are many and seldom change. */
  readonly #sources = new Map<PartName, readonly unknown[]>();

  make({ state, reports, view, commands, pathOf }: Seen): Parts {
    const before = this.#before;
    const flows = flowsOf(reports, view);
    const paths = flows.flatMap(({ from, to }) => pathOf(from, to) ?? []);
    const parts: Parts = {
      experiment: keyed(before?.experiment, [summaryOf(state, reports)], ({ name }) => name),
      agents: keyed(before?.agents, reports.map(agentSummary), ({ host }) => host),
      endpoints: this.#unlessSame('endpoints', [state, view, ...reports.map(processesOf)], (old) =>
        keyed(old, endpointsOf(state, reports, view), ({ name }) => name),
      ),
      flows: keyed(before?.flows, flows, pairOf),
      paths: keyed(before?.paths, paths, pairOf),
      commands: this.#unlessSame('commands', [commands], (old) =>
        keyed(old, (commands?.history ?? []).map(commandOf), ({ id }) => id),
      ),
    };
    this.#before = parts;
    return parts;
  }

  /** The part of the last time if `sources`, all that it follows from, are the same objects. */
  #unlessSame(name: PartName, sources: readonly unknown[], make: (old: Part | undefined) => Part): Part {
    const old = this.#before?.[name];
    const known = this.#sources.get(name);
    if (old && known?.length === sources.length && sources.every((source, index) => source === known[index]))
      return old;
    this.#sources.set(name, sources);
    return make(old);
  }
}

/** By whose commands run; of a silent agent, that it is silent. */
const processesOf = (report: AgentReport): unknown =>
  report.state === 'unreachable' ? report.host : report.processes;

const pairOf = ({ from, to }: { readonly from: string; readonly to: string }): string => `${from}>${to}`;

/** `old` itself if nothing differs from it. */
function keyed<Value>(
  old: Part | undefined,
  values: readonly Value[],
  keyOf: (value: Value) => string,
): Part {
  const items = new Map<string, Item>();
  let isNew = false;
  for (const value of values) {
    const key = keyOf(value);
    const known = old?.get(key);
    const item = known && isSame(known.value, value) ? known : new Item(value);
    isNew ||= item !== known;
    items.set(key, item);
  }
  return !old || isNew || items.size !== old.size ? items : old;
}

/** Of values as JSON has them; a field that is undefined is as good as none. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((value, index) => isSame(value, b[index]));
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>];
  for (const key in one) if (!isSame(one[key], other[key])) return false;
  for (const key in other) if (one[key] === undefined && other[key] !== undefined) return false;
  return true;
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

/**
 * What a reader who has `before` needs to have `after`, as fields of a JSON object, each with a comma before it; `undefined`
 * before: everything.
 */
export function changesText(before: Parts | undefined, after: Parts): string {
  return PART_NAMES.map((name) => partText(name, before?.[name], after[name])).join('');
}

function partText(name: PartName, old: Part | undefined, part: Part): string {
  if (old === part) return '';
  const set: string[] = [];
  for (const [key, item] of part) if (old?.get(key) !== item) set.push(`${JSON.stringify(key)}:${item.text}`);
  const removed = [...(old?.keys() ?? [])].filter((key) => !part.has(key));
  const fields = [
    ...(set.length > 0 ? [`"set":{${set.join(',')}}`] : []),
    ...(removed.length > 0 ? [`"removed":${JSON.stringify(removed)}`] : []),
  ];
  return fields.length === 0 ? '' : `,"${name}":{${fields.join(',')}}`;
}
