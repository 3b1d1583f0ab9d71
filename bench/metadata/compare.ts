/** A run compared with what the models would have sent for its traffic. Pure. */
import { sum } from '../measure/statistics.ts';
import { type DumbbellRun, dumbbellPath, HOSTS } from './dumbbell.ts';
import { periodic, reactive, type Sent } from './models.ts';

export interface Compared {
  readonly run: DumbbellRun;
  /** All agents together, on the wire. */
  readonly bytesPerSecond: number;
  readonly periodic: Sent;
  /** With messages of the size that the published code makes. */
  readonly reactive: Sent;
  /** As if they contained only the bytes that carry information. */
  readonly reactiveUsed: Sent;
  /** The lesser of `periodic` and `reactive`. */
  readonly better: Sent;
  /** How often it was measured until nothing was announced. */
  readonly tries: number;
}

export function compare(run: DumbbellRun, tries = 1): Compared {
  const path = dumbbellPath(run.dumbbell);
  const sent = periodic(run.traffic, HOSTS);
  const changed = reactive(run.traffic, HOSTS, () => path, 'blocks');
  return {
    run,
    bytesPerSecond: sum(run.wireBytes) / run.seconds,
    periodic: sent,
    reactive: changed,
    reactiveUsed: reactive(run.traffic, HOSTS, () => path, 'used'),
    better: changed.bytesPerSecond < sent.bytesPerSecond ? changed : sent,
    tries,
  };
}
