/**
 * The rules of the code's structure, as a pure function of the texts of all files.
 *
 * Imports are found by a scan with regular expressions rather than by the compiler: TypeScript 7 has another
 * programming interface than 6, and import statements are regular enough. Comments are taken out first.
 */
import { posix } from 'node:path';

/** Path in the checkout, with `/` → text. */
export type Files = ReadonlyMap<string, string>;

export interface Import {
  readonly file: string;
  /** As written: `node:fs`, `koffi`. */
  readonly specifier: string;
  /** The path in the checkout that a relative specifier leads to. */
  readonly target: string | undefined;
}

/** Gives what is wrong with one import, or undefined. */
type ImportRule = (one: Import) => string | undefined;

const PURE_PACKAGES = new Set(['yaml', 'zod', 'fast-xml-parser']);
/** Programs that are run, not parts of topology/: they may read and write files. */
const BUILD_PROGRAM = /\/build(-[a-z-]+)?\.ts$/;
/** Plain functions of plain data: no kernel, network, clock or files. */
const PURE_STAGES = /^agent\/(share\/|usage\/|enforce\/plan[^/]*\.ts$)/;

/** Calls that leave a thread or a machine changed unless their other half follows. */
const RAW_CALLS = /^agent\/kernel\/sys\/(libc|memory|mounts|thread-namespace)\.ts$/;

const isPackage = (one: Import): boolean => one.target === undefined;

const IMPORT_RULES: readonly ImportRule[] = [
  ({ file, specifier }) =>
    /^koffi(\/|$)/.test(specifier) && !file.startsWith('agent/kernel/') && !file.startsWith('test/')
      ? 'only agent/kernel/ knows koffi'
      : undefined,
  ({ file, target }) =>
    RAW_CALLS.test(target ?? '') && !/^(agent\/kernel|test)\//.test(file)
      ? 'outside of agent/kernel/ a mechanism is used (within, inScratchNamespace, …), not the calls below it'
      : undefined,
  (one) => {
    if (!one.file.startsWith('topology/') || BUILD_PROGRAM.test(one.file)) return undefined;
    const allowed = isPackage(one)
      ? PURE_PACKAGES.has(one.specifier)
      : /^(topology|proto)\//.test(one.target!);
    return allowed
      ? undefined
      : 'topology/ is pure: topology/, proto/, yaml, zod and fast-xml-parser are all it may use';
  },
  (one) =>
    PURE_STAGES.test(one.file) && (isPackage(one) || /^agent\/kernel\//.test(one.target!))
      ? 'agent/share/, agent/usage/ and agent/enforce/plan*.ts are pure: no packages, no builtins, no agent/kernel/'
      : undefined,
  ({ file, target }) =>
    file.startsWith('agent/') && target?.startsWith('controller/')
      ? 'agent/ never needs controller/'
      : undefined,
  ({ file, target }) =>
    file.startsWith('proto/') && target !== undefined && !target.startsWith('proto/')
      ? 'proto/ is what all others stand on: it may use only itself'
      : undefined,
  ({ file, target }) =>
    isOfAnotherPlatform(file, target)
      ? 'a platform knows neither another one nor the registry: what they share is in controller/platform/port/ and containers/'
      : undefined,
  ({ file, target }) =>
    target?.startsWith('test/') && !file.startsWith('test/')
      ? 'what is shipped never needs test/'
      : undefined,
];

/** For all platforms, and for those of containers. */
const SHARED: ReadonlySet<string> = new Set(['port', 'containers']);

/** From the folder of a platform to the registry, or to the folder of another one. */
function isOfAnotherPlatform(file: string, target: string | undefined): boolean {
  const own = /^controller\/platform\/([^/]+)\//.exec(file)?.[1];
  const other = /^controller\/platform\/(?:([^/]+)\/)?/.exec(target ?? '');
  return own !== undefined && other !== null && other[1] !== own && !SHARED.has(other[1] ?? '');
}

const MAX_LINES = 400;

/** Every host must come to the same paths and shares, so nothing there may depend on when or where it runs. */
const IMPURE =
  /\b(Date\.now|new Date|performance\.now|Math\.random|process\.\w+|setTimeout|setInterval|console\.\w+)\b/;

function isPure(file: string): boolean {
  return (file.startsWith('topology/') && !BUILD_PROGRAM.test(file)) || PURE_STAGES.test(file);
}

/** @returns one line for each breach: `file: what (because)` */
export function findBreaches(files: Files): string[] {
  return [...files].flatMap(([file, text]) => {
    const breaches = textBreaches(file, text);
    for (const one of importsOf(file, text)) {
      for (const rule of IMPORT_RULES) {
        const wrong = rule(one);
        if (wrong !== undefined) breaches.push(`${file}: imports ${one.specifier} (${wrong})`);
      }
    }
    return breaches;
  });
}

function textBreaches(file: string, text: string): string[] {
  const breaches: string[] = [];
  const lines = text.replace(/\n$/, '').split('\n');
  if (lines.length > MAX_LINES)
    breaches.push(`${file}: ${lines.length} lines (at most ${MAX_LINES}: divide it by what it gives)`);
  if (/^\s*(export\s+)?(declare\s+)?(const\s+)?enum\s+\w/m.test(withoutComments(text))) {
    breaches.push(`${file}: enum (types must be erasable: use an "as const" union)`);
  }
  const impure = isPure(file) ? IMPURE.exec(withoutComments(text)) : null;
  if (impure) breaches.push(`${file}: ${impure[1]} (pure code has no clock, chance, process or output)`);
  lines.forEach((line, index) => {
    const mark = /\b(TODO|FIXME|XXX)\b/.exec(line);
    if (mark) breaches.push(`${file}:${index + 1}: ${mark[1]} (do it, or file an issue)`);
  });
  return breaches;
}

/** The specifier is all that is looked for, so that statements over several lines are found as well. */
const SPECIFIER =
  /(?:^|[;}\n])\s*(?:import|export)\b[^;'"`]*?\bfrom\s*['"]([^'"]+)['"]|(?:^|[;}\n])\s*import\s*['"]([^'"]+)['"]|\b(?:import|require)\s*\(\s*['"]([^'"]+)['"]/g;

export function importsOf(file: string, text: string): Import[] {
  return [...withoutComments(text).matchAll(SPECIFIER)].map((match) => {
    const specifier = (match[1] ?? match[2] ?? match[3])!;
    const target = specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : undefined;
    return { file, specifier, target };
  });
}

/** Good enough for code that the formatter has seen; a `//` behind a colon is a part of an address. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`])\/\/.*$/gm, '$1');
}
