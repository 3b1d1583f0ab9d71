/**
 * A record as a Workflow Run RO-Crate (https://w3id.org/ro/wfrun/workflow/0.6): the topology is the workflow, the run an action that
 * has made the files.
 */
import { statSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fromMillis, toSeconds } from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import type { Activity } from '../activities.ts';
import { commandsOf, timelineText } from '../by-hand.ts';
import { CAPTURES, DATABASE, DESCRIPTION, type Description, LOGS, OUTPUTS } from '../description.ts';
import { type RecordSummary, readRecord } from '../read.ts';
import { activityEntities } from './activity-entities.ts';
import { type CopiedFile, copyRecord } from './copy.ts';
import type { Licence } from './licence.ts';

export const METADATA = 'ro-crate-metadata.json';
const README = 'README.md';
const BY_HAND = 'by-hand.yaml';
const REPORT = 'report.html';
const SKETCH = 'topology.svg';

const CRATE = 'https://w3id.org/ro/crate/1.3';
const WORKFLOW_CRATE = 'https://w3id.org/workflowhub/workflow-ro-crate/1.1';
const PROCESS_RUN = 'https://w3id.org/ro/wfrun/process/0.6';
const WORKFLOW_RUN = 'https://w3id.org/ro/wfrun/workflow/0.6';
const FORMAL_PARAMETER = 'https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE';
const LANGUAGE = '#netfold-topology';
const NETFOLD = '#netfold';
const RUN = '#run';
const TEMPLATE = '#template';

/** What is beside the record's own files. */
export interface CrateExtras {
  readonly licence: Licence;
  /** The report as a page, and the topology drawn. */
  readonly report: string;
  readonly sketch: string | undefined;
  /** Programs that ran, with the files that are theirs. Absent: it is not known. */
  readonly activities?: readonly Activity[];
}

/** Makes it in the folder, which is empty. Returns its files. Throws `RECORD_UNREADABLE` and system errors. */
export async function exportCrate(record: string, to: string, extras: CrateExtras): Promise<string[]> {
  const summary = readRecord(record);
  const copied = await copyRecord(record, to);
  const { text } = timelineText(commandsOf(summary.events), ['What was done by hand in the run.']);
  const added: [string, string][] = [
    [README, readme(summary)],
    [BY_HAND, text],
    [REPORT, extras.report],
    ...(extras.sketch === undefined ? [] : [[SKETCH, extras.sketch] as [string, string]]),
    ...(extras.licence.text === undefined ? [] : [['LICENSE', extras.licence.text] as [string, string]]),
  ];
  for (const [name, content] of added) writeFileSync(join(to, name), content);
  const files = [...copied, ...added.map(([path]) => ({ path, sha256: undefined }))];
  const metadata = crateMetadata({
    ...{ summary, licence: extras.licence, hasSketch: extras.sketch !== undefined },
    activities: extras.activities ?? [],
    files: files.map((file) => ({ ...file, bytes: statSync(join(to, file.path)).size })),
  });
  writeFileSync(join(to, METADATA), `${JSON.stringify(metadata, null, 2)}\n`);
  return [METADATA, ...files.map(({ path }) => path)];
}

export interface CrateFile extends CopiedFile {
  readonly bytes: number;
}

export interface CrateContent {
  readonly summary: RecordSummary;
  readonly files: readonly CrateFile[];
  readonly licence: Licence;
  readonly hasSketch: boolean;
  readonly activities: readonly Activity[];
}

type Entity = { readonly '@id': string; readonly '@type': string | readonly string[] } & Readonly<
  Record<string, unknown>
>;

