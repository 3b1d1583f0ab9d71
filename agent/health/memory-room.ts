/** Whether the agent's own memory comes near its bound, at which it would end. */
import { getHeapStatistics } from 'node:v8';

const MEBIBYTE = 1 << 20;
/** More than this part of a bound is near it. */
const NEAR = 0.8;
/** What control groups without a limit say is more than any machine has. */
const NO_LIMIT_BYTES = 2 ** 50;

/** Bytes in use, and how many there may be; `of` names the bound. */
export interface MemoryUse {
  readonly of: string;
  readonly usedBytes: number;
  readonly limitBytes: number;
}

/** Of this process: its JavaScript heap, and all its memory where its control group has a limit. */
export function memoryUses(): MemoryUse[] {
  const { used_heap_size, heap_size_limit } = getHeapStatistics();
  const limitBytes = process.constrainedMemory();
  return [
    { of: 'its heap (node --max-old-space-size)', usedBytes: used_heap_size, limitBytes: heap_size_limit },
    ...(limitBytes > 0 && limitBytes < NO_LIMIT_BYTES
      ? [{ of: 'its control group', usedBytes: process.memoryUsage.rss(), limitBytes }]
      : []),
  ];
}

/** In words, if one of them is near its bound. Pure. */
export function memoryProblem(uses: readonly MemoryUse[]): string | undefined {
  const near = uses.find(({ usedBytes, limitBytes }) => usedBytes > NEAR * limitBytes);
  if (!near) return undefined;
  const { of, usedBytes, limitBytes } = near;
  return `this agent uses ${mebibytes(usedBytes)} of the ${mebibytes(limitBytes)} MiB that ${of} may have, and ends when there is no more: use more hosts, or raise the bound`;
}

const mebibytes = (bytes: number): number => Math.round(bytes / MEBIBYTE);
