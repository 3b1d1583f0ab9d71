/**
 * The distribution's own kernel: fetched with apt, unpacked into a cache below node_modules, installed nowhere.
 * Kept per version of the package; a new version is fetched beside the old one.
 */
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../setup/processes.mjs';
import { MachineError } from './errors.ts';
import { runTool } from './tool.ts';
import { unpackInto } from './unpacked-packages.ts';

/** Its only dependency is the kernel of the day. The cloud flavour has no 9p. */
const METAPACKAGE = 'linux-image-amd64';
/** Kernels, and what Node compiled inside of machines. */
export const CACHE = join(ROOT, 'node_modules', '.cache', 'netfold-vm');

export interface DistributionKernel {
  /** As `uname -r` prints it. */
  readonly release: string;
  /** Path of the bootable image. */
  readonly image: string;
  /** The folder that holds `release`, as /lib/modules does. */
  readonly modules: string;
}

export interface KernelPackage {
  readonly name: string;
  readonly version: string;
}

/** Fetches and unpacks the kernel unless the cache has it. Throws `MachineError`. */
export async function distributionKernel(): Promise<DistributionKernel> {
  const wanted = await findPackage();
  const folder = join(CACHE, `${wanted.name}_${wanted.version.replaceAll(':', '%3a')}`);
  await unpackInto(folder, [`${wanted.name}=${wanted.version}`], (root) =>
    runTool('depmod', ['-b', root, kernelIn(root).release]),
  );
  return kernelIn(realpathSync(folder));
}

/** The kernel for which the metapackage stands today, from apt's lists. */
async function findPackage(): Promise<KernelPackage> {
  const known = async (): Promise<KernelPackage | undefined> =>
    parseKernelPackage(
      await runTool('apt-cache', ['show', '--no-all-versions', METAPACKAGE]).catch(() => ''),
    );
  const found = await known();
  if (found) return found;
  await runTool('apt-get', ['update']);
  const afterUpdate = await known();
  if (afterUpdate) return afterUpdate;
  throw new MachineError(
    'KERNEL_UNAVAILABLE',
    `apt knows no package ${METAPACKAGE}, whose kernel the test machine would run`,
    'run the machine tests on Debian (amd64), or leave them out: vitest run --project unit --project "kernel*"',
  );
}

/**
 * @param text what `apt-cache show` prints of the metapackage
 * @returns the package of the kernel itself, which bears the metapackage's version
 */
export function parseKernelPackage(text: string): KernelPackage | undefined {
  const name = /^Depends:.*?\b(linux-image-\d[^\s,]*)/m.exec(text)?.[1];
  const version = /^Version: (\S+)/m.exec(text)?.[1];
  return name && version ? { name, version } : undefined;
}

function kernelIn(root: string): DistributionKernel {
  const modules = [join(root, 'lib/modules'), join(root, 'usr/lib/modules')].find((path) => existsSync(path));
  const release = modules === undefined ? undefined : readdirSync(modules)[0];
  if (modules === undefined || release === undefined) {
    throw new MachineError(
      'KERNEL_UNAVAILABLE',
      `the kernel package unpacked at ${root} holds no modules`,
      `remove ${CACHE} and run the tests again`,
    );
  }
  return { release, image: join(root, 'boot', `vmlinuz-${release}`), modules };
}
