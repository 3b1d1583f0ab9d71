/** Records as runs leave them, without a run. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Moment, RunDatabase } from '../../controller/record/database.ts';
import type { Description } from '../../controller/record/description.ts';
import { complete } from '../../controller/record/recorder.ts';
import type { EpochRow, EventRow, VerdictRow } from '../../controller/record/rows.ts';
import { topologyHash } from '../../proto/bootstrap.ts';

export const TOPOLOGY = `name: lab
services: { a: {}, b: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 5ms, up: 10Mbps, down: 20Mbps }
  - { from: s, to: b, latency: 5ms, bandwidth: 40Mbps }
`;

export interface Recorded {
  readonly seconds?: number;
  readonly text?: string;
  readonly moment?: (second: number) => Partial<Moment>;
  readonly events?: readonly EventRow[];
  readonly epochs?: readonly EpochRow[];
  readonly verdicts?: readonly VerdictRow[];
  readonly description?: Partial<Description>;
}

export const flow = (source: string, destination: string, rateBps: number) => ({
  ...{ source, destination, rateBps, shareBps: null, limitedBy: null },
});
export const path = (source: string, destination: string, measuredMs: number) => ({
  ...{ source, destination, targetMs: 20, measuredMs, lost: 0 },
});
export const agent = (host: string, second: number) => ({
  ...{ host, cpuSeconds: 0.1 * second, memoryBytes: 9e7, tickMs: 1 },
});

/** A complete one, in the folder, which is new. */
export async function makeRecord(folder: string, recorded: Recorded = {}): Promise<string> {
  const { seconds = 40, text = TOPOLOGY, moment = () => ({}) } = recorded;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'topology.yaml'), text);
  const moments = Array.from({ length: seconds }, (_, second): Moment => {
    const nothing = { flows: [], paths: [], agents: [agent('host0', second)], clocks: [] };
    return { ...nothing, tMs: 1000 * second + 3, ...moment(second) };
  });
  const database = new RunDatabase(join(folder, 'run.sqlite'));
  const { events = [], epochs = [], verdicts = [] } = recorded;
  database.append({ moments, events, epochs, verdicts, positions: [] });
  database.complete();
  const at = '2026-01-01T00:00:00.000Z';
  await complete(folder, {
    ...{ format: 1, id: basename(folder), experiment: 'lab', state: 'recording', writer: null },
    ...{ startedAt: at, beganAt: at, endedAt: null },
    versions: { netfold: '0.1.0', commit: null, node: '24' },
    machine: { cpu: 'x', cores: 2, memoryGiB: 1, virtual: null, distribution: 'd', kernel: 'k' },
    ...{ platform: 'lab', delayBackend: 'netem', hosts: ['host0'], endpoints: 2, seeds: { host0: 1 } },
    ...{ placement: { 'a.0': 'host0', 'b.0': 'host0' } },
    topology: { file: 'lab.yaml', hash: topologyHash({ text }), texts: ['topology.yaml'] },
    ...{ problems: [], files: {}, ...recorded.description },
  });
  return folder;
}
