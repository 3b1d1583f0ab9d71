/** Output of V8's sampling profiler for a process (`node --cpu-prof`) → the functions that took the time. Pure. */
import { z } from 'zod';
import { sum } from '../statistics.ts';

/** Of a thread; times are those of CLOCK_MONOTONIC, in µs. */
export const profileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
    }),
  ),
  startTime: z.number(),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});
export type Profile = z.infer<typeof profileSchema>;

export interface Span {
  readonly fromMicros: number;
  readonly untilMicros: number;
}

export interface Spent {
  /** `name (file:line)`; `(program)` is native code, including the kernel. */
  readonly what: string;
  /** In the function itself, without the functions that it calls; parts of one core. */
  readonly cores: number;
}

/** Waiting threads do not work. The delay line's thread waits in our own functions, which V8 counts as work. */
const WAITING = [/^\(idle\)$/, /^(wait|pause) \(agent\/kernel\/sys\/poller\.ts:/];
/** System calls and other native code. V8 accounts them here, or to the function that makes the call. */
const NATIVE = [...WAITING, /^\(program\)$/, / \(agent\/kernel\/sys\/[^/]+\.ts:/];
export const NATIVE_CODE = 'system calls and other native code';

/**
 * The most expensive functions of all threads within the span, in descending order. `cores`: the processor time of
 * the threads, if it is known. What remains of it without JavaScript is `NATIVE_CODE`, which leaves out waiting that
 * V8 counts as work.
 */
export function mostExpensive(
  profiles: readonly Profile[],
  span: Span,
  most: number,
  cores?: number,
): Spent[] {
  const micros = new Map<string, number>();
  for (const profile of profiles) {
    const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
    let at = profile.startTime;
    for (const [index, node] of profile.samples.entries()) {
      const delta = profile.timeDeltas[index] ?? 0;
      at += delta;
      if (at < span.fromMicros || at > span.untilMicros) continue;
      // A sample shows what ran since the previous one.
      const name = names.get(node) ?? '?';
      micros.set(name, (micros.get(name) ?? 0) + delta);
    }
  }
  const length = span.untilMicros - span.fromMicros;
  const leftOut = cores === undefined ? WAITING : NATIVE;
  const named = [...micros]
    .filter(([what]) => !leftOut.some((one) => one.test(what)))
    .map(([what, time]) => ({ what, cores: time / length }));
  const rest =
    cores === undefined ? [] : [{ what: NATIVE_CODE, cores: cores - sum(named.map((one) => one.cores)) }];
  return [...rest, ...named].sort((a, b) => b.cores - a.cores).slice(0, most);
}

function nameOf({ functionName, url, lineNumber }: Profile['nodes'][number]['callFrame']): string {
  if (url === '') return functionName;
  const file = url
    .replace(/^.*\/node_modules\//, '')
    .replace(/^file:\/\/.*\/(?=(agent|proto|topology)\/)/, '');
  return `${functionName || '(anonymous)'} (${file}:${lineNumber + 1})`;
}
