/** Packages of the distribution, unpacked into a folder and installed nowhere: no service starts, nothing is replaced. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runTool } from './tool.ts';

const APT = ['-o', 'APT::Sandbox::User=root'];

/**
 * Fetches packages with apt and unpacks them into one folder, unless it exists. Dependencies have to be named, too.
 * `finish` completes the draft of the folder. Throws `MachineError`.
 */
export async function unpackInto(
  folder: string,
  packages: readonly string[],
  finish: (root: string) => Promise<unknown> = async () => {},
): Promise<void> {
  if (existsSync(folder)) return;
  mkdirSync(dirname(folder), { recursive: true });
  // Whole or not at all, also when two test runs fetch at once.
  const draft = mkdtempSync(join(dirname(folder), 'draft-'));
  try {
    const download = () => runTool('apt-get', [...APT, 'download', ...packages], draft);
    // Old lists name files that the mirror has replaced.
    await download().catch(async () => {
      await runTool('apt-get', ['update']);
      await download();
    });
    for (const archive of readdirSync(draft)) await runTool('dpkg-deb', ['-x', archive, 'unpacked'], draft);
    const root = join(draft, 'unpacked');
    await finish(root);
    if (!existsSync(folder)) renameSync(root, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
