/**
 * A bundle for artifact evaluation (ACM: Artifact Review and Badging 1.1; USENIX: available, functional, reproduced): the record, one
 * script that runs everything again, and what it must give.
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatRate, fromMillis, toSeconds } from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import { commandsOf } from '../by-hand.ts';
import { type RecordSummary, readRecord } from '../read.ts';
import { copyRecord } from './copy.ts';
import { EVENT_MS, type Expected, expectedOf } from './expected.ts';
import type { Licence } from './licence.ts';

const EXPECTED = 'expected.json';
const SCRIPT = 'run.sh';
const RECORD = 'record';

export interface ArtifactExtras {
  readonly licence: Licence;
  /** The report as a page. Links lead to files of the record below `record/`. */
  readonly report: string;
}

/** Makes it in the folder, which is empty. Returns its files, the record's own aside. Throws `RECORD_UNREADABLE` and system errors. */
export async function exportArtifact(record: string, to: string, extras: ArtifactExtras): Promise<string[]> {
  const summary = readRecord(record);
  const expected = expectedOf(record);
  mkdirSync(join(to, RECORD));
  await copyRecord(record, join(to, RECORD));
  const files: [string, string][] = [
    ['README.md', readme(summary, expected, extras.licence)],
    ['LICENSE', extras.licence.text ?? `${extras.licence.name}\n${addressOf(extras.licence)}`],
    [SCRIPT, script(summary)],
    [EXPECTED, `${JSON.stringify(expected, null, 2)}\n`],
    ['report.html', extras.report],
  ];
  for (const [name, text] of files) writeFileSync(join(to, name), text);
  chmodSync(join(to, SCRIPT), 0o755);
  return files.map(([name]) => name);
}

const addressOf = ({ id }: Licence): string => (id.startsWith('https:') ? `${id}\n` : '');

/** For any POSIX shell. Nothing of a topology's names is in it. */
function script({ description }: RecordSummary): string {
  return `#!/bin/sh
# Runs the experiment again, and says whether it gives what it gave. Needs root and netfold ${description.versions.netfold} (NETFOLD: its command).
# Exit codes: 0 all is as expected, 1 something is not, 3 this machine can't.
set -eu
cd "$(dirname "$0")"
netfold=\${NETFOLD:-netfold}
if ! command -v "$netfold" >/dev/null; then
  echo "run.sh: there is no $netfold; install it, or say where it is: NETFOLD=/path/to/netfold ./run.sh" >&2
  exit 3
fi
results=\${1:-results/$(date +%Y-%m-%dT%H-%M-%S)}
mkdir -p "$results"
"$netfold" doctor
"$netfold" replay ${RECORD} --record "$results/record" --name ${NAME}
"$netfold" report "$results/record" -o "$results/report.html"
"$netfold" records check "$results/record" ${EXPECTED}
`;
}

/** Of its own, so that it runs beside an experiment of the topology's name. */
const NAME = 'artifact';

function readme(summary: RecordSummary, expected: Expected, licence: Licence): string {
  const { description, lastMs, events } = summary;
  const { machine, versions, endpoints, hosts, platform } = description;
  const seconds = Math.ceil(toSeconds(fromMillis(lastMs)));
  const given = commandsOf(events).length;
  const commit = versions.commit === null ? '' : ` (${versions.commit})`;
  return `# Artifact: ${description.experiment}

A run of a network emulation by netfold, recorded on ${description.startedAt.slice(0, 10)}: ${count(endpoints, 'endpoint')} on ${count(hosts.length, 'emulated host')}
(${platform}), ${seconds} s, ${count(events.length, 'event')}, of which ${given} were given by hand.

## What is here

| file | has |
| --- | --- |
| \`${SCRIPT}\` | runs everything again and compares: the only command that is needed |
| \`${EXPECTED}\` | what it must give, with tolerances |
| \`report.html\` | the report of the recorded run: open it in a browser, no network is needed |
| \`${RECORD}/\` | the recorded run: topology, events, samples, logs, versions, machine, seeds, SHA-256 of every file |
| \`LICENSE\` | ${licence.name} |

## Getting started (5 minutes)

1. A machine with Linux 5.6 or newer and root. The run was recorded on ${machine.distribution}, Linux ${machine.kernel}, ${machine.cpu}, ${count(machine.cores, 'core')},
   ${machine.memoryGiB} GiB; fewer cores may make it less faithful, which the verdict says.
2. netfold ${versions.netfold}${commit}. \`netfold doctor\` says what the machine lacks.
3. \`netfold records verify ${RECORD}\` says whether the recorded run is as it was.

## Running it (${Math.ceil(seconds / 60) + 1} minutes)

    sudo ./${SCRIPT}

It runs the same topology with the same seeds, events and commands at the same times, writes a record and a report below \`results/\`, and
compares. It makes network namespaces and removes them; nothing else of the machine changes.

## What to expect

${expectedTable(expected)}

Rates and round trips are means over the run. A tolerance is the greater of what two runs of one machine differ by and two deviations of the
means of 5 s in the recorded run. Each event must be in force within ${EVENT_MS} ms of its instant. \`${SCRIPT}\` ends with 0 if all holds.

## For reviewers

| badge | because |
| --- | --- |
| available | put this folder into an archive that gives a DOI; \`LICENSE\` says what others may do |
| functional | documented here, complete (\`${RECORD}/\`), exercised by \`${SCRIPT}\`, verified by SHA-256 |
| reusable | \`${RECORD}/topology.yaml\` is a netfold topology: change it and run \`netfold up\`; \`netfold export ${RECORD} --parquet\` gives the data |
| reproduced | \`${SCRIPT}\` ends with 0 |
`;
}

const MOST_ROWS = 50;

function expectedTable({ results, verdict }: Expected): string {
  const rows = results.slice(0, MOST_ROWS).map(({ kind, source, destination, value, tolerance }) => {
    const text = (number: number): string =>
      kind === 'flow' ? formatRate(Number(number.toPrecision(4))) : `${number.toFixed(2)} ms`;
    const what = kind === 'flow' ? 'rate' : 'round trip';
    return `| ${what} ${source} → ${destination} | ${text(value)} | ± ${text(tolerance)} |`;
  });
  const rest =
    results.length > MOST_ROWS ? [`| and ${results.length - MOST_ROWS} more in ${EXPECTED} | | |`] : [];
  return [
    '| what | expected | tolerance |',
    '| --- | --- | --- |',
    `| verdict | ${verdict} | or better |`,
    ...rows,
    ...rest,
  ].join('\n');
}
