/** Logs and records of experiments that benches and tests make, out of the user's: the oldest of those give way to new ones. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** For this process and its children. Returns what removes them. */
export function keepLogsApart(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'netfold-logs-'));
  process.env.NETFOLD_LOGS = join(folder, 'logs');
  process.env.NETFOLD_RECORDS = join(folder, 'records');
  return () => rmSync(folder, { recursive: true, force: true });
}
