/** `netfold inject … status`, `stop` and `uninstall`, from any machine that reaches the hosts. */
import type { Outcome } from '../../inject/each-host.ts';
import { uninstall } from '../../inject/install.ts';
import * as report from '../../inject/report.ts';
import { type Ended, type StopResult, statuses, stopInjection } from '../../inject/running.ts';
import { InjectError } from '../../inject/ssh/errors.ts';
import { gatherAtStop } from './gather-at-stop.ts';
import { failOn, type OnHosts, printHosts, printing, type Standing } from './injection.ts';

export async function status(standing: Standing): Promise<void> {
  const { connections, inventory, experiment } = standing;
  const outcomes = await statuses(
    connections,
    inventory.hosts,
    experiment,
    printing(standing, report.statusText),
  );
  printHosts('status', standing, outcomes.map(report.outcomeJson));
  failOn(outcomes);
  requireThere(
    standing,
    outcomes.map(({ value }) => value?.state !== 'absent'),
  );
}

function requireThere({ experiment }: Standing, there: readonly boolean[]): void {
  if (there.includes(true)) return;
  throw new InjectError(
    'INJECTION_UNKNOWN',
    `${experiment} is on none of the hosts`,
    'netfold inject FILE --inventory HOSTS start; --name if it was started with another name',
  );
}

export async function stop(standing: Standing): Promise<void> {
  const { connections, inventory, experiment, flags } = standing;
  const outcomes = await stopInjection(
    connections,
    inventory.hosts,
    experiment,
    printing(standing, ({ result }) => result),
  );
  printHosts('stop', standing, outcomes.map(plain).map(report.outcomeJson));
  const folders = outcomes.flatMap(({ host, value }): [string, string][] =>
    value?.record === undefined ? [] : [[host, value.record]],
  );
  if (flags.gather) await gatherAtStop(standing, new Map(folders));
  failOn(outcomes);
  requireThere(
    standing,
    outcomes.map(({ value }) => value?.result === 'stopped'),
  );
}

/** As JSON has it. */
const plain = ({ host, value, error }: Outcome<Ended>): Outcome<StopResult> => ({
  host,
  ...(value && { value: value.result }),
  ...(error && { error }),
});

export async function uninstallAll(onHosts: OnHosts): Promise<void> {
  const { connections, inventory } = onHosts;
  const outcomes = await uninstall(connections, inventory.hosts, printing(onHosts, report.uninstalledText));
  printHosts('uninstall', onHosts, outcomes.map(report.outcomeJson));
  failOn(outcomes);
}
