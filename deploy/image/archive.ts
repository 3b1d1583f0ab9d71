/** Images as files that `docker load` and `ctr images import` take: the format of `docker save`, the same bytes for the same files. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Of Docker's names of processors. */
export const CPU: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

export interface ImageOptions {
  readonly tag: string;
  readonly epoch: number;
  readonly entrypoint: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** Writes the files below `root` as a tar archive. Needs GNU tar. */
export function writeTar(root: string, file: string, epoch: number): void {
  const owner = ['--owner=0', '--group=0', '--numeric-owner'];
  const same = ['--sort=name', '--format=gnu', ...owner, `--mtime=@${epoch}`];
  execFileSync('tar', [...same, '-cf', file, '-C', root, '.']);
}

/** Writes an image of one layer. `work`: a folder for its parts, which is removed. */
export async function writeImage(
  layer: string,
  file: string,
  work: string,
  options: ImageOptions,
): Promise<void> {
  const { tag, epoch, entrypoint, labels } = options;
  mkdirSync(work, { recursive: true });
  const digest = await sha256(layer);
  const config = {
    ...{ architecture: CPU[process.arch], os: 'linux', created: new Date(epoch * 1000).toISOString() },
    config: {
      Entrypoint: entrypoint,
      Env: ['PATH=/usr/bin', 'NODE_ENV=production'],
      Labels: labels,
      User: '0:0',
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
    history: [{ created: new Date(epoch * 1000).toISOString(), created_by: 'netfold deploy/image/build.ts' }],
  };
  const manifest = [{ Config: 'config.json', RepoTags: [tag], Layers: ['layer.tar'] }];
  renameSync(layer, join(work, 'layer.tar'));
  writeFileSync(join(work, 'config.json'), JSON.stringify(config));
  writeFileSync(join(work, 'manifest.json'), JSON.stringify(manifest));
  writeTar(work, file, epoch);
  rmSync(work, { recursive: true });
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
