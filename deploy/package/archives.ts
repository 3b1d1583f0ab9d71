/** Archives of normalised trees, the same bytes for the same tree. */
import { execFile } from 'node:child_process';
import { basename, dirname } from 'node:path';
import { promisify } from 'node:util';

const runTool = promisify(execFile);

/** Writes `folder` as FILE.tar.gz, with its name as the first folder. Needs GNU tar. */
export async function writeTarball(folder: string, file: string, epoch: number): Promise<void> {
  const owner = ['--owner=0', '--group=0', '--numeric-owner'];
  const same = ['--sort=name', '--format=gnu', ...owner, `--mtime=@${epoch}`, '--hard-dereference'];
  const what = ['-cf', file, '-C', dirname(folder), basename(folder)];
  await runTool('tar', [...same, '--use-compress-program=gzip -n -6', ...what]);
}

/** Writes `folder`, which contains `DEBIAN/control`, as a Debian package. Needs dpkg. */
export async function writeDebianPackage(folder: string, file: string, epoch: number): Promise<void> {
  // gzip: as small as xz where most of it is one program, in a tenth of the time.
  const args = ['--root-owner-group', '-Zgzip', '-z6', '--build', folder, file];
  await runTool('dpkg-deb', args, { env: { ...process.env, SOURCE_DATE_EPOCH: `${epoch}` } });
}
