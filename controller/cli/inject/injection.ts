/** What the actions of `netfold inject` work with. */
import type { Exemption } from '../../../proto/bootstrap.ts';
import type { Micros } from '../../../proto/units.ts';
import type { Graph } from '../../../topology/model/model.ts';
import { failed, type Outcome, requireAll } from '../../inject/each-host.ts';
import * as report from '../../inject/report.ts';
import type { Connections } from '../../inject/ssh/connections.ts';
import type { Inventory, InventoryHost } from '../../inventory/model.ts';
import type { FileOptions, OpenedTopology } from '../options/files.ts';
import { print, printJson, styled } from '../terminal/output.ts';

export interface InjectFlags extends FileOptions {
  readonly inventory?: string;
  /** Instead of an inventory: what runs there knows the other hosts. */
  readonly host?: InventoryHost;
  readonly name?: string;
  readonly never?: readonly Exemption[];
  readonly lease?: Micros;
  readonly takeOver?: boolean;
  readonly names?: boolean;
  readonly record?: boolean;
  /** At `stop`, parts of records are fetched and joined. */
  readonly gather: boolean;
  readonly sshConfig?: string;
  readonly follow?: boolean;
  readonly tail?: number;
  readonly json?: boolean;
}

/** The hosts. */
export interface OnHosts {
  readonly inventory: Inventory;
  readonly connections: Connections;
  readonly flags: InjectFlags;
  readonly signal: AbortSignal;
  /** Absent: none was named, and none is needed. */
  readonly experiment?: string;
}

export interface OpenedFile {
  readonly opened: OpenedTopology;
  /** At the start. */
  readonly graph: Graph;
}

/** An experiment on the hosts; without a file, what of it is known there. */
export interface Standing extends OnHosts {
  readonly experiment: string;
  readonly file?: OpenedFile;
}

export interface Injection extends Standing {
  readonly file: OpenedFile;
}

const MARKS = { good: '✓', bad: '✗', quiet: ' ' } as const;
const COLOURS = { good: 'green', bad: 'red', quiet: 'dim' } as const;

export function printLines(lines: readonly report.Line[]): void {
  for (const { tone, text } of lines) {
    if (tone === 'quiet') print(`    ${text}`);
    else print(`${styled(COLOURS[tone], MARKS[tone])} ${text}`);
  }
}

/** A line for each host as soon as it is known. */
export function printing<T>(
  { flags }: Pick<OnHosts, 'flags'>,
  textOf: (value: T) => string,
): (outcome: Outcome<T>) => void {
  return (outcome) => {
    if (!flags.json) printLines(report.outcomeLines(outcome, textOf));
  };
}

export function printHosts(
  action: string,
  { experiment, flags }: OnHosts,
  hosts: readonly report.HostJson[],
  more: object = {},
): void {
  if (flags.json) printJson({ action, experiment: experiment ?? null, hosts, ...more });
}

/** What has failed on hosts was printed with its remedies. */
export function failOn(outcomes: readonly Outcome<unknown>[]): void {
  const [error] = failed(outcomes);
  if (error)
    requireAll(outcomes, 'not on all hosts', 'see the remedies above; the same command can be repeated');
}
