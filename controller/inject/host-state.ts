/** What netfold could change on a host, as text, before it comes and after it has gone. Pure. */
import { INJECTIONS_FOLDER, INSTALL_FOLDER } from './host-probe.ts';

/** Folders that netfold makes, on any platform. */
const FOLDERS = [
  INSTALL_FOLDER,
  INJECTIONS_FOLDER,
  '/run/netfold',
  '/run/netfold-journal',
  '/var/log/netfold',
  '/var/lib/netfold',
];

/**
 * A shell function `state`: prints files, tc, nftables (without counters), units of systemd and the hosts file, each under a line `== NAME`.
 */
export const STATE_FUNCTION = `
state() {
  echo "== files"
  for folder in /opt ${FOLDERS.join(' ')}; do
    test -d "$folder" || continue
    if test "$folder" = /opt; then echo /opt; else find "$folder" -exec ls -ld {} + | awk '{ print $1, $3, $4, $NF }' | sort; fi
  done
  echo "== tc"
  tc qdisc show
  for device in $(ip -o link | sed "s/^[0-9]*: \\([^:@]*\\).*/\\1/"); do
    for at in root ingress egress; do
      tc filter show dev "$device" $at 2>/dev/null | sed "s/^/$device $at /"
    done
  done
  echo "== nftables"
  nft -s list ruleset 2>/dev/null
  echo "== units"
  find /etc/systemd/system /run/systemd/system /usr/lib/systemd/system -name '*netfold*' 2>/dev/null | sort
  echo "== hosts file"
  cksum /etc/hosts 2>/dev/null
  :
}
`;

/** Names of the parts that differ, each with the first line that is new or gone. */
export function stateDifferences(before: string, after: string): string[] {
  const old = partsOf(before);
  const now = partsOf(after);
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((name) => {
    const was = old.get(name) ?? [];
    const is = now.get(name) ?? [];
    const [wasThere, isThere] = [new Set(was), new Set(is)];
    const gone = was.find((line) => !isThere.has(line));
    const come = is.find((line) => !wasThere.has(line));
    if (gone === undefined && come === undefined && was.length === is.length) return [];
    return [`${name}: ${come === undefined ? `"${gone ?? ''}" is gone` : `"${come}" is new`}`];
  });
}

function partsOf(text: string): Map<string, string[]> {
  const parts = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of text.split('\n')) {
    const name = /^== (.+)$/.exec(line)?.[1];
    if (name !== undefined) {
      lines = [];
      parts.set(name, lines);
    } else if (line.trim() !== '') lines.push(line);
  }
  return parts;
}
