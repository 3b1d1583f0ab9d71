/** netfold on hosts: copied into a folder that its content names, and taken away again. */
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InventoryHost } from '../inventory/model.ts';
import { type Bundle, packBundle } from './bundle.ts';
import { type OnOutcome, type Outcome, onEachHost } from './each-host.ts';
import { INJECTIONS_FOLDER, INSTALL_FOLDER } from './host-probe.ts';
import { STATE_FUNCTION, stateDifferences } from './host-state.ts';
import { AtOnce } from './ssh/at-once.ts';
import type { Connections } from './ssh/connections.ts';

export type InstallResult = 'installed' | 'was installed already';

/** Of 60 MB through a slow uplink. */
const COPY_SECONDS = 900;

/**
 * More at a time share what leaves this machine, so that all would be late; fewer leave it idle where hosts are slow. A host that hangs
 * while it logs in takes none of them.
 */
const COPIES_AT_ONCE = 16;

export const homeOf = ({ hash }: Pick<Bundle, 'hash'>): string => `${INSTALL_FOLDER}/${hash}`;

const isInstalled = (home: string): string =>
  `test -e ${home}/.netfold-installed && echo installed || echo missing\n`;

/**
 * Copies netfold to the hosts that lack it, packed once. A copy that is cut off leaves nothing: the folder gets its name when it
 * is complete.
 */
export async function install(
  connections: Connections,
  hosts: readonly InventoryHost[],
  bundle: Bundle,
  onOutcome?: OnOutcome<InstallResult>,
): Promise<Outcome<InstallResult>[]> {
  const folder = mkdtempSync(join(tmpdir(), 'netfold-bundle-'));
  const archive = join(folder, 'netfold.tar.gz');
  let packed: Promise<void> | undefined;
  const copies = new AtOnce(COPIES_AT_ONCE);
  try {
    return await onEachHost(
      hosts,
      async (host): Promise<InstallResult> => {
        const connection = await connections.to(host);
        const found = await connection.run(isInstalled(homeOf(bundle)), { doing: 'looking for netfold' });
        if (found.startsWith('installed')) return 'was installed already';
        packed ??= packBundle(bundle, archive);
        await packed;
        await copies.run(() =>
          connection.run(installScript(homeOf(bundle)), {
            input: createReadStream(archive),
            seconds: COPY_SECONDS,
            doing: 'installing',
          }),
        );
        return 'installed';
      },
      onOutcome,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Reads the archive. What was there before is written down by the first that comes. */
function installScript(home: string): string {
  return `${STATE_FUNCTION}
for command in tar gzip; do command -v $command >/dev/null || fail HOST_LIBRARY $command; done
before=$(state)
made=; test -d /opt || made=/opt
said=$(mkdir -p ${INSTALL_FOLDER} 2>&1) || fail HOST_READ_ONLY "$said"
new=${INSTALL_FOLDER}/.new-$$
trap 'rm -rf "$new"; rmdir ${INSTALL_FOLDER} $made 2>/dev/null' EXIT
trap 'exit 1' HUP INT TERM
said=$(mkdir "$new" 2>&1) || fail HOST_SPACE "$said"
said=$(tar -xzf - -C "$new" 2>&1) || fail HOST_SPACE "$(printf %s "$said" | tail -n 1)"
said=$("$new/node_modules/.bin/node" --version 2>&1) || fail HOST_CANNOT "$(printf %s "$said" | tail -n 1)"
echo "$made" > "$new/.netfold-installed"
if ! test -e ${INSTALL_FOLDER}/.before; then
  printf '%s\\n' "$before" > "$new/.before" && mv "$new/.before" ${INSTALL_FOLDER}/.before
fi
mv -T "$new" ${home} 2>/dev/null || test -e ${home}/.netfold-installed || fail HOST_SPACE "${home} can't be made"
echo done
`;
}

export interface UninstallResult {
  /** Folders that were taken away. */
  readonly removed: readonly string[];
  /** What is not as it was before the first installation; empty: everything is. */
  readonly differences: readonly string[];
}

/** Takes away every version that `install` has brought. Refused on hosts where an injection runs (`INJECTION_RUNS`). */
export function uninstall(
  connections: Connections,
  hosts: readonly InventoryHost[],
  onOutcome?: OnOutcome<UninstallResult>,
): Promise<Outcome<UninstallResult>[]> {
  return onEachHost(
    hosts,
    async (host) => {
      const connection = await connections.to(host);
      const said = await connection.run(UNINSTALL_SCRIPT, { doing: 'uninstalling' });
      const [removed = '', before = '', after = ''] = said.split(/^-- \w+\n/m);
      const folders = removed.split('\n').flatMap((line) => /^removed (.+)$/.exec(line)?.[1] ?? []);
      return { removed: folders, differences: before === '' ? [] : stateDifferences(before, after) };
    },
    onOutcome,
  );
}

/** Folders that netfold makes when it runs go with it, unless they were there before it came. */
const UNINSTALL_SCRIPT = `${STATE_FUNCTION}
for run in ${INJECTIONS_FOLDER}/*; do test -d "$run" && fail INJECTION_RUNS "\${run##*/}"; done
test -d ${INSTALL_FOLDER} || { echo "-- before"; echo "-- after"; exit 0; }
before=$(cat ${INSTALL_FOLDER}/.before 2>/dev/null)
made=
for mark in ${INSTALL_FOLDER}/*/.netfold-installed; do
  test -e "$mark" || continue
  made="$made $(cat "$mark")"
  home=\${mark%/*}
  rm -rf "$home" && echo "removed $home"
done
rm -rf ${INSTALL_FOLDER}/.new-* ${INSTALL_FOLDER}/.before
rmdir ${INSTALL_FOLDER} $made 2>/dev/null
# A machine that was started again has lost the folder of its injection, and not the names.
for name in $(sed -n 's/^# netfold \\(.*\\) begin$/\\1/p' /etc/hosts); do
  grep -q -x -F "# netfold $name end" /etc/hosts || continue
  left=$(sed "/^# netfold $name begin$/,/^# netfold $name end$/d" /etc/hosts) && printf '%s\\n' "$left" > /etc/hosts
done
for folder in /var/log/netfold /run/netfold-journal /run/netfold /var/lib/netfold; do
  test -d "$folder" || continue
  printf '%s\\n' "$before" | grep -q " $folder$" && continue
  if test "$folder" = /var/log/netfold; then rm -rf "$folder"; else rmdir "$folder"; fi 2>/dev/null
done
echo "-- before"; printf '%s\\n' "$before"
echo "-- after"; state
`;
