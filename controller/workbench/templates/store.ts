/** Templates of a user: what is committed, found again, described, and removed. docs/templates.md has it for users. */
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { millisToNanos } from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import { suggest } from '../../../topology/model/names.ts';
import {
  type CachedFile,
  type Note,
  TemplateDatabase,
  type VersionRow,
  type VersionState,
} from './database.ts';
import type { Definition } from './definition.ts';
import { TemplateError } from './errors.ts';
import { type FoundFile, findFiles } from './folder.ts';
import { readGit } from './git.ts';
import { type Manifest, type ManifestFile, manifestText, readManifest } from './manifest.ts';
import { Objects } from './objects.ts';

/** What may have been written within the clock's step after it was looked at is read again. */
const SETTLED_NS = 50_000_000;

export interface Version extends VersionRow {
  readonly tags: readonly string[];
}

export interface Committed {
  readonly version: Version;
  readonly files: number;
  /** Of them, how many were read: the others were the same as before. */
  readonly read: number;
}

export class TemplateStore {
  readonly #objects: Objects;
  readonly #database: TemplateDatabase;
  readonly #now: () => Date;

  constructor(root: string, now: () => Date = () => new Date()) {
    this.#database = new TemplateDatabase(root);
    this.#objects = new Objects(join(root, 'objects'));
    this.#now = now;
  }

  close(): void {
    this.#database.close();
  }

