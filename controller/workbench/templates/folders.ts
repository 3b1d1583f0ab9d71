/** Where a user's templates are, and the topology file of one of them. */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { isName } from '../../../topology/model/names.ts';
import { removeFolder } from '../../machine/folders.ts';
import { parameterValues } from './definition.ts';
import { TemplateError } from './errors.ts';
import type { Manifest } from './manifest.ts';
import { TemplateStore } from './store.ts';

/** XDG Base Directory Specification 0.8. The first is for those who must not change the user's own: the tests. */
export function templatesFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.NETFOLD_TEMPLATES) return env.NETFOLD_TEMPLATES;
  const state =
    env.XDG_STATE_HOME && isAbsolute(env.XDG_STATE_HOME)
      ? env.XDG_STATE_HOME
      : join(homedir(), '.local/state');
  return join(state, 'netfold/templates');
}

/** Runs something with the templates of this user. */
export function withTemplates<T>(use: (store: TemplateStore) => T): T {
  const store = new TemplateStore(templatesFolder());
  try {
    return use(store);
  } finally {
    store.close();
  }
}

export interface Reference {
  readonly name: string;
  readonly version?: string;
}

/** `NAME`, `NAME@VERSION`. Throws `TemplateError`. */
export function parseTemplateReference(text: string): Reference {
  const [name, version, ...rest] = text.split('@');
  if (name !== undefined && isName(name) && version !== '' && rest.length === 0)
    return version === undefined ? { name } : { name, version };
  throw new TemplateError(
    'TEMPLATE_USAGE',
    `"${text.slice(0, 80)}" names no template`,
    'write NAME, or NAME@VERSION with a tag or the beginning of an id',
  );
}

export interface TemplateTopology {
  /** The topology file, in a folder with all files of the version. */
  readonly file: string;
  /** Its variables: the template's parameters, and whatever else is given. */
  readonly set: ReadonlyMap<string, string>;
  /** Whose it is. */
  readonly template: { readonly name: string; readonly version: string };
}

/**
 * The topology of a version, with its parameters as given or as by default. `undefined` if `text` is a file, or is not like the name
 * of a template. Throws `TemplateError`.
 */
export function topologyOfTemplate(
  text: string,
  given: ReadonlyMap<string, string> = new Map(),
): TemplateTopology | undefined {
  if (existsSync(text) || /[/\\.]/.test(text.split('@')[0]!) || !existsSync(templatesFolder()))
    return undefined;
  const { name, version: reference } = parseTemplateReference(text);
  return withTemplates((store) => {
    if (!store.templates().some((one) => one.name === name)) return undefined;
    const version = store.usable(name, reference);
    const folder = join(templatesFolder(), 'checkouts', version.id);
    const { topology, parameters } = store.manifest(version);
    const set = settings(parameters, given);
    if (!existsSync(folder)) {
      const draft = `${folder}.${process.pid}`;
      rmSync(draft, { recursive: true, force: true });
      try {
        store.checkout(version, draft);
        renameSync(draft, folder);
      } catch (error) {
        removeFolder(draft);
        // Another process was faster.
        if (!existsSync(folder)) throw error;
      }
    }
    return { file: join(folder, topology), set, template: { name, version: version.id } };
  });
}

/** Parameters are checked; what is none may be a variable of the file. Throws `TemplateError`. */
export function settings(
  parameters: Manifest['parameters'],
  given: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string> {
  const [own, others] = [new Map<string, string>(), new Map<string, string>()];
  for (const [name, value] of given) (Object.hasOwn(parameters, name) ? own : others).set(name, value);
  return new Map([...parameterValues(parameters, own), ...others]);
}
