/** What the command line knows of a bench. */
import type { Option } from 'commander';
import type { Interruption } from './lab.ts';
import type { Report, Table } from './report/model.ts';

/** Tables alone, tables with figures, or the whole report of another machine, which was printed there. */
export type Results = readonly Table[] | Pick<Report, 'tables' | 'figures'> | Report;

export interface BenchOptions {
  /** Fewer samples: a look, not a result. */
  readonly quick: boolean;
  /** The value of `--nodes` or a similar option. */
  readonly sizes?: readonly number[] | undefined;
  readonly profile: boolean;
  /** Other options of this bench, as commander gives them. */
  readonly own: Readonly<Record<string, unknown>>;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

export interface Bench {
  readonly name: string;
  /** The question that the bench answers. */
  readonly description: string;
  /** Text below the options. */
  readonly help: string;
  /** Whether it makes labs, which need root, and which have to be removed after a signal. */
  readonly hasLabs: boolean;
  /** Duration on two processors: complete, and with --quick. More with --vm and similar options. */
  readonly minutes: { readonly whole: number; readonly quick: number };
  /** What its sizes count, for an option `--nodes` or `--clients`; absent: it has no such option. */
  readonly sizes?: 'nodes' | 'clients' | 'hosts';
  /** Whether agents can be profiled during the measurement. */
  readonly canProfile?: boolean;
  readonly options?: readonly Option[];
  /** Whether these options make a run that is no result; absent: none do. */
  readonly isPart?: (own: Readonly<Record<string, unknown>>) => boolean;
  readonly measure: (options: BenchOptions) => Promise<Results>;
}
