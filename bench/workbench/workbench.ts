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

export const PARTS = ['templates', 'simulated', 'study'] as const;
type Part = (typeof PARTS)[number];

export interface WorkbenchOptions {
  readonly quick: boolean;
  /** Absent: all. */
  readonly part?: Part | undefined;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

/** Throws `DELAY_BACKEND_MISSING` or `MACHINE_CANNOT` before anything is measured. */
export async function measureWorkbench({ part, ...options }: WorkbenchOptions): Promise<Table[]> {
  const backend = machineBackend();
  const folder = mkdtempSync(join(tmpdir(), 'netfold-bench-workbench-'));
  try {
    const measures: Readonly<Record<Part, () => Promise<Table>>> = {
      templates: () => templateTable({ ...options, folder }),
      simulated: () => simulatedTable({ ...options, backend }),
      study: () => studyTable({ ...options, backend, folder }),
    };
    const tables: Table[] = [];
    for (const name of part === undefined ? PARTS : [part]) tables.push(await measures[name]());
    return tables;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
