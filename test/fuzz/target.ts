/** What can be fuzzed: a decoder or a grammar, with valid inputs to begin with. */

export interface Target {
  readonly name: string;
  /** Valid inputs; all of text, or all of bytes. */
  readonly seeds: readonly (string | Buffer)[];
  /** Pieces of its language, which mutations insert into texts. */
  readonly pieces?: readonly string[];
  /** Reads the input. Throws for what it refuses; the error is a fault unless `isCoded` knows it. */
  read(input: never): unknown;
  isCoded(error: unknown): boolean;
}

/** Of texts, or of bytes. The types of `seeds` and `read` agree. */
export function textTarget(
  facts: Omit<Target, 'seeds' | 'read'> & {
    readonly seeds: readonly string[];
    readonly read: (input: string) => unknown;
  },
): Target {
  return facts as Target;
}

export function bytesTarget(
  facts: Omit<Target, 'seeds' | 'read'> & {
    readonly seeds: readonly Uint8Array[];
    readonly read: (input: Buffer) => unknown;
  },
): Target {
  return { ...facts, seeds: facts.seeds.map((seed) => Buffer.from(seed)) } as Target;
}
