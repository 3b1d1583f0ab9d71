/** The records bench: whether runs repeat, what recording costs, and how long a large record takes to be looked at. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseDelayBackend } from '../../agent/linux/delay/delay-backend.ts';
import { probeMachine } from '../../agent/linux/probe/probe.ts';
import { requireAbilities } from '../../controller/machine/abilities.ts';
import type { Interruption } from '../lab.ts';
import type { Table } from '../report/model.ts';
import { costTable } from './costs.ts';
import { endTable } from './ends.ts';
import { millionTable } from './million.ts';
import { replayTable } from './replays.ts';

export interface RecordsOptions {
  readonly quick: boolean;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

/** Throws `DELAY_BACKEND_MISSING` or `MACHINE_CANNOT` before anything is measured. */
export async function measureRecords(options: RecordsOptions): Promise<Table[]> {
  const abilities = probeMachine();
  requireAbilities(abilities);
  const backend = chooseDelayBackend('auto', abilities);
  const folder = mkdtempSync(join(tmpdir(), 'netfold-bench-records-'));
  try {
    const million = await millionTable({ ...options, folder });
    const costs = await costTable({ ...options, backend, folder });
    const ends = await endTable({ ...options, backend, folder });
    return [million, costs, ends, await replayTable({ ...options, backend, folder })];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
