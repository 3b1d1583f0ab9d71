/**
 * Regular expressions in time that grows with the length of the text and of the expression: all ways to match go on at once, as
 * Thompson (1968) and Pike have it (Cox, "Regular Expression Matching: the Virtual Machine Approach", 2009). Of the matches that
 * begin first the longest counts, or the shortest, as in Tcl; groups that can divide it in several ways do so as in Perl.
 */
import {
  type Assertion,
  type CharTest,
  parseRegexp,
  RegexpError,
  type SyntaxOptions,
  type Tree,
} from './syntax.ts';

type Instruction =
  | { readonly op: 'char'; readonly test: CharTest }
  | { readonly op: 'assert'; readonly what: Assertion }
  /** The first goes first. */
  | { op: 'split'; first: number; second: number }
  | { op: 'jump'; to: number }
  | { readonly op: 'save'; readonly slot: number }
  | { readonly op: 'match' };

/** Repetitions of repetitions multiply. */
const MAX_PROGRAM = 3000;
/** A step of the script is worth so many of a match's. */
const WORK_PER_STEP = 8;

/** Who pays for the work; throws when it is too much. */
interface Payer {
  spend(steps: number): void;
}

/** Starts and ends of the whole and of each group, -1 for those that took no part. */
export type Match = readonly number[];

interface Thread {
  readonly at: number;
  readonly slots: readonly number[];
}

export class Matcher {
  readonly groups: number;
  readonly #program: Instruction[] = [];
  readonly #takesLongest: boolean;
  readonly #isByLine: boolean;

  /** Throws `RegexpError`. */
  constructor(text: string, options: SyntaxOptions) {
    const { tree, groups, takesLongest } = parseRegexp(text, options);
    this.groups = groups;
    this.#takesLongest = takesLongest;
    this.#isByLine = options.isByLine;
    this.#add({ op: 'save', slot: 0 });
    this.#compile(tree);
    this.#add({ op: 'save', slot: 1 });
    this.#add({ op: 'match' });
  }

  /** The first match from `start` on. `text` begins at 0 for `^`. */
  match(text: string, start: number, payer: Payer): Match | undefined {
    let best: Match | undefined;
    let threads: Thread[] = [];
    const seen = new Int32Array(this.#program.length).fill(-1);
    const empty = new Array<number>(2 * (this.groups + 1)).fill(-1);
    let work = 0;
    for (let at = start; at <= text.length; at++) {
      if (!best) work += this.#follow({ at: 0, slots: empty }, text, at, seen, threads);
      if (threads.length === 0 && best) break;
      const next: Thread[] = [];
      for (const thread of threads) {
        work++;
        // What begins later than a match is not asked any more.
        if (best && (thread.slots[0]! > best[0]! || (!this.#takesLongest && thread.slots[0] === best[0])))
          continue;
        const instruction = this.#program[thread.at]!;
        if (instruction.op === 'match') {
          const isEarlier = !best || thread.slots[0]! < best[0]!;
          if (isEarlier || (this.#takesLongest && thread.slots[1]! > best![1]!)) best = thread.slots;
        } else if (at < text.length && instruction.op === 'char' && instruction.test(text[at]!))
          work += this.#follow({ at: thread.at + 1, slots: thread.slots }, text, at + 1, seen, next);
      }
      threads = next;
      work++;
      if (work >= WORK_PER_STEP) {
        payer.spend(work / WORK_PER_STEP);
        work = 0;
      }
    }
    return best;
  }

  /** Adds what is reached from there without a character, in the order of preference. Returns how much it looked at. */
  #follow(from: Thread, text: string, at: number, seen: Int32Array, threads: Thread[]): number {
    const open: Thread[] = [from];
    let looked = 0;
    for (let thread = open.pop(); thread; thread = open.pop()) {
      if (seen[thread.at] === at) continue;
      seen[thread.at] = at;
      looked++;
      const instruction = this.#program[thread.at]!;
      switch (instruction.op) {
        case 'jump':
          open.push({ at: instruction.to, slots: thread.slots });
          break;
        case 'split':
          open.push(
            { at: instruction.second, slots: thread.slots },
            { at: instruction.first, slots: thread.slots },
          );
          break;
        case 'save':
          open.push({ at: thread.at + 1, slots: thread.slots.with(instruction.slot, at) });
          break;
        case 'assert':
          if (holds(instruction.what, text, at, this.#isByLine))
            open.push({ at: thread.at + 1, slots: thread.slots });
          break;
        default:
          threads.push(thread);
      }
    }
    return looked;
  }

  #add<T extends Instruction>(instruction: T): T {
    if (this.#program.length >= MAX_PROGRAM) throw new RegexpError('the regular expression is too large');
    this.#program.push(instruction);
    return instruction;
  }

  #compile(tree: Tree): void {
    switch (tree.kind) {
      case 'empty':
        return;
      case 'char':
        this.#add({ op: 'char', test: tree.test });
        return;
      case 'assert':
        this.#add({ op: 'assert', what: tree.what });
        return;
      case 'sequence':
        for (const part of tree.parts) this.#compile(part);
        return;
      case 'choice':
        this.#choice(tree.parts);
        return;
      case 'group':
        this.#add({ op: 'save', slot: 2 * tree.number });
        this.#compile(tree.of);
        this.#add({ op: 'save', slot: 2 * tree.number + 1 });
        return;
      case 'repeat':
        this.#repeat(tree);
    }
  }

  #choice(parts: readonly Tree[]): void {
    const jumps = [];
    for (const [index, part] of parts.entries()) {
      if (index === parts.length - 1) {
        this.#compile(part);
        break;
      }
      const split = this.#add({ op: 'split' as const, first: this.#program.length + 1, second: 0 });
      this.#compile(part);
      jumps.push(this.#add({ op: 'jump' as const, to: 0 }));
      split.second = this.#program.length;
    }
    for (const jump of jumps) jump.to = this.#program.length;
  }

  #repeat({ of, least, most, isGreedy }: Extract<Tree, { kind: 'repeat' }>): void {
    for (let count = 0; count < least; count++) this.#compile(of);
    const way = (split: { first: number; second: number }, inside: number, after: number): void => {
      [split.first, split.second] = isGreedy ? [inside, after] : [after, inside];
    };
    if (most === undefined) {
      const start = this.#program.length;
      const split = this.#add({ op: 'split' as const, first: 0, second: 0 });
      this.#compile(of);
      this.#add({ op: 'jump', to: start });
      way(split, start + 1, this.#program.length);
      return;
    }
    const splits = [];
    for (let count = least; count < most; count++) {
      const split = this.#add({ op: 'split' as const, first: 0, second: 0 });
      splits.push({ split, inside: this.#program.length });
      this.#compile(of);
    }
    for (const { split, inside } of splits) way(split, inside, this.#program.length);
  }
}

const isWord = (char: string | undefined): boolean => char !== undefined && /^\w$/.test(char);

function holds(what: Assertion, text: string, at: number, isByLine: boolean): boolean {
  const [before, after] = [isWord(text[at - 1]), isWord(text[at])];
  switch (what) {
    case '^':
      return at === 0 || (isByLine && text[at - 1] === '\n');
    case '$':
      return at === text.length || (isByLine && text[at] === '\n');
    case 'A':
      return at === 0;
    case 'Z':
      return at === text.length;
    case 'm':
      return !before && after;
    case 'M':
      return before && !after;
    case 'y':
      return before !== after;
    case 'Y':
      return before === after;
  }
}
