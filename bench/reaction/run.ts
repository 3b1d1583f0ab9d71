/**
 * Runs a scenario once in a lab of two hosts, and returns the agents' records and the interfaces' counters, in the
 * experiment's time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { micros, secondsToMillis, toMillis } from '../../proto/units.ts';
import type { AgentRecord } from '../../proto/view.ts';
import type { Lab } from '../lab.ts';
import { agentRecords } from '../measure/agent-records.ts';
import { ByteCounters } from '../measure/traffic/byte-counters.ts';
import type { Count } from '../measure/traffic/rates.ts';
import type { Scenario } from './scenarios.ts';
import type { Change } from './settling.ts';

/** Several of them form a sample of 50 ms that may start at any of them. */
const SAMPLE_MS = 10;

export interface Run {
  /**
   * Per flow: bytes sent by its sender's interface, bytes received by its receiver's, and its share. Milliseconds
   * since the start.
   */
  readonly flows: readonly {
    readonly sent: readonly Count[];
    readonly received: readonly Count[];
    readonly share: readonly Change[];
  }[];
}

export async function runScenario(scenario: Scenario, { experiment, place }: Lab): Promise<Run> {
  const { flows, end } = scenario;
  const counters = new ByteCounters(flows.flatMap(({ from, to }) => [place(from), place(to)]));
  counters.start(SAMPLE_MS);
  let startAt: number;
  let records: AgentRecord[];
  try {
    startAt = await experiment.run();
    await sleep(startAt + secondsToMillis(end) - Date.now());
    records = await agentRecords(experiment);
  } finally {
    counters.stop();
  }
  const counts = (index: number, kind: 'sent' | 'received'): Count[] =>
    counters.samples.map(({ atMs, bytes }) => ({ atMs: atMs - startAt, bytes: bytes[index]![kind] }));
  return {
    flows: flows.map((flow, index) => ({
      sent: counts(2 * index, 'sent'),
      received: counts(2 * index + 1, 'received'),
      share: sharesOf(flow, records),
    })),
  };
}

function sharesOf({ from, to }: Scenario['flows'][number], records: readonly AgentRecord[]): Change[] {
  return records
    .flatMap(({ shares }) => shares)
    .filter((change) => change.from === from && change.to === to)
    .map(({ atMicros, shareBps }) => ({
      atMs: toMillis(micros(atMicros)),
      // A flow that ended has no share.
      value: shareBps === 0 ? undefined : (shareBps ?? Number.POSITIVE_INFINITY),
    }));
}