/** What `ro-crate-metadata.json` says. Pure. */
function crateMetadata({ summary, files, licence, hasSketch, activities }: CrateContent): {
  readonly '@context': readonly string[];
  readonly '@graph': readonly Entity[];
} {
  const { description } = summary;
  const { experiment, startedAt, endedAt } = description;
  const template = description.origin?.template;
  const workflow = description.topology.texts[0]!;
  const fileEntities = files
    .filter(({ path }) => path !== workflow)
    .map((file): Entity => ({ ...fileEntity(file), ...roleOf(file.path, experiment) }));
  const values = parametersOf(summary);
  const images = imagesOf(description);
  const { actions, programs } = activityEntities(activities, { beganAt: description.beganAt, idOf });
  return {
    '@context': [`${CRATE}/context`, 'https://w3id.org/ro/terms/workflow-run/context'],
    '@graph': [
      {
        ...{ '@id': METADATA, '@type': 'CreativeWork', about: ref('./') },
        conformsTo: ref(CRATE),
      },
      {
        ...{ '@id': './', '@type': 'Dataset', name: description.id },
        description: sentenceOf(summary),
        datePublished: endedAt ?? startedAt,
        license: ref(licence.id),
        conformsTo: [ref(PROCESS_RUN), ref(WORKFLOW_RUN), ref(WORKFLOW_CRATE)],
        hasPart: files.map(({ path }) => ref(idOf(path))),
        mainEntity: ref(workflow),
        mentions: [RUN, ...actions.map((action) => action['@id'])].map(ref),
      },
      work(PROCESS_RUN, 'Process Run Crate', '0.6'),
      work(WORKFLOW_RUN, 'Workflow Run Crate', '0.6'),
      work(WORKFLOW_CRATE, 'Workflow RO-Crate', '1.1'),
      ...(files.some(({ path }) => path === licence.id)
        ? []
        : [{ '@id': licence.id, '@type': 'CreativeWork', name: licence.name }]),
      {
        ...fileEntity(files.find(({ path }) => path === workflow) ?? emptyFile(workflow)),
        '@type': ['File', 'SoftwareSourceCode', 'ComputationalWorkflow'],
        name: `the topology ${experiment}`,
        programmingLanguage: ref(LANGUAGE),
        ...(template && { isBasedOn: ref(TEMPLATE) }),
        input: values.map(({ name }) => ref(parameterId(name))),
        output: [ref(parameterId('samples'))],
        ...(hasSketch && { image: ref(SKETCH) }),
      } as Entity,
      {
        ...{ '@id': LANGUAGE, '@type': 'ComputerLanguage', name: 'netfold topology file' },
        version: description.versions.netfold,
      },
      {
        ...{ '@id': NETFOLD, '@type': 'SoftwareApplication', name: 'netfold' },
        softwareVersion: description.versions.netfold,
        version: description.versions.commit ?? description.versions.netfold,
        operatingSystem: `${description.machine.distribution}, Linux ${description.machine.kernel}`,
        processorRequirements: `${description.machine.cpu}, ${count(description.machine.cores, 'core')}`,
      },
      {
        ...{ '@id': RUN, '@type': 'CreateAction', name: `the run ${description.id}` },
        instrument: ref(workflow),
        startTime: startedAt,
        ...(endedAt !== null && { endTime: endedAt }),
        actionStatus: ref(
          description.state === 'complete'
            ? 'http://schema.org/CompletedActionStatus'
            : 'http://schema.org/ActiveActionStatus',
        ),
        agent: ref(NETFOLD),
        object: [ref(BY_HAND), ...values.map(({ name }) => ref(valueId(name)))],
        result: files.filter(({ path }) => isResult(path)).map(({ path }) => ref(idOf(path))),
        ...(images.length > 0 && { containerImage: images.map((image) => ref(image['@id'])) }),
      },
      ...values.flatMap(({ name, value, type, text }): Entity[] => [
        {
          ...{ '@id': parameterId(name), '@type': 'FormalParameter', name, description: text },
          ...{ additionalType: type, valueRequired: false, conformsTo: ref(FORMAL_PARAMETER) },
          workExample: ref(valueId(name)),
        },
        {
          ...{ '@id': valueId(name), '@type': 'PropertyValue', name, value: String(value) },
          exampleOfWork: ref(parameterId(name)),
        },
      ]),
      {
        ...{ '@id': parameterId('samples'), '@type': 'FormalParameter', name: 'samples' },
        ...{ additionalType: 'File', encodingFormat: SQLITE, conformsTo: ref(FORMAL_PARAMETER) },
        description: 'rates, shares, round trips, events, epochs, the verdict and costs over time',
        workExample: ref(DATABASE),
      },
      ...(template
        ? [
            {
              '@id': TEMPLATE,
              '@type': 'CreativeWork',
              name: `the template ${template.name}`,
              version: template.version,
            } as Entity,
          ]
        : []),
      ...[...images, ...actions, ...programs],
      ...fileEntities,
    ],
  };
}

const ref = (id: string): { readonly '@id': string } => ({ '@id': id });
const parameterId = (name: string): string => `#parameter-${name}`;
const valueId = (name: string): string => `#value-${name}`;
const work = (id: string, name: string, version: string): Entity => ({
  ...{ '@id': id, '@type': 'CreativeWork', name, version },
});
const emptyFile = (path: string): CrateFile => ({ path, sha256: undefined, bytes: 0 });

/** A path as a relative address. */
const idOf = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

const isResult = (path: string): boolean =>
  path === DATABASE ||
  path === DESCRIPTION ||
  path.endsWith('.ndjson') ||
  path.startsWith(`${LOGS}/`) ||
  path.startsWith(`${OUTPUTS}/`) ||
  path.startsWith(`${CAPTURES}/`);

