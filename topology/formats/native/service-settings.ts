/** `env`, `cwd`, `user` and the capabilities of a service: what the schema can't say about them. */
import { CAPABILITIES, capabilityNamed } from '../../model/capabilities.ts';
import type { Findings } from '../../model/diagnostics.ts';
import { quote } from '../../model/diagnostics.ts';
import type { ServiceSettings } from '../../model/model.ts';
import { Suggestions } from '../../model/names.ts';
import type { NativeFile } from './schema.ts';
import type { NativeDocument } from './yaml/placed.ts';

type NativeService = Pick<
  NativeFile['services'][string],
  'env' | 'cwd' | 'user' | 'cap_add' | 'cap_drop' | 'image'
>;

/** What programs can read as a variable: shells ignore all others. */
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Those that say what netfold knows of an endpoint. */
const RESERVED = /^NETFOLD_/;
/** Linux takes 128 KB for one variable (MAX_ARG_STRLEN), and a part of the stack's limit for all. */
const MAX_ENV_BYTES = 100_000;
/** No spaces, no colon (passwd(5) ends a name with it), and no option of the programs that look it up. */
const USER = /^(?!-)[^\s:\0]{1,256}$/;

export class SettingsReader {
  readonly #file: string;
  readonly #document: NativeDocument;
  readonly #findings: Findings;
  readonly #suggestions = new Suggestions();

  constructor(file: string, document: NativeDocument, findings: Findings) {
    this.#file = file;
    this.#document = document;
    this.#findings = findings;
  }

  /** What is wrong with them is in the findings. `environment`: as `env`, under its other name. */
  read(
    service: string,
    { env, cwd, user, cap_add, cap_drop, image }: NativeService,
    environment?: Readonly<Record<string, string>>,
  ): ServiceSettings {
    const path = ['services', service] as const;
    const variables = environment ?? env;
    if (variables) this.#checkEnv([...path, environment ? 'environment' : 'env'], variables);
    if (cwd !== undefined) this.#checkFolder([...path, 'cwd'], cwd);
    if (user !== undefined) this.#checkUser([...path, 'user'], String(user), image !== undefined);
    const at = (key: string) => ({ file: this.#file, ...this.#document.at([...path, key]) });
    return {
      ...(variables && { env: variables }),
      ...(cwd !== undefined && { cwd: { path: cwd, position: at('cwd') } }),
      ...(user !== undefined && { user: { name: String(user), position: at('user') } }),
      ...(cap_add && { capAdd: this.#capabilities([...path, 'cap_add'], cap_add) }),
      ...(cap_drop && { capDrop: this.#capabilities([...path, 'cap_drop'], cap_drop) }),
    };
  }

  #checkEnv(path: readonly string[], env: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(env)) {
      if (!VARIABLE.test(name))
        this.#refuseKey(path, name, 'is no name of a variable', 'use letters, digits and _, no digit first');
      else if (RESERVED.test(name))
        this.#refuseKey(path, name, 'is set by netfold', 'choose a name that does not begin with NETFOLD_');
      if (value.includes('\0')) this.#refuse([...path, name], `the value ${HAS_NUL}`, LEAVE_OUT);
    }
    const bytes = new TextEncoder().encode(Object.entries(env).flat().join('==')).length;
    if (bytes > MAX_ENV_BYTES)
      this.#refuse(
        path,
        `the variables have ${bytes} bytes, more than ${MAX_ENV_BYTES}`,
        'put what is long into a file, and its name into a variable',
      );
  }

  #checkFolder(path: readonly string[], cwd: string): void {
    if (cwd.includes('\0')) this.#refuse(path, `the path ${HAS_NUL}`, LEAVE_OUT);
    else if (/^[~$]/.test(cwd)) this.#refuse(path, `${quote(cwd)} is not expanded: no shell reads it`, PATHS);
    else if (!cwd.startsWith('/') && cwd.split('/').includes('..'))
      this.#refuse(path, `${quote(cwd)} leads out of the endpoint's own folder`, PATHS);
  }

  #checkUser(path: readonly string[], user: string, isOfImage: boolean): void {
    // Docker's grammar has a group, too.
    const [name = '', group, ...more] = isOfImage ? user.split(':') : [user];
    if (USER.test(name) && (group === undefined || USER.test(group)) && more.length === 0) return;
    const what = user.includes('\0') ? `the user ${HAS_NUL}` : `${quote(user)} is no user`;
    this.#refuse(
      path,
      what,
      "write a name such as www-data, or a number such as 1000; groups are the user's own",
    );
  }

  #capabilities(path: readonly string[], texts: readonly string[]): string[] {
    return texts.flatMap((text, index) => {
      const name = capabilityNamed(text);
      if (name === undefined) {
        const remedy = this.#suggestions.of(text, () => CAPABILITIES, CAPABILITY_REMEDY);
        this.#refuse([...path, index], `there is no capability ${quote(text)}`, remedy);
      }
      return name ?? [];
    });
  }

  #refuse(path: readonly (string | number)[], message: string, remedy: string): void {
    this.#findings.error(
      'VALUE_INVALID',
      this.#document.at(path),
      this.#document.field(path),
      message,
      remedy,
    );
  }

  #refuseKey(path: readonly string[], key: string, message: string, remedy: string): void {
    const place = this.#document.atKey(path, key);
    this.#findings.error(
      'NAME_INVALID',
      place,
      this.#document.field(path),
      `${quote(key)} ${message}`,
      remedy,
    );
  }
}

const HAS_NUL = 'has a NUL character, which no argument of a program can have';
const LEAVE_OUT = 'leave it out; in YAML, "\\\\0" in double quotes is a backslash and a zero';
const PATHS =
  "write a path from / on, or one below the endpoint's own folder: cwd: . is $NETFOLD_DATA itself";

const CAPABILITY_REMEDY = 'write names as in capabilities(7), e.g. NET_ADMIN; ALL stands for all';
