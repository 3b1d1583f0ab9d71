/**
 * Builds netfold's image, agent and controller in one, without a network and without a container engine: of the packages that are
 * installed here, this machine's Node and libraries. The same commit gives the same bytes on the same machine.
 *
 *   npm run build:image                     into build/image
 *   npm run build:image -- --out DIR --tag netfold:1
 */
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { makeTrees, sourceEpoch } from '../package/build.ts';
import { readManifest } from '../package/compile.ts';
import { normalise } from '../package/tree.ts';
import { NODE_24, ROOT } from '../setup/processes.mjs';
import { runMain, sayDone } from '../setup/report.mjs';
import { writeImage, writeTar } from './archive.ts';
import { makeRootfs, PROGRAM } from './rootfs.ts';
import { bill, debianComponents, nodeComponent, npmComponents, readLock } from './sbom.ts';

export interface ImageBuild {
  readonly out: string;
  readonly tag: string;
  readonly epoch: number;
}

const SBOM = 'usr/share/sbom/netfold.cdx.json';

/** Writes netfold-image.tar, its bill of materials, and what a Dockerfile needs. Returns the files. */
export async function buildImage({ out, tag, epoch }: ImageBuild): Promise<{ image: string; sbom: string }> {
  const { version } = readManifest();
  const work = mkdtempSync(join(tmpdir(), 'netfold-image-'));
  try {
    const node = realpathSync(NODE_24);
    const packages = join(ROOT, 'node_modules');
    const { tree } = makeTrees(work, { cpu: process.arch, node, packages, epoch });
    const root = join(work, 'root');
    const libraries = makeRootfs(root, tree);
    const lock = readLock(ROOT);
    const isThere = (path: string): boolean =>
      existsSync(join(root, 'opt/netfold', relative('.', path), 'package.json'));
    const components = [
      ...npmComponents(lock, isThere),
      nodeComponent(node),
      ...debianComponents([...libraries.keys()]),
    ];
    const materials = `${JSON.stringify(bill({ version, epoch, components }), null, 2)}\n`;
    mkdirSync(join(root, 'usr/share/sbom'), { recursive: true });
    writeFileSync(join(root, SBOM), materials);
    normalise(root, epoch);
    mkdirSync(out, { recursive: true });
    const layer = join(work, 'rootfs.tar');
    writeTar(root, layer, epoch);
    const [image, sbom] = [join(out, 'netfold-image.tar'), join(out, 'netfold.cdx.json')];
    cpSync(layer, join(out, 'rootfs.tar'));
    copyFileSync(join(import.meta.dirname, 'Dockerfile'), join(out, 'Dockerfile'));
    // The engine gets what the Dockerfile needs, not the image beside it as well.
    writeFileSync(join(out, '.dockerignore'), '*\n!rootfs.tar\n');
    writeFileSync(sbom, materials);
    const labels = {
      'org.opencontainers.image.title': 'netfold',
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.licenses': 'Apache-2.0',
    };
    await writeImage(layer, image, join(work, 'image'), { tag, epoch, entrypoint: [PROGRAM], labels });
    return { image, sbom };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  await runMain(async () => {
    const { values } = parseArgs({
      options: {
        out: { type: 'string', default: join(ROOT, 'build/image') },
        tag: { type: 'string', default: `netfold:${readManifest().version}` },
      },
    });
    const out = resolve(process.env.INIT_CWD ?? '.', values.out);
    const { image, sbom } = await buildImage({ out, tag: values.tag, epoch: sourceEpoch() });
    sayDone(`${image} (${(statSync(image).size / 1e6).toFixed(1)} MB): docker load -i ${image}`);
    sayDone(sbom);
    return 0;
  });
}
