/** What a bench is to the command line. */
import type { Option } from 'commander';
import type { Interruption } from './lab.ts';
import type { Report, Table } from './report/model.ts';

/** Tables alone, with figures, or the whole report of another machine, which has been printed there. */
export type Results = readonly Table[] | Pick<Report, 'tables' | 'figures'> | Report;

export interface BenchOptions {
  /** Fewer samples: a look, not a result. */
  readonly quick: boolean;
  /** What `--nodes` or the like says. */
  readonly sizes?: readonly number[] | undefined;
  readonly profile: boolean;
  /** Other options of this bench, as commander gives them. */
  readonly own: Readonly<Record<string, unknown>>;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

export interface Bench {
  readonly name: string;
  /** The question that it answers. */
  readonly description: string;
  /** Below the options. */
  readonly help: string;
  /** Makes labs, which a signal has to end first, and which need root. */
  readonly hasLabs: boolean;
  /** How long it takes on two processors: whole, and with --quick. With --vm and the like more. */
  readonly minutes: { readonly whole: number; readonly quick: number };
  /** What its numbers count, for an option `--nodes` or `--clients`; absent: it has no such option. */
  readonly sizes?: 'nodes' | 'clients' | 'hosts';
  /** Whether agents can be profiled meanwhile. */
  readonly canProfile?: boolean;
  readonly options?: readonly Option[];
  readonly measure: (options: BenchOptions) => Promise<Results>;
}
