/**
 * What runs on hosts, for a POSIX shell. Everything of an injection on a host is in one folder there (`INJECTIONS_FOLDER`/NAME), so
 * that any machine can ask about it and end it: `home` leads to the installed version, `stop.sh` ends it. Pure.
 */
import { INJECTIONS_FOLDER } from './host-probe.ts';
import { addNames, takeNames } from './hosts-file.ts';
import { quoted } from './ssh/words.ts';

export const folderOf = (experiment: string): string => `${INJECTIONS_FOLDER}/${experiment}`;

/**
 * After so many seconds a host that nobody has told that the start is complete looks for itself: if its agent does not know all
 * endpoints by then, it takes back what was begun there. So a session that is cut off leaves all or nothing.
 */
const PATIENCE_SECONDS = 120;
/** For an agent to remove what it has made, and for a controller to see it (`PROCESSES_STAY` comes after 13 s). */
const STOP_SECONDS = 20;

export interface Prepared {
  readonly experiment: string;
  /** Drawn for each start: nobody takes back what another one has started. */
  readonly id: string;
  /** Of the installed version. */
  readonly home: string;
  /** Of the user's file, e.g. `.yaml`: formats are known by it, too. */
  readonly extension: string;
  /** Of this host, in the inventory. */
  readonly host: string;
  /** Bytes of what the input consists of: the mesh's key, a script of events, the inventory of all that take part, then the topology. */
  readonly keyBytes: number;
  readonly eventsBytes: number;
  readonly hostsBytes: number;
  /** For the host's hosts file; none: it stays as it is. */
  readonly names: readonly string[];
}

export const topologyFile = (extension: string): string => `topology${extension}`;
export const EVENTS_FILE = 'events.txt';
export const KEY_FILE = 'mesh.key';
/** Of all hosts that take part, so that each of them leads to the others. */
const HOSTS_FILE = 'hosts.yaml';
/** Which of them this one is. */
const HOST_FILE = 'host';

/** Reads key, events, inventory and topology from its input. Fails if there is an injection of this name, or netfold is not installed. */
export function prepareScript(prepared: Prepared): string {
  const { experiment, id, home, host, extension, keyBytes, eventsBytes, hostsBytes, names } = prepared;
  const dir = folderOf(experiment);
  return `
test -e ${home}/.netfold-installed || fail NOT_INSTALLED
mkdir -p ${INJECTIONS_FOLDER} || fail HOST_READ_ONLY ${INJECTIONS_FOLDER}
mkdir -m 700 ${dir} 2>/dev/null || fail INJECTION_RUNS ${experiment}
whole=; trap 'test -n "$whole" || { test -e ${dir}/stop.sh && sh ${dir}/stop.sh; rm -rf ${dir}; rmdir ${INJECTIONS_FOLDER} 2>/dev/null; }' EXIT
trap 'exit 1' HUP INT TERM
umask 077
echo ${id} > ${dir}/id
echo ${quoted(host)} > ${dir}/${HOST_FILE}
ln -s ${home} ${dir}/home
dd bs=1 count=${keyBytes} of=${dir}/${KEY_FILE} 2>/dev/null
dd bs=1 count=${eventsBytes} of=${dir}/${EVENTS_FILE} 2>/dev/null
dd bs=1 count=${hostsBytes} of=${dir}/${HOSTS_FILE} 2>/dev/null
cat > ${dir}/${topologyFile(extension)} || fail HOST_SPACE ${INJECTIONS_FOLDER}
cat > ${dir}/stop.sh <<'STOP'
${stopFile(experiment)}STOP
cat > ${dir}/watch.sh <<'WATCH' || fail HOST_SPACE ${INJECTIONS_FOLDER}
${watchFile(experiment, id)}WATCH
${addNames(experiment, dir, names)}
setsid sh ${dir}/watch.sh </dev/null >/dev/null 2>&1 &
echo $! > ${dir}/watch.pid
whole=yes
`;
}

/** A process is taken for one of this injection if its words name its folder: numbers are given to others again. */
function stopFile(experiment: string): string {
  const dir = folderOf(experiment);
  return `dir=${dir}
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export PATH
is_ours() { tr '\\000' ' ' 2>/dev/null < "/proc/$1/cmdline" | grep -q -F "$dir/"; }
pid=$(cat $dir/watch.pid 2>/dev/null) && test "$1" != by-watch && is_ours "$pid" && kill -s KILL -- "-$pid"
pid=$(cat $dir/daemon.pid 2>/dev/null) && is_ours "$pid" && kill -s TERM "$pid"
left=${STOP_SECONDS * 5}
while test -n "$pid" && is_ours "$pid" && test $left -gt 0; do sleep 0.2; left=$((left - 1)); done
test -n "$pid" && is_ours "$pid" && kill -s KILL "$pid"
if test -d /run/netfold/${experiment}; then
  said=$("$dir/home/bin/netfold" down ${experiment} 2>&1) || { test -d /run/netfold/${experiment} && echo "$said" && exit 1; }
fi
${takeNames(experiment, dir)}rm -rf "$dir"
rmdir ${INJECTIONS_FOLDER} /run/netfold /run/netfold-journal 2>/dev/null
exit 0
`;
}

