/** zod's issues as netfold's diagnostics: the position, the field, the value and the remedy. */
import type { z } from 'zod';
import { FILE_PROPERTIES } from '../../../proto/impairment.ts';
import { MOST_LANES } from '../../../proto/lanes.ts';
import { type DiagnosticCode, type Findings, quote } from '../../model/diagnostics.ts';
import { MAX_ENDPOINTS } from '../../model/limits.ts';
import { MAX_WEIGHT, RELATIONSHIPS, RESTARTS } from '../../model/model.ts';
import { NAME_REMEDY, nameProblem, suggest } from '../../model/names.ts';
import { UNITLESS } from './quantity.ts';
import { KNOWN_KEYS } from './schema.ts';
import type { NativeDocument, Path } from './yaml/placed.ts';

type Issue = z.core.$ZodIssue;

/** Enough to find the cause; the time for the position of each grows with the file. */
const MAX_ISSUES = 200;

export function reportIssues(issues: readonly Issue[], document: NativeDocument, findings: Findings): void {
  // Of a default, each entry that has it says the same.
  const seen = new Set<string>();
  for (const issue of issues) {
    const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
    const { line, column, file = '' } = document.at(path);
    const key = `${file}:${line}:${column} ${path.at(-1)} ${issue.code} ${issue.message}`;
    if (seen.has(key)) continue;
    seen.add(key);
    reportIssue(issue, [], document, findings);
    if (seen.size === MAX_ISSUES) return;
  }
}

function reportIssue(issue: Issue, prefix: Path, document: NativeDocument, findings: Findings): void {
  const path = [...prefix, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
  switch (issue.code) {
    case 'unrecognized_keys':
      for (const key of issue.keys.slice(0, MAX_ISSUES)) reportUnknownKey(key, path, document, findings);
      return;
    case 'invalid_key': {
      const name = String(path.at(-1) ?? '');
      const place = document.atKey(path.slice(0, -1), name);
      findings.error(
        'NAME_INVALID',
        place,
        document.field(path.slice(0, -1)),
        nameMessage(name),
        NAME_REMEDY,
      );
      return;
    }
    case 'invalid_union': {
      const inside = issue.errors.find(
        (errors) =>
          errors.length > 0 && errors.every((one) => one.path.length > 0 || one.code === 'unrecognized_keys'),
      );
      // A direction is a rate, whose mistakes say more than that it is none, or a mapping; likewise a queue, and rules.
      const isText = isDirection(path) || path.at(-1) === 'queue' || path.at(-1) === 'rules';
      const read = issue.errors.find((errors) => errors.length > 0 && errors.every(isOfReader));
      const branch = inside ?? (isText ? (read ?? issue.errors[0]) : undefined);
      if (branch)
        for (const inner of branch.slice(0, MAX_ISSUES)) reportIssue(inner, path, document, findings);
      else {
        const message = `${quote(document.source(path) ?? '')} is not what belongs here`;
        report('VALUE_INVALID', path, document, findings, message, expectation(path));
      }
      return;
    }
    default:
      reportValue(issue, path, document, findings);
  }
}

/** Who says more than that it is something else. */
const isOfReader = ({ code }: Issue): boolean => code === 'custom';

function reportUnknownKey(key: string, path: Path, document: NativeDocument, findings: Findings): void {
  const known = KNOWN_KEYS[kindOf(path)] ?? [];
  const field = document.field([...path, key]);
  const remedy = suggest(key, known, `known keys: ${known.join(', ')}`);
  findings.error(
    'KEY_UNKNOWN',
    document.atKey(path, key),
    field,
    `there is no key ${quote(key)} here`,
    remedy,
  );
}

function reportValue(issue: Issue, path: Path, document: NativeDocument, findings: Findings): void {
  const value = document.source(path);
  if (value === undefined) {
    const key = String(path.at(-1) ?? '');
    findings.error(
      'KEY_MISSING',
      document.at(path),
      document.field(path),
      `${quote(key)} is missing`,
      expectation(path),
    );
    return;
  }
  if (issue.message === UNITLESS) {
    report(
      'UNIT',
      path,
      document,
      findings,
      `${quote(value)} has no unit`,
      `write the unit, e.g. ${exampleOf(path)}`,
    );
  } else if (issue.code === 'custom' && issue.params?.diagnostic === 'UNIT') {
    const { remedy = '', at } = issue.params;
    const place = typeof at === 'number' ? document.inside(path, at) : document.at(path);
    findings.error('UNIT', place, document.field(path), issue.message, String(remedy));
  } else if (issue.code === 'invalid_format' && issue.path.length > 0 && isNameField(path)) {
    report('NAME_INVALID', path, document, findings, nameMessage(value), NAME_REMEDY);
  } else {
    report(
      'VALUE_INVALID',
      path,
      document,
      findings,
      `${value === '' ? 'nothing' : quote(value)} ${problemOf(issue)}`,
      expectation(path),
    );
  }
}

function problemOf(issue: Issue): string {
  if (issue.code === 'too_small') return `is less than ${issue.minimum}`;
  if (issue.code === 'too_big') return `is more than ${issue.maximum}`;
  if (issue.code === 'invalid_value') return `is none of ${issue.values.join(', ')}`;
  if (issue.code === 'invalid_type') return `is not ${ARTICLE[issue.expected] ?? issue.expected}`;
  return issue.message;
}

const ARTICLE: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  object: 'a mapping of settings',
  record: 'a mapping',
  array: 'a list',
  boolean: 'true or false',
};

