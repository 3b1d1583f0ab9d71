/** The bench of the workbench: a parameter study that is killed on its way, templates, and simulated flows beside real ones. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Interruption } from '../lab.ts';
import { machineBackend } from '../measure/backend.ts';
import type { Table } from '../report/model.ts';
import { simulatedTable } from './simulated.ts';
import { studyTable } from './study.ts';
import { templateTable } from './templates.ts';

export interface WorkbenchOptions {
  readonly quick: boolean;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

/** Throws `DELAY_BACKEND_MISSING` or `MACHINE_CANNOT` before anything is measured. */
export async function measureWorkbench(options: WorkbenchOptions): Promise<Table[]> {
  const backend = machineBackend();
  const folder = mkdtempSync(join(tmpdir(), 'netfold-bench-workbench-'));
  try {
    const templates = await templateTable({ ...options, folder });
    const simulated = await simulatedTable({ ...options, backend });
    return [templates, simulated, await studyTable({ ...options, backend, folder })];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
