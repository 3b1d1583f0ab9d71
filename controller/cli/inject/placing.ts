/** `netfold inject` where the inventory does not say which host is which endpoint: hosts and network are asked, and endpoints placed. */
import { type AssignedHost, assignHosts } from '../../inject/assigned-hosts.ts';
import { checkHosts } from '../../inject/check.ts';
import { measureNetwork } from '../../inject/measure.ts';
import { leavesPlacing, type PlacedHosts, placeHosts } from '../../inject/placed-hosts.ts';
import * as report from '../../inject/report.ts';
import { print, progress, step } from '../terminal/output.ts';
import { type Injection, printLines } from './injection.ts';

export interface Assignment {
  readonly assigned: readonly AssignedHost[];
  /** Absent: the inventory says it. */
  readonly placed?: PlacedHosts;
}

/** Throws what `assignHosts` and `placeHosts` throw. */
export async function assignmentOf(injection: Injection): Promise<Assignment> {
  const { inventory, file, connections, flags } = injection;
  const { topology } = file.opened;
  if (!leavesPlacing(inventory)) return { assigned: assignHosts(inventory, topology, file.graph) };
  const hosts = inventory.hosts.map((host) => ({ host, endpoints: [] }));
  let done = 0;
  const checked = await checkHosts(connections, hosts, () =>
    progress({ doing: 'hosts that have answered:', done: ++done, of: hosts.length }),
  );
  const able = checked.filter(({ all }) => all.length === 0);
  // They are not needed as long as there are enough others.
  for (const one of checked) if (one.all.length > 0 && !flags.json) printLines(report.checkedLines(one));
  const names = new Set(able.map(({ name }) => name));
  step('the network between the hosts is measured');
  const { ways } = await measureNetwork(
    connections,
    inventory.hosts.filter(({ name }) => names.has(name)),
  );
  const candidates = able.flatMap(({ name, facts }) => (facts ? [{ name, facts }] : []));
  const placed = placeHosts({ inventory, topology, graph: file.graph }, candidates, ways);
  if (!flags.json) for (const line of placed.lines) print(line);
  return { assigned: placed.assigned, placed };
}
