/** What a container runtime of the tests reads: its configuration, and an image. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of pods and of their sandboxes. */
export const RUNTIME_IMAGE = 'localhost/netfold-test:1';
/** Where Debian has the plugins of containernetworking-plugins. */
const PLUGINS = '/usr/lib/cni';
const ARCHITECTURE: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

export interface RuntimePlaces {
  /** Has what it keeps, and the networks of pods below `cni`. */
  readonly folder: string;
  readonly socket: string;
  readonly state: string;
  /** What makes containers; absent: `runc`. */
  readonly runc?: string;
}

/** Of containerd. */
export function runtimeConfig({ folder, socket, state, runc = 'runc' }: RuntimePlaces): string {
  const at = (name: string): string => JSON.stringify(join(folder, name));
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return [
    ...['version = 2', `root = ${at('data')}`, `state = ${JSON.stringify(state)}`],
    ...['[grpc]', `address = ${JSON.stringify(socket)}`],
    ...['[plugins."io.containerd.internal.v1.opt"]', `path = ${at('opt')}`],
    `[${cri}]`,
    ...[`sandbox_image = "${RUNTIME_IMAGE}"`, 'restrict_oom_score_adj = true', 'disable_apparmor = true'],
    ...[`[${cri}.containerd.runtimes.runc]`, 'runtime_type = "io.containerd.runc.v2"'],
    ...[`[${cri}.containerd.runtimes.runc.options]`, `BinaryName = ${JSON.stringify(runc)}`],
    ...[`[${cri}.cni]`, `bin_dir = "${PLUGINS}"`, `conf_dir = ${at('cni')}`],
  ].join('\n');
}

/** Writes an image of one layer, in the format of `docker save`; returns the file. */
export function writeTestImage(folder: string, layer: Buffer): string {
  const digest = `sha256:${createHash('sha256').update(layer).digest('hex')}`;
  const config = {
    ...{ architecture: ARCHITECTURE[process.arch], os: 'linux' },
    config: { Cmd: ['sleep', '3600'], Env: ['PATH=/bin', 'FROM_IMAGE=yes'] },
    rootfs: { type: 'layers', diff_ids: [digest] },
  };
  const image = join(folder, 'image');
  mkdirSync(image);
  writeFileSync(join(image, 'layer.tar'), layer);
  writeFileSync(join(image, 'config.json'), JSON.stringify(config));
  const manifest = [{ Config: 'config.json', RepoTags: [RUNTIME_IMAGE], Layers: ['layer.tar'] }];
  writeFileSync(join(image, 'manifest.json'), JSON.stringify(manifest));
  const tar = join(folder, 'image.tar');
  execFileSync('tar', ['-C', image, '-cf', tar, 'manifest.json', 'config.json', 'layer.tar']);
  return tar;
}