const SQLITE = 'application/vnd.sqlite3';
const FORMATS: Readonly<Record<string, string>> = {
  '.sqlite': SQLITE,
  '.ndjson': 'application/x-ndjson',
  '.json': 'application/json',
  '.yaml': 'application/yaml',
  '.html': 'text/html',
  '.svg': 'image/svg+xml',
  '.md': 'text/markdown',
  '.log': 'text/plain',
};

function fileEntity({ path, bytes, sha256 }: CrateFile): Entity {
  const encodingFormat = FORMATS[extname(path)];
  return {
    ...{ '@id': idOf(path), '@type': 'File', name: path, contentSize: String(bytes) },
    ...(encodingFormat !== undefined && { encodingFormat }),
    ...(sha256 !== undefined && { sha256 }),
  };
}

function roleOf(path: string, experiment: string): Readonly<Record<string, unknown>> {
  if (path === DATABASE) return { exampleOfWork: ref(parameterId('samples')) };
  if (path === README) return { about: ref('./') };
  if (path === REPORT) return { about: ref(RUN), description: `report of the run of ${experiment}` };
  if (path === SKETCH) return { '@type': ['File', 'ImageObject'] };
  return {};
}

interface Parameter {
  readonly name: string;
  readonly value: string | number;
  /** A type of https://schema.org. */
  readonly type: string;
  readonly text: string;
}

function parametersOf({ description, lastMs }: RecordSummary): Parameter[] {
  const { hosts, platform, delayBackend, seeds, origin } = description;
  return [
    ...Object.entries(origin?.parameters ?? {}).map(([name, value]) => ({
      ...{ name: `set-${name}`, value, type: 'Text' },
      text: `the variable ${name} of the topology`,
    })),
    {
      name: 'duration',
      value: toSeconds(fromMillis(lastMs)),
      type: 'Float',
      text: 'how long the run took, in seconds',
    },
    { name: 'hosts', value: hosts.length, type: 'Integer', text: 'over how many hosts' },
    { name: 'platform', value: platform, type: 'Text', text: 'where the endpoints were' },
    { name: 'delay-backend', value: delayBackend, type: 'Text', text: 'what delayed packets' },
    {
      name: 'seeds',
      value: JSON.stringify(seeds),
      type: 'Text',
      text: 'seeds of the random numbers of each host',
    },
  ];
}

function imagesOf({ images = {} }: Description): Entity[] {
  const byId = new Map(Object.values(images).map((image) => [image.id, image]));
  return [...byId.values()].map(
    ({ name, id, digests }, index): Entity => ({
      ...{ '@id': `#image-${index}`, '@type': 'ContainerImage', ...partsOf(name) },
      additionalType: ref('https://w3id.org/ro/terms/workflow-run#DockerImage'),
      sha256: (digests[0] ?? id).replace(/^.*sha256:/, ''),
    }),
  );
}

/** As Docker reads names: the first part is a host if it looks like one, and a tag has no slash. */
function partsOf(image: string): { readonly registry: string; readonly name: string; readonly tag?: string } {
  const [first, ...rest] = image.replace(/@.*$/, '').split('/');
  const hasRegistry = rest.length > 0 && /[.:]|^localhost$/.test(first!);
  const path = (hasRegistry ? rest : [first, ...rest]).join('/');
  const [, name, tag] = /^(.*?)(?::([^:/]*))?$/.exec(path)!;
  return { registry: hasRegistry ? first! : 'docker.io', name: name!, ...(tag && { tag }) };
}

function sentenceOf({ description, lastMs, samples }: RecordSummary): string {
  const { experiment, endpoints, hosts } = description;
  const seconds = toSeconds(fromMillis(lastMs)).toFixed(0);
  return `A run of the network emulation ${experiment}: ${count(endpoints, 'endpoint')} on ${count(hosts.length, 'host')}, ${seconds} s, ${count(samples, 'sample')}.`;
}

function readme(summary: RecordSummary): string {
  const { description } = summary;
  return `# ${description.id}

${sentenceOf(summary)}

| file | has |
| --- | --- |
| ${description.topology.texts[0]} | the topology, with its events |
| ${BY_HAND} | what was done by hand |
| ${REPORT} | the report: open it in a browser |
| ${DATABASE} | samples, events, epochs and the verdict, as tables of SQLite |
| ${DESCRIPTION} | what was run on what, and the SHA-256 of each file of the record |
| ${METADATA} | the same as a Workflow Run RO-Crate |

\`netfold replay FOLDER\` runs it again, \`netfold report FOLDER\` makes the report anew, and \`netfold records verify FOLDER\` compares the files
with their hashes (it names those that were added here).
`;
}
