/** Names of services, bridges, replicas and tags, and the most similar name to a misspelt one. */

/** A name becomes a host name and part of a namespace's: a letter, then letters, digits, - and _. */
export const NAME_PATTERN = '^[A-Za-z](?!.*--)[A-Za-z0-9_-]{0,38}[A-Za-z0-9_]$|^[A-Za-z]$';
export const MAX_NAME_LENGTH = 40;
const NAME = new RegExp(NAME_PATTERN);

export function isName(text: string): boolean {
  return NAME.test(text);
}

/** Why `text` is not a name; `undefined` if it is one. */
export function nameProblem(text: string): string | undefined {
  if (isName(text)) return undefined;
  if (text === '') return 'is empty';
  if (text.length > MAX_NAME_LENGTH) return `is longer than ${MAX_NAME_LENGTH} characters`;
  if (text.includes('--')) return 'contains "--", which stands for a link';
  if (!/^[A-Za-z]/.test(text)) return 'does not begin with a letter';
  if (text.endsWith('-')) return 'ends with "-"';
  return 'contains other characters than letters, digits, "-" and "_"';
}

export const NAME_REMEDY = `a name is a letter, then letters, digits, - and _, ${MAX_NAME_LENGTH} characters at most`;

/** A service or bridge, or one replica of a service: `client`, `client.0`. */
export interface NodeReference {
  readonly name: string;
  readonly replica?: number;
}

const REFERENCE = /^(.*)\.(0|[1-9]\d{0,5})$/s;

/** Splits `client.0`; gives `undefined` if the text can't name a node. */
export function parseReference(text: string): NodeReference | undefined {
  const match = REFERENCE.exec(text);
  const name = match?.[1] ?? text;
  if (!isName(name)) return undefined;
  return match ? { name, replica: Number(match[2]) } : { name };
}

export function formatReference(reference: NodeReference): string {
  return reference.replica === undefined ? reference.name : endpointName(reference.name, reference.replica);
}

/** The name of an endpoint as in `Graph.endpoints`: numbered even if the service has only one replica. */
export function endpointName(service: string, replica: number): string {
  return `${service}.${replica}`;
}

/** The service of which an endpoint is a replica; `endpoint`: its name as `endpointName` gives it. */
export function serviceOf(endpoint: string): string {
  return endpoint.slice(0, endpoint.lastIndexOf('.'));
}

/** Which replica of its service an endpoint is, from 0. */
export function replicaOf(endpoint: string): number {
  return Number(endpoint.slice(endpoint.lastIndexOf('.') + 1));
}

/** The first and the last endpoint of a service, for messages. */
export function replicaRange({ name, replicas }: { name: string; replicas: number }): string {
  return `${endpointName(name, 0)} to ${endpointName(name, replicas - 1)}`;
}

/** Code-unit order: the same on every host, whatever its locale. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** With more candidates than this, a hostile file would cost seconds. */
const MAX_CANDIDATES = 5000;
/** So many texts of one file get a suggestion; a reader corrects the first, and 5000 candidates cost some milliseconds each. */
const MAX_SUGGESTIONS = 20;

/** The candidate with the fewest edits, if it is similar enough; ties go to the first. */
export function nearest(text: string, candidates: Iterable<string>): string | undefined {
  if (text.length > 2 * MAX_NAME_LENGTH) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(text.length / 3)) + 1;
  let seen = 0;
  const lower = text.toLowerCase();
  for (const candidate of candidates) {
    if (++seen > MAX_CANDIDATES) break;
    if (Math.abs(candidate.length - text.length) >= bestDistance) continue;
    const distance = editDistance(lower, candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
    if (bestDistance === 0) break;
  }
  return best;
}

/** `did you mean "client"?`, or `otherwise` if no candidate is similar. */
export function suggest(text: string, candidates: Iterable<string>, otherwise: string): string {
  const near = nearest(text, candidates);
  return near === undefined ? otherwise : `did you mean "${near}"?`;
}

/** `suggest` for the texts of one file, of which only the first get a suggestion. */
export class Suggestions {
  #left = MAX_SUGGESTIONS;

  /** `candidates`: called for those that get one. */
  of(text: string, candidates: () => Iterable<string>, otherwise: string): string {
    return this.#left-- > 0 ? suggest(text, candidates(), otherwise) : otherwise;
  }
}

/**
 * Edits (insert, delete, replace, swap neighbours) from `a` to `b`: optimal string alignment. `limit` for so many or more:
 * cells further than that from the diagonal can't be on the way to fewer, and are left out (Ukkonen 1985).
 */
function editDistance(a: string, b: string, limit: number): number {
  const width = b.length + 2;
  let [beforeLast, last, row] = [0, 1, 2].map(() => new Uint8Array(width).fill(limit)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  for (let j = 0; j < Math.min(limit, b.length + 1); j++) last[j] = j;
  for (let i = 1; i <= a.length; i++) {
    const start = Math.max(1, i - limit + 1);
    const end = Math.min(b.length, i + limit - 1);
    let least = start === 1 ? Math.min(i, limit) : limit;
    row[start - 1] = least;
    for (let j = start; j <= end; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1), limit);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, beforeLast[j - 2]! + 1);
      row[j] = cost;
      least = Math.min(least, cost);
    }
    row[end + 1] = limit;
    if (least >= limit) return limit;
    [beforeLast, last, row] = [last, row, beforeLast];
  }
  return last[b.length]!;
}
