/** `netfold inject … check`, `install` and `start`. */
import type { Exemption } from '../../../proto/bootstrap.ts';
import { EXIT_CODE } from '../../../proto/errors.ts';
import { formatMicros } from '../../../proto/units.ts';
import { formatExemption, requireRoomFor } from '../../exemption.ts';
import type { AssignedHost } from '../../inject/assigned-hosts.ts';
import { readBundle } from '../../inject/bundle.ts';
import { type Checked, checkHosts } from '../../inject/check.ts';
import { type Outcome, requireAll } from '../../inject/each-host.ts';
import { homeOf, install } from '../../inject/install.ts';
import type { PlacedHosts } from '../../inject/placed-hosts.ts';
import * as report from '../../inject/report.ts';
import { InjectError } from '../../inject/ssh/errors.ts';
import { type Part, startInjection } from '../../inject/start.ts';
import type { InventoryHost } from '../../inventory/model.ts';
import { print, progress, step, styled } from '../terminal/output.ts';
import { failOn, type Injection, type OnHosts, printHosts, printing, printLines } from './injection.ts';
import { assignmentOf } from './placing.ts';

interface Looked {
  readonly host: InventoryHost;
  readonly checked: Checked;
}

async function look({ connections }: Injection, assigned: readonly AssignedHost[]): Promise<Looked[]> {
  let done = 0;
  const checked = await checkHosts(connections, assigned, () =>
    progress({ doing: 'hosts that have answered:', done: ++done, of: assigned.length }),
  );
  return assigned.map(({ host }, index) => ({ host, checked: checked[index]! }));
}

/** Where endpoints were placed, hosts that can't take part are not needed. */
export async function check(injection: Injection): Promise<void> {
  const { assigned, placed } = await assignmentOf(injection);
  const taking = placed ? assigned.filter(({ endpoints }) => endpoints.length > 0) : assigned;
  const looked = await look(injection, taking);
  const checked = looked.map((one) => one.checked);
  if (injection.flags.json)
    printHosts('check', injection, checked.map(report.checkedJson), placed && placingJson(placed));
  else for (const one of checked) printLines(report.checkedLines(one));
  requireGood(checked);
  // What there is was printed; it is not what the topology asks for.
  if (placed && placed.network.missed > 0) process.exitCode = EXIT_CODE.machine;
}

const placingJson = ({ placement, network }: PlacedHosts) => ({ placement, network });

function requireGood(checked: readonly Checked[]): void {
  const outcomes = checked.map(
    ({ name, all: [error] }): Outcome<undefined> => ({ host: name, ...(error && { error }) }),
  );
  requireAll(outcomes, 'check', 'see the remedies above; nothing was changed');
}

export async function installAll(onHosts: OnHosts): Promise<void> {
  const { connections, inventory } = onHosts;
  const textOf = (result: string): string => result;
  const outcomes = await install(connections, inventory.hosts, readBundle(), printing(onHosts, textOf));
  printHosts('install', onHosts, outcomes.map(report.outcomeJson));
  failOn(outcomes);
}

export async function start(injection: Injection, installs: boolean): Promise<void> {
  const { connections, experiment, flags, file, signal, inventory } = injection;
  // Of the others nothing is needed: one that does not answer would delay those that take part.
  const { assigned, placed } = await assignmentOf(injection);
  const looked = await look(
    injection,
    assigned.filter(({ endpoints }) => endpoints.length > 0),
  );
  const taking = looked.map(({ checked }) => checked);
  const bad = taking.filter(({ all }) => all.length > 0);
  if (bad.length > 0 && flags.json) printHosts('check', injection, taking.map(report.checkedJson));
  else for (const one of bad) printLines(report.checkedLines(one));
  requireGood(taking);
  const parts = looked.flatMap(partOf);
  for (const { name, notes } of taking) for (const note of notes) step(`${name}: ${note}`);
  const bundle = readBundle();
  if (installs) {
    const hosts = parts.map(({ host }) => host);
    failOn(
      await install(
        connections,
        hosts,
        bundle,
        printing(injection, (result) => result),
      ),
    );
  }
  const [first, ...others] = parts;
  if (!first)
    throw new InjectError('INVENTORY_ENDPOINTS', `no host of ${inventory.file} is an endpoint`, 'write `is`');
  const started: Outcome<string>[] = [];
  await startInjection(connections, {
    ...{ experiment, signal, home: homeOf(bundle), parts: [first, ...others] },
    source: file.opened.source,
    never: neverWords(taking, flags.never ?? []),
    takeOver: flags.takeOver ?? false,
    names: flags.names ?? false,
    record: flags.record ?? false,
    ...(flags.lease !== undefined && { lease: formatMicros(flags.lease) }),
    onStep: step,
    onStarted: (outcome) => {
      started.push(outcome);
      printing<string>(injection, (text) => text)(outcome);
    },
  });
  printHosts('start', injection, started.map(report.outcomeJson), placed && placingJson(placed));
  if (!flags.json) print(`${styled('green', `${experiment} runs`)} on ${parts.length} hosts`);
}

function partOf({ host, checked: { shaped } }: Looked): Part[] {
  const endpoints = shaped.flatMap(({ endpoint, ifname, address }) =>
    endpoint === undefined ? [] : [{ endpoint, ifname, address }],
  );
  const [first] = endpoints;
  return first ? [{ host, endpoints, address: first.address }] : [];
}

/** The user's, and the ports at which sshd really listens on the hosts: on every host, since any may be on the way to another. */
function neverWords(checked: readonly Checked[], never: readonly Exemption[]): string[] {
  const ports = new Set(checked.flatMap(({ facts }) => facts?.ssh?.port ?? []));
  const ssh = [...ports].filter((port) => port !== 22).map((port) => ({ protocol: 'tcp', port }) as const);
  const all = [...ssh, ...never];
  requireRoomFor(all);
  return [...new Set(all.map(formatExemption))];
}
