/** `netfold template`: versions of a topology with its files and parameters. */
import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { formatMemory } from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import { isName, NAME_REMEDY } from '../../../topology/model/names.ts';
import { readTopology } from '../../../topology/read.ts';
import { DEFINITION, type Definition, readDefinition } from '../../workbench/templates/definition.ts';
import { TemplateError } from '../../workbench/templates/errors.ts';
import { parseTemplateReference, settings, withTemplates } from '../../workbench/templates/folders.ts';
import { differences } from '../../workbench/templates/manifest.ts';
import { differenceLines, parameterLines, treeLines, versionLine } from '../../workbench/templates/report.ts';
import { short, type TemplateStore, type Version } from '../../workbench/templates/store.ts';
import { extrasOf, readText } from '../options/files.ts';
import { print, printJson, step, table } from '../terminal/output.ts';
import { writeOutput } from '../terminal/write-output.ts';

const HELP = `
  netfold template init study lab.yaml       writes template.yaml here
  netfold template commit -m "first"         this folder is a version
  netfold up study                           run the last one; study@first-results: the one with this tag

docs/templates.md says what a version has, and how histories branch.`;

export function addTemplateCommand(program: Command): void {
  const template = program
    .command('template')
    .description('versions of a topology with its files and parameters')
    .addHelpText('after', HELP);
  addWriting(template);
  addReading(template);
  addMarking(template);
  for (const command of template.commands) command.exitOverride();
}

function addWriting(template: Command): void {
  template
    .command('init <name> <topology>')
    .description('make a template of this folder: writes template.yaml')
    .option('--folder <folder>', 'another folder', '.')
    .action((name: string, topology: string, { folder }: { folder: string }) => {
      if (!isName(name))
        throw new TemplateError(
          'TEMPLATE_USAGE',
          `"${name.slice(0, 60)}" is no name of a template`,
          NAME_REMEDY,
        );
      const file = join(folder, DEFINITION);
      if (existsSync(file))
        throw new TemplateError(
          'TEMPLATE_EXISTS',
          `there is a ${file} already`,
          'commit it: netfold template commit',
        );
      if (!existsSync(join(folder, topology)))
        throw new TemplateError(
          'TEMPLATE_FILE',
          `there is no ${join(folder, topology)}`,
          'name the topology file, as seen from the folder',
        );
      withTemplates((store) => store.init(name));
      writeOutput(
        `template: ${name}\ntopology: ${JSON.stringify(topology)}\nfiles: [.]\nparameters: {}\n`,
        file,
      );
    });
  template
    .command('commit [folder]')
    .description('keep the files of a folder as a version')
    .option('-m, --message <text>', 'what is new', '')
    .option(
      '--parent <version>',
      'the version that it was made from (default: the one that the folder comes from)',
    )
    .option('--json', 'print JSON')
    .action((folder: string | undefined, options: { message: string; parent?: string; json?: boolean }) =>
      commit(folder ?? '.', options),
    );
  template
    .command('checkout <version> <folder>')
    .description('write the files of NAME[@VERSION] into a new folder')
    .action((text: string, folder: string) => {
      withTemplates((store) => store.checkout(named(store, text), folder));
      step(`${folder} has the files of ${text}`);
    });
}

function definitionOf(folder: string): Definition {
  const file = join(folder, DEFINITION);
  if (!lstatSync(file, { throwIfNoEntry: false }))
    throw new TemplateError(
      'TEMPLATE_USAGE',
      `there is no ${file}`,
      'make one: netfold template init NAME TOPOLOGY',
    );
  return readDefinition(readText(file, 'the definition of a template'), file);
}

async function commit(
  folder: string,
  { message, parent, json }: { message: string; parent?: string; json?: boolean },
): Promise<void> {
  const definition = definitionOf(folder);
  const file = join(folder, definition.topology);
  // What can't run is no version.
  const set = settings(definition.parameters);
  await readTopology(readText(file, 'a topology file'), file, undefined, undefined, extrasOf(file, { set }));
  const { version, files, read } = withTemplates((store) =>
    store.commit(folder, definition, message, parent),
  );
  if (json) printJson({ id: version.id, template: version.template, parent: version.parent, files, read });
  else
    print(
      `${version.template}@${short(version.id)}: ${count(files, 'file')}, of which ${read} changed or new`,
    );
}

/** `NAME@VERSION`, or the last one of NAME. */
function named(store: TemplateStore, text: string): Version {
  const { name, version } = parseTemplateReference(text);
  return store.find(name, version);
}