function watchFile(experiment: string, id: string): string {
  const dir = folderOf(experiment);
  return `sleep ${PATIENCE_SECONDS}
test "$(cat ${dir}/id 2>/dev/null)" = ${id} || exit 0
test -e ${dir}/kept && exit 0
${dir}/home/bin/netfold status ${experiment} --json > ${dir}/status 2>/dev/null
known=$(sed -n 's/^ *"known": \\([0-9]*\\).*/\\1/p' ${dir}/status | head -n 1)
expected=$(sed -n 's/^ *"expected": \\([0-9]*\\).*/\\1/p' ${dir}/status | head -n 1)
test -n "$known" && test "$known" = "$expected" && exit 0
exec sh ${dir}/stop.sh by-watch
`;
}

/**
 * Starts netfold with these words as a process of its own session, which outlives that of SSH, and waits until its log contains
 * the text.
 */
export function startScript(experiment: string, words: readonly string[], text: string): string {
  const dir = folderOf(experiment);
  return `
cd ${dir} || fail INJECTION_UNKNOWN ${experiment}
setsid ${dir}/home/bin/netfold ${words.map(quoted).join(' ')} </dev/null >daemon.log 2>&1 &
pid=$!
echo $pid > daemon.pid
while ! grep -q -F ${quoted(text)} daemon.log; do
  if ! kill -0 $pid 2>/dev/null; then
    grep -q -F ${quoted(text)} daemon.log && break
    said=$(sed -n '/^netfold:/,$p' daemon.log | tr -s '\\n ' ' ')
    fail START_FAILED "\${said:-$(tail -n 1 daemon.log)}"
  fi
  sleep 0.1
done
`;
}

/**
 * `id`: only the injection of that start; absent: whichever has the name. Prints `absent` if there is none, else `stopped` and the folder
 * of the record that the host keeps, if it does.
 */
export function stopScript(experiment: string, id?: string): string {
  const dir = folderOf(experiment);
  const isIt = id === undefined ? `test -d ${dir}` : `test "$(cat ${dir}/id 2>/dev/null)" = ${id}`;
  return `
${isIt} || { echo absent; exit 0; }
record=$(sed -n 's/^{"folder":"\\([^"]*\\)"}$/\\1/p' /run/netfold/${experiment}/record.json 2>/dev/null)
said=$(sh ${dir}/stop.sh 2>&1) || fail HOST_CANNOT "$said"
echo "stopped $record"
`;
}

export const keepScript = (experiment: string): string => `touch ${folderOf(experiment)}/kept\n`;

/** Prints `absent`, or the JSON of `netfold status`; of an agent that has ended, what its log says at the end. */
export function statusScript(experiment: string): string {
  const dir = folderOf(experiment);
  return `
test -d ${dir} || { echo absent; exit 0; }
${dir}/home/bin/netfold status ${experiment} --json 2>/dev/null && exit 0
echo "ended $(tail -n 1 ${dir}/daemon.log 2>/dev/null)"
`;
}

export const thereScript = (experiment: string): string =>
  `test -d ${folderOf(experiment)} || fail INJECTION_UNKNOWN ${experiment}\n`;

/** Prints logs, each line with the name of its file; with `follow` until its input ends. */
export function logsScript(
  experiment: string,
  { follow, tail }: { follow: boolean; tail: number | undefined },
): string {
  const dir = folderOf(experiment);
  const options = `${tail === undefined ? '-n +1' : `-n ${tail}`}${follow ? ' -F' : ''}`;
  return `${thereScript(experiment)}
for file in ${dir}/daemon.log /run/netfold/${experiment}/logs/*.log; do
  test -e "$file" || continue
  name=\${file##*/}
  tail ${options} "$file" 2>/dev/null | sed -u "s|^|\${name%.log}: |" ${follow ? '&' : ''}
done
${follow ? 'cat >/dev/null; kill -s TERM 0' : ':'}
`;
}

/** Prints the names of the injections that are on the host, one a line. */
export const NAMES_SCRIPT = `for run in ${INJECTIONS_FOLDER}/*; do test -d "$run" && echo "\${run##*/}"; done
:
`;

/** Prints which host this one is, and the inventory of all that take part; nothing of an injection of an older version. */
export function hostsScript(experiment: string): string {
  const dir = folderOf(experiment);
  return `${thereScript(experiment)}
test -e ${dir}/${HOST_FILE} || exit 0
cat ${dir}/${HOST_FILE} ${dir}/${HOSTS_FILE}
`;
}
