/** Who writes a record: one process, which may have been killed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kernelStartTimeOf } from '../../agent/kernel/sys/process-table.ts';
import { experimentFolder } from '../names.ts';
import type { Description } from './description.ts';

/** This process, as the writer of a record. */
export const thisWriter = (): Description['writer'] => ({
  pid: process.pid,
  startTime: kernelStartTimeOf(process.pid) ?? 0,
});

/** Whether the process that writes the record still runs. */
export const hasWriter = ({ writer }: Description): boolean =>
  writer !== null && kernelStartTimeOf(writer.pid) === writer.startTime;

/** Names the record of a running experiment, for who takes it over. */
export const pointerOf = (experiment: string): string => join(experimentFolder(experiment), 'record.json');

/** `undefined` if it is not recorded. */
export function recordOf(experiment: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(pointerOf(experiment), 'utf8')) as { folder: string }).folder;
  } catch {
    return undefined;
  }
}
