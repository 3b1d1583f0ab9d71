/** Logs of experiments that benches and tests make, out of the user's: the oldest runs of those give way to new ones. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** For this process and its children. Returns what removes the logs. */
export function keepLogsApart(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'netfold-logs-'));
  process.env.NETFOLD_LOGS = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
