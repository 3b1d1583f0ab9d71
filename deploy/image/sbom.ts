/**
 * The bill of materials of an image, as CycloneDX 1.5 (https://cyclonedx.org/docs/1.5/json/): npm's packages by the lock file, Node, and
 * the distribution's packages that the libraries are from.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { productionFolders } from '../package/production-packages.ts';
import type { LockFile } from '../setup/lock-file.mjs';

export interface Component {
  readonly type: 'library' | 'application';
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
}

export interface Subject {
  readonly version: string;
  /** Seconds since 1970. */
  readonly epoch: number;
  readonly components: readonly Component[];
}

export function bill({ version, epoch, components }: Subject): object {
  const sorted = [...components].sort((a, b) => (a.purl < b.purl ? -1 : 1));
  return {
    ...{ bomFormat: 'CycloneDX', specVersion: '1.5', version: 1 },
    metadata: {
      timestamp: new Date(epoch * 1000).toISOString(),
      component: { type: 'container', name: 'netfold', version, 'bom-ref': `netfold@${version}` },
    },
    components: sorted.map((one) => ({ 'bom-ref': one.purl, ...one })),
  };
}

/** `isThere`: whether a package is in the image: those for other machines are not. */
export function npmComponents(lock: LockFile, isThere: (path: string) => boolean): Component[] {
  return productionFolders(lock)
    .filter(isThere)
    .map((path) => {
      const { version = '', integrity } = lock.packages![path]!;
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      return {
        ...({
          type: 'library',
          name,
          version,
          purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
        } as const),
        ...(integrity !== undefined && { hashes: [hashOf(integrity)] }),
      };
    });
}

/** `sha512-BASE64`, as hexadecimal. */
function hashOf(integrity: string): { alg: string; content: string } {
  const [algorithm = '', text = ''] = integrity.split(' ')[0]!.split('-');
  const alg = algorithm.replace(/^sha/, 'SHA-');
  return { alg, content: Buffer.from(text, 'base64').toString('hex') };
}

export const nodeComponent = (node: string): Component => {
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1);
  return { type: 'application', name: 'node', version, purl: `pkg:generic/node@${version}` };
};

/** Packages of Debian that these files are of. Throws where one is of no package. */
export function debianComponents(files: readonly string[]): Component[] {
  const packages = new Set(files.map(packageOf));
  const format = '${Package} ${Version} ${Architecture}\\n';
  const text = execFileSync('dpkg-query', ['--show', `--showformat=${format}`, ...packages], {
    encoding: 'utf8',
  });
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [name = '', version = '', cpu = ''] = line.split(' ');
      const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${cpu}`;
      return { type: 'library', name, version, purl };
    });
}

/** Where folders were merged, dpkg knows a file by either of two paths. */
function packageOf(file: string): string {
  const real = realpathSync(file);
  for (const path of [real, real.replace(/^\/usr/, ''), `/usr${real}`]) {
    try {
      const owner = execFileSync('dpkg-query', ['--search', path], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      return owner.slice(0, owner.lastIndexOf(': '));
    } catch {
      // By the other path.
    }
  }
  throw new Error(`${file} is of no package of Debian`);
}

export const readLock = (root: string): LockFile =>
  JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as LockFile;
