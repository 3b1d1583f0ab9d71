/** The topology's names in a host's hosts file: a marked block, which is taken out at the end. Pure. */
import { serviceOf } from '../../topology/model/names.ts';

const FILE = '/etc/hosts';
const begin = (experiment: string): string => `# netfold ${experiment} begin`;
const end = (experiment: string): string => `# netfold ${experiment} end`;
/** In the injection's folder: the file had no end of its last line. */
const NEWLINE_MARK = 'hosts-newline';

export interface NamedAddress {
  readonly endpoint: string;
  readonly address: string;
}

/** Lines of hosts(5): an endpoint, and its service where that has one replica. */
export function hostsLines(all: readonly NamedAddress[]): string[] {
  const replicas = new Map<string, number>();
  for (const { endpoint } of all) {
    const service = serviceOf(endpoint);
    replicas.set(service, (replicas.get(service) ?? 0) + 1);
  }
  return all.map(({ endpoint, address }) => {
    const service = serviceOf(endpoint);
    return [
      address,
      endpoint,
      ...(replicas.get(service) === 1 && service !== endpoint ? [service] : []),
    ].join(' ');
  });
}

/** Appends the block. The file is written where it is, since it may be a mount. */
export function addNames(experiment: string, folder: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  return `
test -w ${FILE} || fail HOST_READ_ONLY ${FILE}
test -z "$(tail -c 1 ${FILE})" || { echo >> ${FILE}; echo yes > ${folder}/${NEWLINE_MARK}; }
cat >> ${FILE} <<'NAMES' || fail HOST_READ_ONLY ${FILE}
${begin(experiment)}
${lines.join('\n')}
${end(experiment)}
NAMES
`;
}

/** Takes the block out, if its begin and its end are there: without an end, all to the end of the file would go. */
export function takeNames(experiment: string, folder: string): string {
  return `if grep -q -x -F '${begin(experiment)}' ${FILE} && grep -q -x -F '${end(experiment)}' ${FILE}; then
  sed '/^${begin(experiment)}$/,/^${end(experiment)}$/d' ${FILE} > ${folder}/hosts
  if test -e ${folder}/${NEWLINE_MARK}; then printf %s "$(cat ${folder}/hosts)" > ${FILE}; else cat ${folder}/hosts > ${FILE}; fi
fi
`;
}
