/** Paths and links in Markdown documents, and those of them that do not exist. Pure. */
import { posix } from 'node:path';

/** What exists in the checkout: files and folders, without a slash at the end. */
export interface Checkout {
  readonly paths: ReadonlySet<string>;
  /** Path of a Markdown file → its text. */
  readonly documents: ReadonlyMap<string, string>;
}

/** `[text](target)`; the target of an image as well. */
const LINK = /\]\(([^)\s]+)\)/g;
const CODE = /`([^`\n]+)`/g;
const ELSEWHERE = /^[a-z]+:/;
/** A path in backticks is checked if it starts in one of these, or ends like a source file. */
const FOLDERS = /^(agent|bench|bin|bpf|controller|deploy|docs|examples|proto|sdk|test|topology)\//;
const SOURCE = /^[\w./-]+\.(ts|mjs|cjs|md|proto)$/;
/** A path in plain text or in a drawing; only one that ends like a file is sure to be meant as one. */
const PLAIN =
  /(?<![\w./*-])(?:agent|bench|bin|bpf|controller|deploy|docs|examples|proto|sdk|test|topology)\/[\w./*-]+\.(?:ts|mjs|md|c|h|json|yaml|proto)\b/g;
/** Patterns, placeholders and several paths in one are not paths. */
const NOT_ONE_PATH = /[*<>{}…\s=$]|[A-Z]{4,}-|NAME|SHAPE|FOLDER/;

/** @returns one line for each dead path: `file:line: what` */
export function findDeadPaths(checkout: Checkout): string[] {
  return [...checkout.documents].flatMap(([file, text]) =>
    text
      .split('\n')
      .flatMap((line, index) => deadOf(line, file, checkout).map((what) => `${file}:${index + 1}: ${what}`)),
  );
}

function deadOf(line: string, file: string, checkout: Checkout): string[] {
  const links = [...line.matchAll(LINK)].map((match) => match[1]!);
  const withoutLinks = line.replace(LINK, ']');
  const code = [...line.matchAll(CODE)].map((match) => match[1]!);
  const named = [...code.filter(isPath), ...[...withoutLinks.matchAll(PLAIN)].map((match) => match[0])];
  return [
    ...links.filter((link) => !ELSEWHERE.test(link)).flatMap((link) => deadLink(link, file, checkout)),
    ...[...new Set(named)]
      .filter((path) => !NOT_ONE_PATH.test(path) && !exists(path, file, checkout.paths))
      .map((path) => `${path} does not exist`),
  ];
}

function isPath(code: string): boolean {
  return FOLDERS.test(code) || SOURCE.test(code);
}

/** Paths in backticks count from the root or from the document's folder. */
function exists(path: string, file: string, paths: ReadonlySet<string>): boolean {
  const plain = path.replace(/\/$/, '');
  return paths.has(plain) || paths.has(posix.join(posix.dirname(file), plain));
}

function deadLink(link: string, file: string, { paths, documents }: Checkout): string[] {
  const [target = '', anchor] = link.split('#');
  const path = target === '' ? file : posix.join(posix.dirname(file), target).replace(/\/$/, '');
  if (!paths.has(path)) return [`the link ${link} leads to ${path}, which does not exist`];
  const text = documents.get(path);
  if (anchor === undefined || text === undefined || anchorsOf(text).has(anchor)) return [];
  return [`the link ${link} leads to a heading that ${path} does not have`];
}

/** As GitHub makes them: lower case, punctuation dropped, spaces to hyphens. */
function anchorsOf(text: string): Set<string> {
  const headings = text.split('\n').filter((line) => /^#+ /.test(line));
  return new Set(
    headings.map((line) =>
      line
        .replace(/^#+ /, '')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-'),
    ),
  );
}
