/** What is told of an imported file: each value that was guessed or left out, with its place. */
import { count as countOf, grouped } from '../../proto/words.ts';
import { type DiagnosticCode, type Findings, quote } from '../model/diagnostics.ts';

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** So many of one kind in full; a file may have a hundred thousand. */
const SHOWN = 10;
/** So many lines of the others. */
const LINES = 50;

interface Kind {
  readonly code: DiagnosticCode;
  readonly what: string;
  /** Told in full. */
  readonly shown: number;
  count: number;
  /** The first of those that were not told in full; at most `LINES`. */
  readonly further: Place[];
}

interface Dropped {
  readonly key: string;
  readonly owner: string;
  readonly place: Place;
  readonly field: string;
  count: number;
}

/** Warnings of which many may be alike. */
export class Notes {
  readonly #findings: Findings;
  readonly #kinds = new Map<string, Kind>();
  readonly #dropped = new Map<string, Dropped>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /**
   * Those with the same `code` and `what` are alike: the first `shown` are told in full, of the others the lines. `what`:
   * the kind in a few words.
   */
  tell(
    { code, what, shown = SHOWN }: { code: DiagnosticCode; what: string; shown?: number },
    place: Place,
    field: string,
    message: string,
    remedy: string,
  ): void {
    const key = `${code} ${what}`;
    let kind = this.#kinds.get(key);
    if (!kind) {
      kind = { code, what, shown, count: 0, further: [] };
      this.#kinds.set(key, kind);
    }
    if (++kind.count <= kind.shown) this.#findings.warning(code, place, field, message, remedy);
    else if (kind.further.length < LINES) kind.further.push(place);
  }

  /** The attribute `key` of an `owner`, such as a node, means nothing to netfold: told once, with the number of owners. */
  drop(key: string, owner: string, place: Place, field: string): void {
    const id = `${owner} ${key}`;
    const known = this.#dropped.get(id);
    if (known) known.count++;
    else this.#dropped.set(id, { key, owner, place, field, count: 1 });
  }

  /** Tells of those that were not told in full. Once, at the end. */
  settle(): void {
    for (const { code, what, shown, count, further } of this.#kinds.values()) {
      const [first] = further;
      if (!first) continue;
      const lines = [...new Set(further.map(({ line }) => line))].sort((a, b) => a - b);
      const more = count - shown - further.length;
      const others = more > 0 ? `, and ${grouped(more)} more` : '';
      const where = `${lines.length === 1 ? 'line' : 'lines'} ${lines.join(', ')}${others}`;
      this.#findings.warning(code, first, '', `${what}: also in ${where}`, '');
    }
    this.#settleDropped();
  }

  /** Of a graph, all attributes in one warning: the Topology Zoo has dozens. */
  #settleDropped(): void {
    const all = [...this.#dropped.values()];
    for (const { key, owner, place, field, count } of all.filter(({ owner }) => owner !== GRAPH)) {
      const message = `the attribute ${quote(key)} of ${countOf(count, owner)} is left out`;
      this.#findings.warning('KEY_IGNORED', place, field, message, NOTHING);
    }
    const ofGraph = all.filter(({ owner }) => owner === GRAPH);
    const [first] = ofGraph;
    if (!first) return;
    const names = ofGraph.slice(0, LINES).map(({ key }) => quote(key));
    const more = ofGraph.length > LINES ? `, and ${ofGraph.length - LINES} more` : '';
    const message = `attributes of the graph as a whole are left out: ${names.join(', ')}${more}`;
    this.#findings.warning('KEY_IGNORED', first.place, first.field, message, NOTHING);
  }
}

const GRAPH = 'graph';
const NOTHING = 'netfold has nothing that it could mean';
