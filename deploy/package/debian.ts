/** What a Debian package has beside netfold's own tree. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../setup/processes.mjs';

/** Node's names of processors → Debian's. */
export const DEBIAN_CPU: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

export interface DebianFacts {
  readonly version: string;
  /** Node's name. */
  readonly cpu: string;
  /** Of all files together. */
  readonly kibibytes: number;
}

/** deb-control(5). What `netfold verify` measures with is not needed to run an experiment. */
export function controlText({ version, cpu, kibibytes }: DebianFacts): string {
  return `Package: netfold
Version: ${version}
Architecture: ${DEBIAN_CPU[cpu]}
Maintainer: netfold <root@localhost>
Installed-Size: ${kibibytes}
Depends: iproute2, libbpf1, libc6 (>= 2.28), libstdc++6
Recommends: iperf3, iputils-ping, nftables
Section: net
Priority: optional
Description: network emulator: gives one machine, or a cluster, any network
 A file names services, bridges and links. netfold folds them into end-to-end
 paths, and sets latency, jitter, loss and bandwidth of each path in the kernel.
 It brings the Node that it runs on.
`;
}

/** Whatever is cached, nothing of it is the package's. */
const AFTER_REMOVAL = `#!/bin/sh
set -e
case $1 in remove|purge) rm -rf /var/cache/netfold ;; esac
`;

const COPYRIGHT = `netfold is licensed under the Apache License 2.0: /usr/lib/netfold/LICENSE.
The packages below /usr/lib/netfold/node_modules have their licences beside them.
`;

/** Makes `folder` the contents of the package, of a tree of netfold, whose files it shares. */
export function makeDebianTree(folder: string, tree: string, facts: DebianFacts): void {
  const library = join(folder, 'usr/lib/netfold');
  mkdirSync(dirname(library), { recursive: true });
  execFileSync('cp', ['-al', tree, library]);
  mkdirSync(join(folder, 'usr/bin'));
  symlinkSync('../lib/netfold/bin/netfold', join(folder, 'usr/bin/netfold'));
  write(join(folder, 'usr/share/doc/netfold/copyright'), COPYRIGHT);
  // Nothing enables it: `netfold service` does.
  const unit = readFileSync(join(ROOT, 'deploy/service/netfold@.service'), 'utf8');
  write(
    join(folder, 'usr/lib/systemd/system/netfold@.service'),
    unit.replace('@PROGRAM@', '/usr/lib/netfold/bin/netfold'),
  );
  write(join(folder, 'DEBIAN/control'), controlText(facts));
  write(join(folder, 'DEBIAN/postrm'), AFTER_REMOVAL);
  chmodSync(join(folder, 'DEBIAN/postrm'), 0o755);
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
