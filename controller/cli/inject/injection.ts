/** What all actions of `netfold inject` work with. */
import type { Exemption } from '../../../proto/bootstrap.ts';
import type { Micros } from '../../../proto/units.ts';
import type { Graph } from '../../../topology/model/model.ts';
import type { Connections } from '../../inject/ssh/connections.ts';
import type { Inventory } from '../../inventory/model.ts';
import type { FileOptions, OpenedTopology } from '../options/files.ts';

export interface InjectFlags extends FileOptions {
  readonly inventory: string;
  readonly name?: string;
  readonly never?: readonly Exemption[];
  readonly lease?: Micros;
  readonly takeOver?: boolean;
  readonly names?: boolean;
  readonly record?: boolean;
  readonly sshConfig?: string;
  readonly follow?: boolean;
  readonly tail?: number;
  readonly json?: boolean;
}

export interface Injection {
  readonly experiment: string;
  readonly opened: OpenedTopology;
  readonly graph: Graph;
  readonly inventory: Inventory;
  readonly connections: Connections;
  readonly flags: InjectFlags;
  readonly signal: AbortSignal;
}
