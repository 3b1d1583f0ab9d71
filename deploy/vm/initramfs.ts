/** The first file system of a test machine: busybox, the modules that reach the host's files, and a script. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { capture, findCommand, ROOT } from '../setup/processes.mjs';
import type { DistributionKernel } from './distribution-kernel.ts';
import { MachineError } from './errors.ts';
import { runTool } from './tool.ts';

/** To the host's files, the layer over them, and the port for commands. */
const MODULES = ['virtio_pci', 'virtio_console', '9pnet_virtio', '9p', 'overlay'];
const FOLDERS = ['bin', 'modules', 'proc', 'sys', 'dev', 'lower', 'layers', 'root', 'checkout'];

/** Writes the archive to `file`. The folder it is made from is gone afterwards. */
export async function writeInitramfs(file: string, kernel: DistributionKernel): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'netfold-initramfs-'));
  try {
    for (const name of FOLDERS) mkdirSync(join(folder, name));
    copyFileSync(await staticBusybox(), join(folder, 'bin/busybox'));
    const modules = await filesOfModules(kernel);
    for (const module of modules) await copyModule(module, join(folder, 'modules'));
    const order = modules.map((module) => `${uncompressedName(module)}\n`).join('');
    writeFileSync(join(folder, 'modules/order'), order);
    const guest = join(import.meta.dirname, 'guest/init.sh');
    copyFileSync(guest, join(folder, 'init.sh'));
    writeFileSync(join(folder, 'init'), '#!/bin/busybox sh\nexec /bin/busybox sh /init.sh\n', {
      mode: 0o755,
    });
    writeFileSync(join(folder, 'machine.sh'), settings(kernel));
    await runTool('sh', ['-c', `find . | busybox cpio -o -H newc >"$1"`, 'sh', file], folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function staticBusybox(): Promise<string> {
  const file = findCommand('busybox');
  if (file !== undefined && (await capture('ldd', [file])).code !== 0) return file;
  throw new MachineError(
    'TOOL_FAILED',
    'there is no statically linked busybox, which a test machine starts with',
    'apt-get install busybox-static',
  );
}

/** Paths of the modules and all that they need, in the order in which they load. */
async function filesOfModules({ release, modules }: DistributionKernel): Promise<string[]> {
  const root = join(modules, '../..');
  const args = ['--show-depends', '-a', '-d', root, '-S', release, ...MODULES];
  return [...new Set(parseDepends(await runTool('modprobe', args)))];
}

/** @param text what `modprobe --show-depends` prints: `insmod /path/name.ko.xz parameters`, or `builtin name` */
export function parseDepends(text: string): string[] {
  return [...text.matchAll(/^insmod (\S+)/gm)].map((match) => match[1]!);
}

const uncompressedName = (file: string): string => basename(file).replace(/\.(xz|zst|gz)$/, '');

/** Newer kernels compress their modules, which busybox can't load. */
async function copyModule(file: string, folder: string): Promise<void> {
  const target = join(folder, uncompressedName(file));
  const ending = /\.(xz|zst|gz)$/.exec(file)?.[1];
  if (ending === undefined) copyFileSync(file, target);
  else {
    const tool = { xz: 'xz', zst: 'zstd', gz: 'gzip' }[ending]!;
    await runTool('sh', ['-c', '"$1" -dc "$2" >"$3"', 'sh', tool, file, target]);
  }
}

function settings({ release, modules }: DistributionKernel): string {
  return Object.entries({ checkout: ROOT, release, modules })
    .map(([name, value]) => `${name}='${value.replaceAll("'", `'\\''`)}'\n`)
    .join('');
}
