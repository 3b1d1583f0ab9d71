/** The stream as its reader keeps it. No code of zod is needed here, which a page would have to load. */
import type { PartName, StreamMessage } from './stream.ts';

const PARTS: Readonly<Record<PartName, true>> = {
  experiment: true,
  agents: true,
  endpoints: true,
  flows: true,
  paths: true,
  commands: true,
};
export const PART_NAMES = Object.keys(PARTS) as readonly PartName[];

/** The parts by their keys. */
export type LiveState = {
  nowMs: number | null;
} & { -readonly [P in PartName]: Map<string, ItemOf<P>> };

export type ItemOf<P extends PartName> = NonNullable<
  NonNullable<Extract<StreamMessage, { type: 'snapshot' }>[P]>['set']
>[string];

export function emptyState(): LiveState {
  return {
    nowMs: null,
    experiment: new Map(),
    agents: new Map(),
    endpoints: new Map(),
    flows: new Map(),
    paths: new Map(),
    commands: new Map(),
  };
}

/** Brings `state` up to date. */
export function applyMessage(state: LiveState, message: StreamMessage): void {
  if (message.type === 'end') return;
  state.nowMs = message.nowMs;
  for (const part of PART_NAMES) {
    const kept = state[part] as Map<string, unknown>;
    if (message.type === 'snapshot') kept.clear();
    for (const [key, value] of Object.entries(message[part]?.set ?? {})) kept.set(key, value);
    for (const key of message[part]?.removed ?? []) kept.delete(key);
  }
}