  init(name: string): void {
    this.#database.write(() => {
      if (this.#database.templates().some((one) => one.name === name))
        throw new TemplateError(
          'TEMPLATE_EXISTS',
          `there is a template ${name} already`,
          'choose another name, or commit to this one',
        );
      this.#database.addTemplate(name, this.#now().toISOString());
    });
  }

  /** `parent`: of the new version; absent: the one that the folder comes from. */
  commit(folder: string, definition: Definition, message: string, parent?: string): Committed {
    const name = definition.template;
    this.#requireTemplate(name);
    const home = realpathSync(resolve(folder));
    const found = findFiles(home, [...definition.files, 'template.yaml']);
    const { files, cached, read } = this.#read(home, found);
    if (!files.some(({ path }) => path === definition.topology))
      throw new TemplateError(
        'TEMPLATE_FILE',
        `the topology ${definition.topology} is not among the files of the template`,
        'correct `topology` or `files` in template.yaml',
      );
    const git = readGit(home);
    return this.#database.write(() => {
      // Another command may have removed meanwhile what no version had yet.
      for (const { path, hash } of files)
        if (hash !== undefined && !this.#objects.has(hash))
          this.#objects.add(join(home, path), found.find((one) => one.path === path)!.stats);
      const before = parent === undefined ? this.#baseOf(home, name) : this.find(name, parent).id;
      const manifest: Manifest = {
        topology: definition.topology,
        parameters: definition.parameters,
        files,
        ...(git && { git }),
      };
      const hash = this.#objects.addText(manifestText(manifest));
      this.#database.setCached(home, cached);
      const last = before === '' ? undefined : this.#database.versions(name).find(({ id }) => id === before);
      if (last && last.manifest === hash)
        throw new TemplateError(
          'TEMPLATE_UNCHANGED',
          `nothing has changed since ${short(last.id)}`,
          'change something first; netfold template note adds to its description',
        );
      const createdAt = this.#now().toISOString();
      const row = { template: name, parent: before, createdAt, message, manifest: hash };
      const id = createHash('sha256').update(JSON.stringify(row)).digest('hex');
      this.#database.addVersion({ id, ...row });
      this.#database.setBase(home, name, id);
      return { version: { id, ...row, state: 'shown', tags: [] }, files: files.length, read };
    });
  }

  /** The content of each file, of those that are as they were without reading them. */
  #read(
    home: string,
    found: readonly FoundFile[],
  ): { readonly files: ManifestFile[]; readonly cached: CachedFile[]; readonly read: number } {
    const known = this.#database.cached(home);
    const cached: CachedFile[] = [];
    let read = 0;
    const files = found.map(({ path, stats, target }): ManifestFile => {
      if (target !== undefined) return { path, link: target };
      const { size, mtimeNs, ctimeNs, ino, mode } = stats;
      const before = known.get(path);
      const isSame =
        before?.size === size &&
        before.mtimeNs === mtimeNs &&
        before.ctimeNs === ctimeNs &&
        before.ino === ino;
      const kept = isSame && this.#objects.has(before.hash) ? before.hash : undefined;
      if (kept === undefined) read++;
      const hash = kept ?? this.#objects.add(join(home, path), stats);
      const age = millisToNanos(this.#now().getTime()) - Number(ctimeNs);
      if (kept !== undefined || age > SETTLED_NS) cached.push({ path, size, mtimeNs, ctimeNs, ino, hash });
      return { path, size: Number(size), hash, ...((mode & 0o100n) !== 0n && { executable: true }) };
    });
    return { files, cached, read };
  }

  /** What the folder comes from; of a new folder, the version that was committed last. */
  #baseOf(home: string, name: string): string {
    const versions = this.#database.versions(name);
    const base = this.#database.base(home, name);
    return versions.find(({ id }) => id === base)?.id ?? versions.at(-1)?.id ?? '';
  }

  templates(): {
    readonly name: string;
    readonly createdAt: string;
    readonly versions: readonly Version[];
  }[] {
    return this.#database.templates().map((one) => ({ ...one, versions: this.versions(one.name) }));
  }

  versions(name: string): Version[] {
    this.#requireTemplate(name);
    const tags = this.#database.tags(name);
    return this.#database.versions(name).map((row) => ({
      ...row,
      tags: tags.filter(({ version }) => version === row.id).map(({ tag }) => tag),
    }));
  }

  /** `reference`: the beginning of an id, or a tag; absent: the last version that is shown. Throws `TemplateError`. */
  find(name: string, reference?: string): Version {
    const versions = this.versions(name);
    if (reference === undefined) {
      const last = versions.filter(({ state }) => state === 'shown').at(-1);
      if (last) return last;
      throw new TemplateError(
        'TEMPLATE_UNKNOWN',
        `the template ${name} has no version`,
        'commit one: netfold template commit',
      );
    }
    const tagged = versions.find(({ tags }) => tags.includes(reference));
    const begun = /^[0-9a-f]{4,64}$/.test(reference)
      ? versions.filter(({ id }) => id.startsWith(reference))
      : [];
    if (tagged) return tagged;
    if (begun.length === 1) return begun[0]!;
    if (begun.length > 1)
      throw new TemplateError(
        'TEMPLATE_UNKNOWN',
        `${count(begun.length, 'version')} of ${name} begin with ${reference}`,
        'give more of the id',
      );
    const all = versions.flatMap(({ id, tags }) => [...tags, short(id)]);
    throw new TemplateError(
      'TEMPLATE_UNKNOWN',
      `the template ${name} has no version "${reference.slice(0, 64)}"`,
      suggest(reference, all, `see netfold template tree ${name}`),
    );
  }

  /** One that may be used. */
  usable(name: string, reference?: string): Version {
    const version = this.find(name, reference);
    if (version.state !== 'deleted') return version;
    throw new TemplateError(
      'TEMPLATE_DELETED',
      `${name}@${short(version.id)} is deleted`,
      `netfold template delete --undo ${name}@${short(version.id)}`,
    );
  }

  manifest(version: VersionRow): Manifest {
    return readManifest(this.#objects.text(version.manifest));
  }

  content(hash: string): Buffer {
    return this.#objects.bytes(hash);
  }

  notes(version: VersionRow): readonly Note[] {
    return this.#database.notes(version.id);
  }

  tag(version: Version, tag: string): void {
    this.#database.write(() => this.#database.setTag(version.template, tag, version.id));
  }

  untag(name: string, tag: string): void {
    this.#database.write(() => this.#database.removeTag(name, tag));
  }

  note(version: Version, text: string): void {
    this.#database.write(() => this.#database.addNote(version.id, this.#now().toISOString(), text));
  }

  setState(versions: readonly Version[], state: VersionState): void {
    this.#database.write(() => {
      for (const { id } of versions) this.#database.setState(id, state);
    });
  }

  /** The versions that were made from it. */
  children({ template, id }: Version): Version[] {
    return this.versions(template).filter(({ parent }) => parent === id);
  }

  /** Removes versions for good, and what no other one has. Returns the bytes that are free now. */
  expunge(name: string, versions: readonly Version[]): number {
    return this.#database.write(() => {
      for (const { id } of versions) this.#database.removeVersion(id);
      if (this.#database.versions(name).length === 0) this.#database.removeTemplate(name);
      const used = new Set<string>();
      for (const row of this.#database.versions()) {
        used.add(row.manifest);
        for (const { hash } of this.manifest(row).files) if (hash !== undefined) used.add(hash);
      }
      return this.#objects.sweep((hash) => used.has(hash));
    });
  }

  /** Writes the files of a version into a folder that is new or empty. */
  checkout(version: Version, folder: string): void {
    const home = resolve(folder);
    mkdirSync(home, { recursive: true });
    if (readdirSync(home).length > 0)
      throw new TemplateError(
        'TEMPLATE_FILE',
        `${folder} is not empty`,
        'name a folder that is new or empty',
      );
    const real = realpathSync(home);
    for (const { path, link, hash, executable } of this.manifest(version).files) {
      const file = join(real, path);
      mkdirSync(dirname(file), { recursive: true });
      // Nothing is written through a link of the version itself.
      if (realpathSync(dirname(file)) !== dirname(file))
        throw new TemplateError(
          'TEMPLATE_DAMAGED',
          `${dirname(file)} is a link`,
          'the version is not one that netfold has made',
        );
      if (link !== undefined) symlinkSync(link, file);
      else {
        writeFileSync(file, this.#objects.bytes(hash!), { flag: 'wx' });
        if (executable) chmodSync(file, 0o755);
      }
    }
    this.#database.write(() => this.#database.setBase(real, version.template, version.id));
  }

  #requireTemplate(name: string): void {
    const names = this.#database.templates().map((one) => one.name);
    if (names.includes(name)) return;
    throw new TemplateError(
      'TEMPLATE_UNKNOWN',
      `there is no template ${name}`,
      suggest(name, names, 'see netfold template ls, or make one: netfold template init'),
    );
  }
}

/** Of an id, for people. */
export const short = (id: string): string => id.slice(0, 10);