function report(
  code: DiagnosticCode,
  path: Path,
  document: NativeDocument,
  findings: Findings,
  message: string,
  remedy: string,
): void {
  findings.error(code, document.at(path), document.field(path), message, remedy);
}

function nameMessage(name: string): string {
  return `the name ${quote(name)} ${nameProblem(name) ?? 'is not a name'}`;
}

function isNameField(path: Path): boolean {
  return path.includes('tags') || path[0] === 'bridges' || path[0] === 'name';
}

const isDirection = (path: Path): boolean =>
  path.length === 3 && path[0] === 'links' && (path[2] === 'up' || path[2] === 'down');

/** `services.*`, `links.*`: the place in the schema to which a path leads. */
function kindOf(path: Path): string {
  const inside = `${path[0]}.*.${path[2]}`;
  if (path.length === 3 && Object.hasOwn(KNOWN_KEYS, inside)) return inside;
  return path.length >= 2 ? `${path[0]}.*` : '';
}

/** Key of a link's property → what may be written there. */
const EXAMPLES: ReadonlyMap<string, string> = new Map(
  FILE_PROPERTIES.flatMap(({ file: { key, example, directions } }) => {
    const keys = [key, ...Object.keys(directions ?? {})];
    return example === undefined ? [] : keys.map((one) => [one, example] as const);
  }),
);
const CHOICES: ReadonlyMap<string, readonly string[]> = new Map(
  FILE_PROPERTIES.flatMap(({ file }) => (file.kind === 'choice' ? [[file.key, file.choices] as const] : [])),
);

const TRAFFIC_EXAMPLES: ReadonlyMap<string, string> = new Map([
  ['rate', '2Mbps'],
  ['size', '1000B'],
  ['start', '5s'],
  ['stop', '20s'],
]);

function exampleOf(path: Path): string {
  const key = String(path.at(-1));
  return EXAMPLES.get(key) ?? TRAFFIC_EXAMPLES.get(key) ?? '10ms';
}

const EXPECTED: Readonly<Record<string, string>> = {
  services: 'write e.g. services: { client: {}, server: { replicas: 3 } }',
  'services.*': 'a service without settings is written name: {}',
  bridges: 'write a list of names, e.g. bridges: [s1, s2]',
  'bridges.*': 'write names in a list, or a mapping such as s1: { tags: [core] }',
  links: 'write a list, e.g. - { from: client, to: s1, latency: 5ms }',
  'links.*': 'write e.g. { from: client, to: s1, latency: 5ms, bandwidth: 100Mbps }',
  events: 'write a list of lines, e.g. - at 30s crash server.0',
  expect: 'write a list of lines, e.g. - rtt client server < 50ms',
  'expect.*': 'write a line, e.g. rtt client server < 50ms; quote it if it contains ": "',
  'events.*': 'write a line, e.g. at 30s crash server.0; quote it if it contains ": "',
  traffic: 'write a list, e.g. - { from: client, to: server, rate: 2Mbps }',
  'traffic.*': 'write e.g. { from: client, to: server, rate: 2Mbps, stop: 20s }',
  routing: 'write latency, hops, weight or valley-free',
  ecmp: `write how many paths of equal cost a pair may have, from 2 to ${MOST_LANES}`,
  routes: 'write a list, e.g. - client > s1 > server, or with <> for both directions',
  'routes.*': 'write e.g. client > s1 > server, or with <> for both directions',
  transmission: 'write every link, bottleneck or none',
  name: 'write a short name',
};