function addReading(template: Command): void {
  template
    .command('ls')
    .description('list templates')
    .option('--json', 'print JSON')
    .action(({ json }: { json?: boolean }) => {
      const all = withTemplates((store) => store.templates());
      const rows = all.map(({ name, versions }) => {
        const shown = versions.filter(({ state }) => state === 'shown');
        return { name, versions: shown.length, last: shown.at(-1) };
      });
      if (json)
        printJson(rows.map(({ name, versions, last }) => ({ name, versions, last: last?.id ?? null })));
      else
        print(
          table(
            ['template', 'versions', 'last'],
            rows.map(({ name, versions, last }) => [name, String(versions), last ? versionLine(last) : '']),
            [1],
          ),
        );
    });
  template
    .command('show <version>')
    .description('files, parameters, tags and notes of NAME[@VERSION]')
    .option('--json', 'print JSON')
    .action((text: string, { json }: { json?: boolean }) =>
      withTemplates((store) => show(store, text, json ?? false)),
    );
  template
    .command('tree <name>')
    .description('the history of a template')
    .option('--all', 'hidden and deleted versions, too')
    .option('--json', 'print JSON')
    .action((name: string, { all, json }: { all?: boolean; json?: boolean }) => {
      const versions = withTemplates((store) => store.versions(name));
      const isShown = ({ state }: Version): boolean => all === true || state === 'shown';
      if (json)
        printJson(
          versions.filter(isShown).map(({ id, parent, createdAt, message, tags, state }) => ({
            id,
            parent,
            createdAt,
            message,
            tags,
            state,
          })),
        );
      else print(treeLines(versions, isShown).join('\n'));
    });
  template
    .command('diff <version> <other>')
    .description('which files and parameters differ between two versions of templates')
    .option('--json', 'print JSON')
    .action((one: string, other: string, { json }: { json?: boolean }) => {
      const found = withTemplates((store) =>
        differences(store.manifest(named(store, one)), store.manifest(named(store, other))),
      );
      if (json) printJson(found);
      else print(differenceLines(found).join('\n'));
    });
}

function show(store: TemplateStore, text: string, json: boolean): void {
  const version = named(store, text);
  const { files, parameters, topology, git } = store.manifest(version);
  const notes = store.notes(version);
  if (json) {
    printJson({ ...version, topology, files, parameters, git: git ?? null, notes });
    return;
  }
  print(
    [
      `${version.template}@${version.id}`,
      versionLine(version),
      ...(git ? [`git: ${git.commit}${git.isChanged ? ', with changes' : ''}`] : []),
      `topology: ${topology}`,
      ...(Object.keys(parameters).length > 0
        ? ['parameters:', ...parameterLines(parameters).map((line) => `  ${line}`)]
        : []),
      'files:',
      ...files.map(
        ({ path, link, size }) =>
          `  ${path}${link === undefined ? `  ${formatMemory(size ?? 0)}` : ` -> ${link}`}`,
      ),
      ...notes.map(({ at, text: note }) => `note of ${at.slice(0, 16).replace('T', ' ')}: ${note}`),
    ].join('\n'),
  );
}

function addMarking(template: Command): void {
  template
    .command('tag <version> <tag>')
    .description('give NAME@VERSION a name of its own; a tag that exists moves')
    .action((text: string, tag: string) => {
      if (!isName(tag) || /^[0-9a-f]{4,}$/.test(tag))
        throw new TemplateError(
          'TEMPLATE_USAGE',
          `"${tag.slice(0, 60)}" is no tag`,
          `${NAME_REMEDY}, and not like an id`,
        );
      withTemplates((store) => store.tag(named(store, text), tag));
    });
  template
    .command('note <version> <text>')
    .description('add a note to NAME@VERSION')
    .action((text: string, note: string) => withTemplates((store) => store.note(named(store, text), note)));
  for (const [name, state, what] of [
    ['hide', 'hidden', 'leave NAME@VERSION out of lists; it can be used all the same'],
    ['delete', 'deleted', 'leave NAME@VERSION, or all of NAME, out of lists, and refuse to use it'],
  ] as const)
    template
      .command(`${name} <version>`)
      .description(what)
      .option('--undo', 'show it again')
      .action((text: string, { undo }: { undo?: boolean }) =>
        withTemplates((store) => store.setState(chosen(store, text), undo ? 'shown' : state)),
      );
  template
    .command('expunge <version>')
    .description('remove NAME@VERSION, or all of NAME, for good, with all files that nothing else has')
    .option('--force', 'also if other versions were made from it')
    .action((text: string, { force }: { force?: boolean }) =>
      withTemplates((store) => expunge(store, text, force ?? false)),
    );
}

/** One version, or all of a template if none is named. */
function chosen(store: TemplateStore, text: string): readonly Version[] {
  const { name, version } = parseTemplateReference(text);
  return version === undefined ? store.versions(name) : [store.find(name, version)];
}

function expunge(store: TemplateStore, text: string, isForced: boolean): void {
  const versions = chosen(store, text);
  const ids = new Set(versions.map(({ id }) => id));
  const dependents = versions.flatMap((version) => [
    ...store
      .children(version)
      .filter(({ id }) => !ids.has(id))
      .map(({ id }) => `${short(id)} was made from ${short(version.id)}`),
    ...version.tags.map((tag) => `${short(version.id)} has the tag ${tag}`),
  ]);
  if (dependents.length > 0 && !isForced)
    throw new TemplateError(
      'TEMPLATE_DEPENDENTS',
      `something depends on it: ${dependents.join('; ')}`,
      'expunge it all the same with --force, or hide it: netfold template delete',
    );
  const freed = store.expunge(parseTemplateReference(text).name, versions);
  print(`${count(versions.length, 'version')} removed, ${formatMemory(freed)} freed`);
}
