/** The progress of a long step. */

/** `making endpoints 1,200 of 2,668`. */
export interface Progress {
  readonly doing: string;
  readonly done: number;
  readonly of: number;
}

export type OnProgress = (progress: Progress) => void;