const SERVICE_TEXTS: ReadonlyMap<string, string> = new Map([
  ['run', 'run: "iperf3 -s"'],
  ['env', 'env: { PORT: "8080" }'],
  ['cwd', 'cwd: /srv/www'],
  ['processes', 'processes: 4096'],
  ['descriptors', 'descriptors: 16384'],
  ['user', 'user: www-data'],
  ['cap_add', 'cap_add: [NET_ADMIN]'],
  ['cap_drop', 'cap_drop: [NET_RAW]'],
  ['image', 'image: "nginx:1"'],
  ['command', 'command: ["-p", "80"]'],
  ['args', 'args: ["-v"]'],
  ['entrypoint', 'entrypoint: [/bin/server]'],
  ['environment', 'environment: { PORT: 8080 } or environment: ["PORT=8080"]'],
  ['working_dir', 'working_dir: /srv'],
  ['volumes', 'volumes: ["./data:/data:ro"]'],
  ['ports', 'ports: ["8080:80"]'],
  ['resources', 'resources: { cpu: 0.5, memory: 256m }'],
  ['cpu', 'cpu: 0.5'],
  ['memory', 'memory: 256m'],
  ['healthcheck', 'healthcheck: { test: "nc -z localhost 80", interval: 5s }'],
  ['test', 'test: "nc -z localhost 80" or test: [CMD, nc, -z, localhost, "80"]'],
  ['interval', 'interval: 5s'],
  ['start_period', 'start_period: 10s'],
  ['retries', 'retries: 3'],
  ['disable', 'disable: true'],
  ['tags', 'tags: [edge]'],
]);

const LIFE_TEXTS: Readonly<Record<string, string>> = {
  ready: 'write e.g. ready: { port: 6379 }, { log: "listening" } or { command: "redis-cli ping" }',
  port: 'write a TCP port, a whole number from 1 to 65535',
  log: 'write a text that a line of the log has, e.g. log: "listening"',
  command: 'write a shell command, e.g. command: "redis-cli ping"',
  timeout: 'write a time, e.g. timeout: 30s',
  after: 'name services, e.g. after: db or after: [db, cache]',
};

function expectation(path: Path): string {
  if (path[2] === 'healthcheck' && path.at(-1) === 'timeout') return 'write e.g. timeout: 2s';
  if (path[0] === 'services' && path[2] === 'env' && path.length > 3)
    return `a variable is a text: write it in quotes, e.g. ${path[3]}: "8080"`;
  const leaf = EXAMPLES.get(String(path.at(typeof path.at(-1) === 'number' ? -2 : -1)));
  if (leaf !== undefined && path.length > 2) return `write e.g. ${leaf}`;
  const field = String(path.findLast((step) => typeof step === 'string'));
  if (field === 'replicas') return `write a whole number from 1 to ${MAX_ENDPOINTS}`;
  if (field === 'forward' || field === 'share' || field === 'oneway') return 'write true or false';
  if (field === 'restart' && path.length === 3)
    return `write ${RESTARTS.slice(0, -1).join(', ')} or ${RESTARTS.at(-1)}`;
  if (path[2] === 'ready' || path[2] === 'after') return LIFE_TEXTS[field] ?? LIFE_TEXTS[path[2]]!;
  const choices = CHOICES.get(field);
  if (choices) return `write ${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
  if (path[0] === 'links' && path[2] === 'weight')
    return `write a whole number from 1 to ${MAX_WEIGHT}, or { up: 1, down: 10 }`;
  if (path[0] === 'links' && path[2] === 'relationship')
    return `write what "to" is for "from": ${RELATIONSHIPS.slice(0, -1).join(', ')} or ${RELATIONSHIPS.at(-1)}`;
  if (field === 'from' || field === 'to') return 'name a service, a replica or a bridge';
  if (SERVICE_TEXTS.has(field)) return `write e.g. ${SERVICE_TEXTS.get(field)}, or leave the key out`;
  const general = path.length >= 2 ? `${path[0]}.*` : String(path[0] ?? '');
  return EXPECTED[general] ?? 'see examples/quickstart.yaml for the format';
}
